from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi import ResourceOptions
from pulumi_openstack import networking

from components import stateless_vm
from components.stateless_vm import Disk, Flow, Machine, Place, ServerArgs
from components.vault_cloud_init import render
from components.vault_configuration import FirstBoot
from config.vault_server import PORT
from config.vault_server import VaultServer as Settings

ACME_PORT = 443
"""Port on which an ACME CA validates a name (RFC 8737); no other service uses it."""


@dataclass(frozen=True, kw_only=True)
class VaultServerArgs:
    """The arguments of a `VaultServer`."""

    settings: Settings
    """The server's settings in the stack's file."""
    place: Place
    """The server's network, subnet and address."""
    machine: Machine
    """The server's image and flavor."""
    host: str
    """The server's DNS name."""
    external_network: str
    """Name of the external network that the floating IP comes from."""
    protect: bool = True
    """True to refuse the deletion of the volume and the floating IP."""


class VaultServer(pulumi.ComponentResource):
    """The site's own Vault: OpenBao on a VM, with its data on a Cinder volume that outlives the VM.

    The component is complete as soon as the VM exists. OpenBao also requires a DNS record, and with a Shamir seal the
    operators; `python -m operations vault-ready` waits for it.
    """

    address: pulumi.Output[str]
    """IPv4 address for the server's DNS record."""

    def __init__(self, name: str, args: VaultServerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:VaultServer", name, None, opts)
        settings = args.settings
        volume = stateless_vm.data_volume(
            self,
            f"{name}-data",
            Disk(size=settings.volume.size, type=settings.volume.type),
            description="Vault",
            protect=args.protect,
        )
        port = stateless_vm.locked_down_port(
            self,
            name,
            args.place,
            description="Vault for its clients, and what the server itself needs",
            ingress=_ingress(settings),
        )
        self.address = self._address(name, args, port)
        user_data = volume.id.apply(
            lambda volume_id: render(FirstBoot(settings=settings, host=args.host, volume_id=volume_id))
        )
        server_args = ServerArgs(
            machine=args.machine, port=port, user_data=pulumi.Output.secret(user_data), volumes=[volume]
        )
        stateless_vm.server(self, name, server_args)
        self.register_outputs({"address": self.address})

    def _address(self, name: str, args: VaultServerArgs, port: networking.Port) -> pulumi.Output[str]:
        if not args.settings.floating_ip:
            return pulumi.Output.from_input(str(args.place.address))
        return networking.FloatingIp(
            f"{name}-address",
            pool=args.external_network,
            port_id=port.id,
            description=f"Vault of the Rubin Science Platform ({pulumi.get_stack()}), managed by Pulumi",
            # DNS records refer to the address.
            opts=ResourceOptions(parent=self, protect=args.protect),
        ).address


def _ingress(settings: Settings) -> Mapping[str, Flow]:
    flows = {
        f"client-{str(network).replace('/', '-')}": Flow("tcp", PORT, "Vault from a network of clients", str(network))
        for network in settings.clients
    }
    if settings.tls.kind == "acme":
        flows["acme"] = Flow("tcp", ACME_PORT, "The authority of the certificate, which has no fixed addresses")
    return flows
