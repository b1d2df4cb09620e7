"""Comments and issues on the service that hosts this repository: GitHub or GitLab."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn, Protocol

import requests

from phalanx.errors import PhalanxError

_TIMEOUT: Final = 30  # seconds
_REJECTED: Final = 400


class ForgeError(PhalanxError):
    """GitHub or GitLab cannot be reached, or refuses a request."""


@dataclass(frozen=True, kw_only=True)
class Post:
    """A comment or an issue that a job of this repository created."""

    id: int
    """ID by which it is edited."""
    text: str
    """Markdown."""
    editable: bool = True
    """Whether these credentials may change it."""


@dataclass(frozen=True, kw_only=True)
class PullRequest:
    """A pull request, which GitLab calls a merge request."""

    number: int
    head: str
    """Last commit of its branch."""


class Forge(Protocol):
    """What reports need of the service. All methods raise ForgeError if it refuses a request."""

    def comments(self, pull_request: int) -> Iterable[Post]:
        """Return the comments on a pull request that jobs of this repository created."""
        ...

    def comment(self, pull_request: int, text: str) -> None:
        """Add a comment to a pull request."""
        ...

    def edit_comment(self, pull_request: int, comment: int, text: str) -> None:
        """Replace the text of a comment."""
        ...

    def merged_as(self, commit: str) -> PullRequest | None:
        """Return the merged pull request to which a commit belongs."""
        ...

    def issues(self, label: str) -> Iterable[Post]:
        """Return the open issues with a label that jobs of this repository created."""
        ...

    def open_issue(self, title: str, text: str, label: str) -> None:
        """Open an issue."""
        ...

    def edit_issue(self, issue: int, text: str, *, close: bool = False) -> None:
        """Replace the text of an issue, and close it."""
        ...


class Api:
    """A JSON API.

    Args:
        url: Common beginning of all URLs.
        headers: Headers of each request, with the credentials. They are never part of an error.
        service: Name of the service, for error messages.
    """

    def __init__(self, url: str, headers: Mapping[str, str], service: str) -> None:
        self._url = url.rstrip("/")
        self._service = service
        self._session = requests.Session()
        self._session.headers.update(headers)
        # Without it, the credentials of a .netrc would replace the header.
        self._session.auth = _unchanged

    def all(self, path: str, **query: str) -> Iterable[Any]:
        """Yield the items of all pages of a list."""
        url: str | None = f"{self._url}{path}"
        parameters: Mapping[str, str] | None = {"per_page": "100", **query}
        while url:
            answer = self._send("GET", url, params=parameters)
            yield from answer.json()
            # The next page's URL has all parameters.
            url, parameters = answer.links.get("next", {}).get("url"), None

    def get(self, path: str) -> Any:
        """Return an object."""
        return self._send("GET", f"{self._url}{path}").json()

    def send(self, method: str, path: str, **body: object) -> None:
        """Create or change an object."""
        self._send(method, f"{self._url}{path}", json=body)

    def _send(self, method: str, url: str, **options: Any) -> requests.Response:
        try:
            answer = self._session.request(method, url, timeout=_TIMEOUT, **options)
        except requests.RequestException as error:
            self._fail(method, url, type(error).__name__)
        if answer.status_code >= _REJECTED:
            self._fail(method, url, f"{answer.status_code} {_reason(answer)}")
        return answer

    def _fail(self, method: str, url: str, reason: str) -> NoReturn:
        path = url.removeprefix(self._url).partition("?")[0]
        raise ForgeError(f"{self._service}: {method} {path}: {reason}: check the permissions of the token") from None


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _reason(answer: requests.Response) -> str:
    try:
        return str(answer.json().get("message") or answer.reason)[:200]
    except (ValueError, AttributeError):
        return str(answer.reason)
