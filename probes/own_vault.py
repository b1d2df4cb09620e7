"""The Vault that a stack makes for its site: whether it is there yet, and whether what is said of it fits its name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from config.loader import SEALED
from config.names import cloud_name
from config.stack_config import StackConfig
from config.vault import Vault
from config.vault_server import PORT, GivenCertificate, VaultServer
from phalanx import certificates
from phalanx.certificates import CertificateError
from phalanx.environment import Environment as PhalanxEnvironment
from phalanx.errors import SecretsError
from phalanx.secrets import SecretKey
from probes import openstack_preflight, vault_secrets
from probes.problem import Problem

if TYPE_CHECKING:
    from openstack.connection import Connection


class Presence(Enum):
    """How much there is of the server."""

    ABSENT = auto()
    """Neither server nor data: nothing can be in it."""
    LOST = auto()
    """Its volume without a server that has all it needs: what is in it cannot be known before it is made anew."""
    THERE = auto()
    """All of it, or a Vault that is not this stack's; if it does not answer, that is an outage."""


def presence(config: StackConfig, stack: str) -> Presence:
    """Ask Nova, Cinder and Neutron what there is of the stack's own Vault.

    Args:
        config: The stack configuration.
        stack: Name of the stack.

    Raises:
        ConnectionError: OpenStack does not answer; `openstack_preflight` says why.
    """
    settings = config.vault.deploy
    if settings is None:
        return Presence.THERE
    connection = openstack_preflight.connect(config)
    if isinstance(connection, Problem):
        raise ConnectionError(str(connection))
    label = cloud_name(stack, "vault")
    volumes = list(connection.block_storage.volumes(name=f"{label}-data"))
    for server in connection.compute.servers(name=f"^{label}$"):
        attached = any(each["server_id"] == server.id for volume in volumes for each in volume.attachments)
        if attached and (not settings.floating_ip or _has_floating_ip(connection, server.id)):
            return Presence.THERE
    return Presence.LOST if volumes else Presence.ABSENT


def read(config: StackConfig, target: PhalanxEnvironment, found: Presence) -> dict[SecretKey, str]:
    """What Vault holds for an environment; nothing of a Vault that is not there yet.

    Args:
        config: The stack configuration.
        target: The Phalanx environment.
        found: How much there is of the stack's own Vault.

    Raises:
        SecretsError: Vault does not let us read; or it is being made anew, and nobody knows yet what its volume holds.
    """
    if found is Presence.ABSENT:
        return {}
    if found is Presence.LOST:
        raise SecretsError(
            "Vault's volume is there but its server was not: once this run has made that, run the same command again, "
            "so that the secrets in it are known",
        )
    return vault_secrets.read(_address(config, target), target, operator_password(config.vault))


@dataclass(frozen=True)
class Reader:
    """Asks Vault anew; one that this run makes holds nothing. Errors are those of `read`."""

    config: StackConfig
    target: PhalanxEnvironment
    found: Presence

    def application(self, name: str) -> Mapping[str, str]:
        """What the secret of an application holds."""
        if self.found is Presence.ABSENT:
            return {}
        return vault_secrets.read_application(*self._where(), name, operator_password(self.config.vault))

    def has_mount(self) -> bool:
        """Whether there is the environment's KV engine."""
        if self.found is Presence.ABSENT:
            return False
        return vault_secrets.has_mount(*self._where(), operator_password(self.config.vault))

    def has_role(self) -> bool:
        """Whether there is the environment's AppRole."""
        if self.found is Presence.ABSENT:
            return False
        settings = self.config.vault
        return vault_secrets.has_role(*self._where(), settings.approle, operator_password(settings))

    def _where(self) -> tuple[str, PhalanxEnvironment]:
        return _address(self.config, self.target), self.target


def _address(config: StackConfig, target: PhalanxEnvironment) -> str:
    return config.vault.reached_at(target.vault_url)


def operator_password(settings: Vault) -> SecretStr | None:
    """The password of the program's user in a Vault of its own; None where VAULT_TOKEN is what opens Vault.

    Outside Pulumi the password is not known: there a person logs in.
    """
    if settings.deploy is None or settings.deploy.operator_password.get_secret_value() == SEALED:
        return None
    return settings.deploy.operator_password


def check(settings: VaultServer, url: str) -> Iterator[Problem]:
    """Whether the server can be what the Phalanx environment's ``vaultUrl`` says.

    Args:
        settings: What the configuration says of the server.
        url: The environment's ``vaultUrl``, which applications use.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" or parts.port != PORT or not any(letter.isalpha() for letter in host):
        yield Problem(
            where="rsp:vault.deploy",
            what=f"makes a Vault at https://NAME:{PORT}, but vaultUrl in the Phalanx environment is {url}: "
            "write the name there that the server is to have in the DNS",
        )
    elif isinstance(settings.tls, GivenCertificate) and settings.tls.key.get_secret_value() != SEALED:
        pem, key = settings.tls.certificate.get_secret_value(), settings.tls.key.get_secret_value()
        try:
            certificates.check(pem, key, host, datetime.now(UTC))
        except CertificateError as error:
            for problem in error.problems:
                yield Problem(where="rsp:vault.deploy.tls", what=f"{problem} (vaultUrl in Phalanx: {url})")


def _has_floating_ip(connection: "Connection", server_id: str) -> bool:
    ports = connection.network.ports(device_id=server_id)
    return any(True for port in ports for _ in connection.network.ips(port_id=port.id))
