from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from urllib.parse import urlsplit

import pulumi
from pulumi import ResourceOptions
from pulumi_openstack import networking

from components import stateless_vm, vault_ready
from components.stateless_vm import Disk, Flow, Machine, Place, ServerArgs
from components.vault_cloud_init import render
from components.vault_configuration import FirstBoot
from config.vault_server import PORT
from config.vault_server import VaultServer as Settings

ACME_PORT = 443
"""Where an authority asks for the certificate of a name (RFC 8737); nothing else listens there."""


@dataclass(frozen=True, kw_only=True)
class VaultServerArgs:
    """What a `VaultServer` is made from."""

    settings: Settings
    """What the configuration says of it."""
    place: Place
    """Where the server stands."""
    machine: Machine
    """What it runs on."""
    url: str
    """Its URL, ``https://NAME:8200``."""
    reached_at: str
    """Its URL as this program reaches it; most often the same."""
    nodes: IPv4Network
    """Addresses of the cluster's nodes."""
    router_address: pulumi.Input[str] | None
    """The router's address outside, from which the nodes come if they go by the floating IP; None if not known."""
    external_network: str
    """Name of the external network that the floating IP comes from."""
    operator_policy: str = field(repr=False)
    """What this program may do in it, as a policy in HCL."""
    protect: bool = True
    """Refuse to delete the volume and the floating IP."""


class VaultServer(pulumi.ComponentResource):
    """The site's own Vault: OpenBao on a VM without data of its own, with a Cinder volume that outlives it."""

    address: pulumi.Output[str]
    """The IPv4 address for its name in the DNS."""
    url: pulumi.Output[str]
    """Its URL as this program reaches it; known once it answers there, initialised and unsealed."""

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
            ingress=_ingress(args),
        )
        self.address = self._address(name, args, port)
        user_data = volume.id.apply(lambda volume_id: render(_first_boot(args, volume_id)))
        server_args = ServerArgs(
            machine=args.machine, port=port, user_data=pulumi.Output.secret(user_data), volumes=[volume]
        )
        server = stateless_vm.server(self, name, server_args)
        expected = vault_ready.Expectation(
            url=args.reached_at,
            by_name=args.reached_at == args.url,
            unsealed_by_people=not settings.initialises_itself,
        )
        # A property of the server, so that nobody asks before it exists.
        self.url = pulumi.Output.all(self.address, server.id).apply(
            lambda known: vault_ready.wait(expected, str(known[0])),
        )
        self.register_outputs({"address": self.address})

    def _address(self, name: str, args: VaultServerArgs, port: networking.Port) -> pulumi.Output[str]:
        if not args.settings.floating_ip:
            return port.fixed_ips.apply(lambda _: str(args.place.address))
        return networking.FloatingIp(
            f"{name}-address",
            pool=args.external_network,
            port_id=port.id,
            description=f"Vault of the Rubin Science Platform ({pulumi.get_stack()}), managed by Pulumi",
            # Names in the DNS point to it.
            opts=ResourceOptions(parent=self, protect=args.protect),
        ).address


def _first_boot(args: VaultServerArgs, volume_id: str) -> FirstBoot:
    return FirstBoot(
        settings=args.settings,
        host=str(urlsplit(args.url).hostname),
        operator_policy=args.operator_policy,
        volume_id=volume_id,
    )


def _ingress(args: VaultServerArgs) -> Mapping[str, Flow]:
    flows = {"nodes": Flow("tcp", PORT, "Vault from the cluster's subnet", str(args.nodes))}
    for network in args.settings.clients:
        key = str(network).replace("/", "-")
        flows[f"client-{key}"] = Flow("tcp", PORT, "Vault from a network of clients", str(network))
    if args.router_address is not None and args.settings.floating_ip:
        remote = pulumi.Output.from_input(args.router_address).apply(lambda address: f"{address}/32")
        flows["router"] = Flow("tcp", PORT, "Vault from the cluster by the floating IP", remote)
    if args.settings.tls.kind == "acme":
        flows["acme"] = Flow("tcp", ACME_PORT, "The authority of the certificate, which has no fixed addresses")
    return flows
