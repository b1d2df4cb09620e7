from collections.abc import Iterator
from typing import Annotated, ClassVar

from pydantic import Field

from config.cloud import Cloud
from config.names import VAULT_PROJECT
from config.network import NetworkSettings
from config.stack_file import KeyPath, StackFile
from config.vault_server import PORT, VaultServer

HostName = Annotated[
    str,
    Field(max_length=253, pattern=r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z]([a-z0-9-]*[a-z0-9])?$"),
]
"""A host name in lower case; no IP address, since its last label begins with a letter (RFC 1123, section 2.1)."""


class VaultStackConfig(StackFile):
    """The site's own Vault, a separate project, as it serves several environments and outlives each of them."""

    project: ClassVar[str] = VAULT_PROJECT

    cloud: Cloud = Field(description="OpenStack project to deploy into")
    network: NetworkSettings = Field(description="Private network of the server, created or adopted")
    host: HostName = Field(description="DNS name of the Vault; clients reach it at https://HOST:8200")
    server: VaultServer = Field(description="VM with OpenBao, and volume with its data")
    protect: bool = Field(
        default=True,
        description="Refuse to delete the data volume and the floating IP; set to false only to remove the Vault",
    )

    @property
    def url(self) -> str:
        """URL of the Vault."""
        return f"https://{self.host}:{PORT}"

    def conflicts(self) -> Iterator[tuple[KeyPath, str]]:
        """Yield conflicts between the server and its network."""
        if reason := self.network.refusal_of(self.server.address):
            yield ("server", "address"), reason
