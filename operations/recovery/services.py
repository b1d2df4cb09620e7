"""Which service knows about a resource type, and what follows where none does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from operations.recovery import kubernetes, openstack, vault
from operations.recovery.document import Inputs
from operations.recovery.finder import Finder

AGAIN: Mapping[str, str] = {
    "openstack:identity/ec2CredentialV3:Ec2CredentialV3": (
        "the next run makes another pair of keys; that a pair was made already cannot be known, as they have no "
        "names: `openstack ec2 credentials list` shows them, and one that nobody uses should be deleted"
    ),
    "vault:appRole/authBackendRoleSecretId:AuthBackendRoleSecretId": (
        "the next run makes another secret id; nobody can use one that was cut off, as nobody knows it"
    ),
    "vault:index/token:Token": "the next run makes another token; one that was cut off ends with its time to live",
    "vault:index/policy:Policy": "the next run writes it again",
    "vault:kv/secretV2:SecretV2": "the next run writes it again, as a further version",
    "pulumi:index:Stash": "the next run makes another value; nothing has used the one that was cut off",
}
"""What may be made twice, and what a person should know of it."""


@dataclass(frozen=True)
class Service:
    """A service of which resources are made.

    Attributes:
        connect: Makes a client from the settings of Pulumi's provider, in clear.
        finder: How a resource type is found; None for a type that it cannot find.
    """

    connect: Callable[[Inputs], Any]
    finder: Callable[[str], Finder[Any] | None]


SERVICES: Mapping[str, Service] = {
    "openstack": Service(openstack.connect, openstack.FINDERS.get),
    "vault": Service(vault.connect, vault.FINDERS.get),
    "kubernetes": Service(kubernetes.connect, kubernetes.finder),
}


def service_of(type_token: str) -> Service | None:
    """The service of a resource type."""
    return SERVICES.get(type_token.partition(":")[0])


def repeatable(type_token: str) -> str | None:
    """Why a type may be made twice; None if it may not."""
    if type_token.startswith("pulumi:providers:"):
        return "the next run registers it again"
    if type_token.startswith("kubernetes:") and type_token.endswith("Patch"):
        return "the next run applies the same fields again"
    return AGAIN.get(type_token)


def explain(error: Exception) -> str:
    """What an exception of a service's client means to a person.

    Raises:
        Exception: The error itself, if it is not one of a service.
    """
    from hvac.exceptions import VaultError  # noqa: PLC0415  # see vault_client.connect
    from keystoneauth1.exceptions import ClientException  # noqa: PLC0415
    from openstack.exceptions import SDKException  # noqa: PLC0415
    from requests.exceptions import RequestException  # noqa: PLC0415

    if not isinstance(error, VaultError | ClientException | SDKException | RequestException):
        raise error
    text = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    return f"its service does not answer as it should ({text}): run this again once it does"
