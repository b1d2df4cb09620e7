from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network
from urllib.parse import urlsplit

import pulumi
from pulumi import ResourceOptions
from pulumi_openstack import networking

from components.openbao import AcmeArgs, CertificateArgs, OpenBaoArgs, PrivateAuthorityArgs, TransitSealArgs
from components.private_authority import PrivateAuthority
from components.stateless_vm import EGRESS, SecurityGroupRule, StatelessVm, StatelessVmArgs
from components.vault_cloud_init import render
from config.names import volume_description
from config.vault_server import PORT

ACME_PORT = 443
"""Port on which an ACME CA validates a name (RFC 8737); no other service uses it."""
_HTTPS_PORT = 443


@dataclass(frozen=True, kw_only=True)
class VaultServerArgs(StatelessVmArgs):
    """Arguments of a `VaultServer`, in addition to those of each `StatelessVm`."""

    floating_ip_network: str | None
    """Name of the external network of the floating IP; None to have no floating IP."""
    clients: Sequence[IPv4Network]
    """Networks of the clients; all others are refused."""
    volume_size: int
    """Size of the data volume in GiB."""
    volume_type: str | None
    """Cinder volume type of the data volume; the cloud's default type if None."""
    volume_availability_zone: str | None
    """Cinder availability zone of the data volume; the cloud's default zone if None."""
    openbao: OpenBaoArgs
    """Arguments of OpenBao."""


class VaultServer(pulumi.ComponentResource):
    """The site's own Vault: OpenBao on a VM, with its data on a Cinder volume that outlives the VM.

    The component is complete as soon as the VM exists. OpenBao also requires a DNS record, and with a Shamir seal the
    operators; `python -m operations vault-ready` waits for it.
    """

    address: pulumi.Output[str]
    """IPv4 address for the server's DNS record."""
    ca_certificate: pulumi.Output[str]
    """Certificate of the CA that the stack has created, as PEM; empty without one."""

    def __init__(self, name: str, args: VaultServerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:VaultServer", name, None, opts)
        vm = StatelessVm(self, name, args)
        volume = vm.data_volume(
            "data",
            size=args.volume_size,
            volume_type=args.volume_type,
            availability_zone=args.volume_availability_zone,
            description=volume_description(pulumi.get_stack(), "Vault"),
        )
        port = vm.port(
            _ingress(args),
            egress=_egress(args.openbao),
            description="Vault for its clients, and what the server itself needs",
        )
        self.address = self._address(name, args, port)
        self.ca_certificate, server = self._with_certificate(name, args)
        user_data = pulumi.Output.all(server, volume.id).apply(lambda known: render(*known))
        vm.server(port, pulumi.Output.secret(user_data), [volume])
        self.register_outputs({"address": self.address})

    def _with_certificate(
        self, name: str, args: VaultServerArgs
    ) -> tuple[pulumi.Output[str], pulumi.Output[OpenBaoArgs]]:
        """Return the certificate of the CA, and the arguments of OpenBao with the certificate that it has signed."""
        openbao = args.openbao
        if not isinstance(openbao.tls, PrivateAuthorityArgs):
            return pulumi.Output.from_input(""), pulumi.Output.from_input(openbao)
        authority = PrivateAuthority(name, openbao.host, openbao.tls.rotation, ResourceOptions(parent=self))
        signed = pulumi.Output.all(certificate=authority.server_certificate, key=authority.server_key)
        return authority.certificate, signed.apply(lambda known: replace(openbao, tls=CertificateArgs(**known)))

    def _address(self, name: str, args: VaultServerArgs, port: networking.Port) -> pulumi.Output[str]:
        if args.floating_ip_network is None:
            return pulumi.Output.from_input(str(args.address))
        return networking.FloatingIp(
            f"{name}-address",
            pool=args.floating_ip_network,
            port_id=port.id,
            description=f"Vault of the Rubin Science Platform ({pulumi.get_stack()}), managed by Pulumi",
            # DNS records refer to the address.
            opts=ResourceOptions(parent=self, protect=args.protect),
        ).address


def _ingress(args: VaultServerArgs) -> Mapping[str, SecurityGroupRule]:
    rules = {
        f"client-{network}".replace("/", "-"): SecurityGroupRule(
            port=PORT, description="Vault from a network of clients", remote_ip_prefix=str(network)
        )
        for network in args.clients
    }
    if isinstance(args.openbao.tls, AcmeArgs):
        rules["acme"] = SecurityGroupRule(
            port=ACME_PORT, description="The authority of the certificate, which has no fixed addresses"
        )
    return rules


def _egress(args: OpenBaoArgs) -> Mapping[str, SecurityGroupRule]:
    """Return a rule for each port of the configured URLs that `EGRESS` does not allow."""
    urls = [args.package_url]
    if isinstance(args.tls, AcmeArgs):
        urls.append(args.tls.directory)
    if isinstance(args.seal, TransitSealArgs):
        urls.append(args.seal.address)
    allowed = {rule.port for rule in EGRESS.values() if rule.protocol == "tcp"}
    # Neutron refuses a second rule for the same port.
    ports = {urlsplit(url).port or _HTTPS_PORT for url in urls} - allowed
    return {
        f"url-{port}": SecurityGroupRule(port=port, description="Package, ACME directory or Vault of the seal")
        for port in sorted(ports)
    }
