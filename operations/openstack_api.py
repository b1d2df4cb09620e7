"""Requests to OpenStack for which the SDK has no suitable method."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from openstack.proxy import Proxy
    from requests import Response

NODE_GROUPS: Final = {"OpenStack-API-Version": "container-infra 1.9"}
"""Headers for the version of Magnum's API that has node groups. The SDK's own name of the service is refused there."""


def get(service: "Proxy", path: str, headers: Mapping[str, str] | None = None) -> dict[str, Any] | None:
    """Return the document at a path of a service, or None if there is none.

    Raises:
        openstack.exceptions.SDKException: The service does not answer, or refuses to.
    """
    answer = service.get(path, headers=headers)
    return answer.json() if exists(answer) else None


def exists(answer: "Response") -> bool:
    """Return whether an answer is not "404 Not Found".

    Raises:
        openstack.exceptions.SDKException: It is another error.
    """
    from openstack import exceptions  # noqa: PLC0415  # a second's work that no caller wants at import

    if answer.status_code == 404:  # noqa: PLR2004  # HTTP's "not found"
        return False
    exceptions.raise_from_response(answer)
    return True
