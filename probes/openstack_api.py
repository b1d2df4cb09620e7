"""Requests to OpenStack for which the SDK has no suitable method."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from openstack.proxy import Proxy
    from requests import Response


def get(service: "Proxy", path: str, headers: Mapping[str, str] | None = None) -> dict[str, Any] | None:
    """Return the document at a path of a service, or None if it does not exist.

    Raises:
        openstack.exceptions.SDKException: The service cannot be reached, or refuses the request.
    """
    answer = service.get(path, headers=dict(headers or {}))
    return answer.json() if exists(answer) else None


def exists(answer: "Response") -> bool:
    """Return whether a response is not "404 Not Found".

    Raises:
        openstack.exceptions.SDKException: The response is another error.
    """
    from openstack import exceptions

    if answer.status_code == 404:  # noqa: PLR2004  # HTTP's "not found"
        return False
    exceptions.raise_from_response(answer, error_message=_reason(answer))
    return True


def _reason(answer: "Response") -> str | None:
    """Return the reason that Magnum gives for an error, of which the SDK does not know the format; None without it."""
    try:
        return "; ".join(each["detail"] for each in answer.json()["errors"]) or None
    except (ValueError, LookupError, TypeError):
        return None
