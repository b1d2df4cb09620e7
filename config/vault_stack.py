from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from config.addresses import HostName
from config.cloud import Cloud
from config.names import VAULT_PROJECT
from config.network import NetworkSettings
from config.stack_file import KeyPath, Rule, StackFile
from config.vault_server import PORT, VaultServerSettings


def fixed_address(network: NetworkSettings, server: VaultServerSettings) -> Iterator[tuple[KeyPath, str]]:
    """Yield a conflict if the server cannot have its address."""
    if reason := network.refusal_of(server.address):
        yield ("server", "address"), reason


class VaultStackConfig(StackFile):
    """The site's own Vault, a separate project, as it serves several environments and outlives each of them."""

    project: ClassVar[str] = VAULT_PROJECT
    rules: ClassVar[Sequence[Rule]] = (fixed_address,)

    cloud: Cloud = Field(description="OpenStack project to deploy into")
    network: NetworkSettings = Field(description="Private network of the server, created or adopted")
    host: HostName = Field(
        description="DNS name of the Vault; clients reach it at https://HOST:8200", examples=["vault.example.org"]
    )
    server: VaultServerSettings = Field(description="VM with OpenBao, and volume with its data")
    protect: bool = Field(
        default=True,
        description="Refuse to delete the data volume and the floating IP; set to false only to remove the Vault",
    )

    @property
    def url(self) -> str:
        """URL of the Vault."""
        return f"https://{self.host}:{PORT}"
