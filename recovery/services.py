"""The service of each resource type, and the types whose creation can be repeated."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from config.loader import ConfigError
from phalanx.errors import PhalanxError
from probes.openstack_connection import first_line, openstack_errors
from recovery import kubernetes, openstack, vault
from recovery.document import Inputs
from recovery.finder import Finder

REPEATABLE: Mapping[str, str] = {
    "openstack:identity/ec2CredentialV3:Ec2CredentialV3": (
        "the next run creates another key pair; whether one was already created cannot be determined, as they have no "
        "names: list them with `openstack ec2 credentials list`, and delete unused ones"
    ),
    "vault:appRole/authBackendRoleSecretId:AuthBackendRoleSecretId": (
        "the next run creates another secret ID; that of an interrupted creation is unknown and cannot be used"
    ),
    "vault:index/token:Token": "the next run creates another token; that of an interrupted creation expires",
    "vault:index/policy:Policy": "the next run writes it again",
    "vault:kv/secretV2:SecretV2": "the next run writes it again, as a new version",
    "openstack:loadbalancer/members:Members": "the next run sets the members of the pool again",
    "openstack:networking/floatingIpAssociate:FloatingIpAssociate": "the next run associates the floating IP again",
    "pulumi:index:Stash": "the next run generates another value; nothing has used that of an interrupted creation",
}
"""Types whose creation can be repeated, each with a message for the user."""


@dataclass(frozen=True)
class Service:
    """A service in which the program creates resources.

    Attributes:
        connect: Returns a client with the plaintext settings of Pulumi's provider.
        finder: Returns the finder of a resource type, or None if the type is not supported.
    """

    connect: Callable[[Inputs], Any]
    finder: Callable[[str], Finder[Any] | None]


SERVICES: Mapping[str, Service] = {
    "openstack": Service(openstack.connect, openstack.FINDERS.get),
    "vault": Service(vault.connect, vault.FINDERS.get),
    "kubernetes": Service(kubernetes.connect, kubernetes.finder),
}


def service_of(type_token: str) -> Service | None:
    """Return the service of a resource type, or None if it is not supported."""
    return SERVICES.get(type_token.partition(":")[0])


def repeatable(type_token: str) -> str | None:
    """Return why the creation of a type can be repeated, or None if it cannot."""
    if type_token.startswith("pulumi:providers:"):
        return "the next run registers it again"
    if type_token.startswith("kubernetes:") and type_token.endswith("Patch"):
        return "the next run applies the same fields again"
    return REPEATABLE.get(type_token)


@contextmanager
def reported(prefix: str = "") -> Iterator[None]:
    """Turn an error of a service's client into one for the user; others pass.

    Args:
        prefix: Text before the reason: what cannot be done without the service.

    Raises:
        PhalanxError: The request to the service failed.
    """
    try:
        yield
    except (ConfigError, PhalanxError):  # without the imports
        raise
    except Exception as error:
        if not isinstance(error, _client_errors()):
            raise
        once = "the reason is removed" if _is_refusal(error) else "the service is available"
        raise PhalanxError(
            f"{prefix}the request to the service failed ({first_line(error)}): run the same command again once {once}"
        ) from error


def _client_errors() -> tuple[type[Exception], ...]:
    from hvac.exceptions import VaultError
    from requests.exceptions import RequestException

    return openstack_errors(VaultError, RequestException)


def _is_refusal(error: Exception) -> bool:
    """Return whether a service of OpenStack has answered, and would give the same answer to the same request."""
    from openstack.exceptions import HttpException

    return isinstance(error, HttpException) and error.source == "Client"
