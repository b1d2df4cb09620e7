"""Addresses of Git repositories and names of revisions, checked before Git sees them.

Git itself accepts more: transports that run a command (``ext::``) or wait for input (``fd::``), and options in place of
names. Rules: "GIT URLS" in git-fetch(1), git-check-ref-format(1).
"""

import re
from typing import Final
from urllib.parse import urlsplit

PROTOCOLS: Final = ("https", "ssh", "file")
"""Transports that are allowed, as in GIT_ALLOW_PROTOCOL; a path counts as file."""

_EXPECTED = (
    "expected a URL with https, ssh or file, git@HOST:PATH, or the path of a directory, for example "
    "https://github.com/lsst-sqre/phalanx"
)
_MAX_LENGTH = 2048
_MAX_REVISION_LENGTH = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
_USER = re.compile(r"[A-Za-z0-9_.-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\ud800-\udfff~^:?*\[\\]|\.\.|@\{|//|/\.|^[-/.]|[/.]$|\.lock(/|$)|^@$")


def is_commit(revision: str) -> bool:
    """Return whether a revision is the full hash of a commit."""
    return bool(_COMMIT.fullmatch(revision))


def check_repository(address: str) -> str:
    """Check the address of a Git repository.

    Args:
        address: URL (https, ssh, file), ``[user@]host:path``, or path.

    Returns:
        The address.

    Raises:
        ValueError: The address is not allowed. The message quotes it unless it contains credentials.
    """
    if len(address) > _MAX_LENGTH:
        raise ValueError(f"has more than {_MAX_LENGTH} characters: {_EXPECTED}")
    if _has_credentials(address):
        raise ValueError(
            f"contains a password or token: remove it, and set rsp:phalanx.credentials instead; {_EXPECTED}"
        )
    if "://" in address and not {"?", "#"}.isdisjoint(address):
        # Not quoted: it may contain a token.
        raise ValueError(f"has a query or a fragment: {_EXPECTED}")
    if problem := _problem(address):
        raise ValueError(f"{_shown(address)} {problem}: {_EXPECTED}")
    return address


def check_revision(revision: str) -> str:
    """Check the name of a branch or tag, or the hash of a commit.

    Returns:
        The revision.

    Raises:
        ValueError: Git does not allow the name.
    """
    if not revision or len(revision) > _MAX_REVISION_LENGTH or _FORBIDDEN.search(revision):
        raise ValueError(
            f"{_shown(revision)} is not the name of a revision: expected a branch, a tag, or the 40 digits of a commit,"
            " for example main"
        )
    return revision


def transport(address: str) -> str:
    """Return the transport of an address that `check_repository` accepts: https, ssh or file."""
    scheme, separator, _ = address.partition("://")
    if separator:
        return scheme
    head, colon, _ = address.partition(":")
    return "ssh" if colon and "/" not in head else "file"


def _has_credentials(address: str) -> bool:
    scheme, separator, rest = address.partition("://")
    if not separator:
        # A user may precede the host in scp's notation, but nothing that looks like user:password.
        return "@" in address.partition(":")[2]
    login, at, _ = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")
    # In an https URL the user name may be a token; in an ssh URL it is "git".
    return bool(at) and (scheme.lower() != "ssh" or ":" in login)


def _problem(address: str) -> str | None:
    if not address:
        return "is empty"
    if _CONTROL.search(address):
        return "contains a control character"
    if address.startswith("-"):
        return "starts with a hyphen"
    if "://" in address:
        return _url_problem(address)
    head, colon, path = address.partition(":")
    return _scp_problem(head, path) if colon and "/" not in head else None


def _scp_problem(head: str, path: str) -> str | None:
    """Check ``[user@]host:path``."""
    user, _, host = head.rpartition("@")
    if path.startswith(":"):
        return f"uses the transport {head}::, which is not allowed"
    if not _HOST.fullmatch(host) or (user and not _USER.fullmatch(user)):
        return "has no valid user or host"
    return None if path else "has no path"


def _url_problem(address: str) -> str | None:
    if re.search(r"[^\x21-\x7e]", address):
        return "contains a space or a character outside ASCII"
    try:
        url = urlsplit(address)
        host, port = url.hostname or "", url.port
    except ValueError:
        return "is not a valid URL"
    if url.scheme not in PROTOCOLS:
        return f"uses {url.scheme or 'an empty scheme'}, which is not allowed"
    if url.scheme == "file":
        return None if not url.netloc and len(url.path) > 1 else "has no absolute path (file:///PATH)"
    if not (_HOST.fullmatch(host) or ":" in host) or port == 0 or not _USER.fullmatch(url.username or "git"):
        return "has no valid user, host or port"
    return None if len(url.path) > 1 else "has no path"


def _shown(text: str) -> str:
    """Quote a text for a message, with control characters escaped and shortened."""
    return repr(text if len(text) <= 100 else f"{text[:97]}...")  # noqa: PLR2004 - fits on a line
