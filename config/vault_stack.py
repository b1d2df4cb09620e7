from collections.abc import Iterator, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from config.addresses import HostName
from config.changes import replaces, this_run
from config.cloud import Cloud
from config.names import VAULT_PROJECT
from config.network import NetworkSettings
from config.section import Name
from config.stack_file import KeyPath, Rule, StackFile
from config.vault_server import PORT, VaultServerSettings


def fixed_address(network: NetworkSettings, server: VaultServerSettings) -> Iterator[tuple[KeyPath, str]]:
    """Yield a conflict if the server cannot have its address."""
    if reason := network.refusal_of(server.address):
        yield ("server", "address"), reason


class ServerCloud(Cloud):
    """The OpenStack project to deploy into, and the keypair of the server."""

    keypair: Annotated[
        Name | None, replaces("the VM; the data remains, and Vault does not answer for some minutes")
    ] = Field(
        default=None,
        description="Existing Nova keypair of the server, whose security group does not admit SSH; none if absent",
        examples=["operators"],
    )


class VaultStackConfig(StackFile):
    """The site's own Vault: a separate project, as it serves several environments and outlives each of them."""

    project: ClassVar[str] = VAULT_PROJECT
    rules: ClassVar[Sequence[Rule]] = (fixed_address,)

    cloud: ServerCloud = Field(description="OpenStack project to deploy into")
    network: NetworkSettings = Field(description="Private network of the server, created or adopted")
    host: Annotated[
        HostName,
        replaces("the VM; the data remains. Create the DNS record first, and set the URL in each Phalanx environment"),
    ] = Field(
        description="DNS name of the Vault; clients reach it at https://HOST:8200", examples=["vault.example.org"]
    )
    server: VaultServerSettings = Field(description="VM with OpenBao, and volume with its data")
    protect: Annotated[
        bool, this_run("marks resources in the state before an operation that would delete them; updates none")
    ] = Field(
        default=True,
        description="Refuse to delete the data volume and the floating IP; set to false only to remove the Vault",
    )

    @property
    def url(self) -> str:
        """URL of the Vault."""
        return f"https://{self.host}:{PORT}"
