"""What the site's own Vault requires of an OpenStack project, by quota; plain arithmetic without network access."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from config.vault_server import AcmeCertificate, TransitSeal
from config.vault_stack import VaultStackConfig
from probes.needs import UNTYPED, Flavor, Volumes, storage

KEYS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("instances", "cores", "ram"), "server.flavor"),
    **dict.fromkeys(("volumes", "gigabytes", "per_volume_gigabytes"), "server.volume"),
    **dict.fromkeys(("ports", "security_groups"), "server"),
    "security_group_rules": "server.clients",
    "floating_ips": "server.floatingIp",
}
"""Key of the Vault's configuration that determines most of what is required, by resource."""

_EGRESS: Final = 5
"""Number of rules ``EGRESS`` of components/stateless_vm.py."""
_EGRESS_PORTS: Final = frozenset({53, 80, 443})
"""Their TCP ports."""


def needs(
    config: VaultStackConfig, flavors: Mapping[str, Flavor], *, default_type: str = UNTYPED
) -> dict[str, int | None]:
    """Return the quota that a Vault requires, by resource, as `probes.needs.needs` does for a platform.

    Args:
        config: The configuration of the Vault.
        flavors: Sizes of flavors by name.
        default_type: Name of the cloud's default volume type, if it is known.
    """
    server, networks = config.server, 0 if config.network.adopt else 1
    flavor = flavors.get(server.flavor)
    volumes = [Volumes(type=server.volume.type or UNTYPED, size=server.volume.size, count=1)]
    if root := server.boot_volume:
        volumes.append(Volumes(type=root.type or UNTYPED, size=root.size, count=1))
    return {
        "instances": 1,
        "cores": flavor.vcpus if flavor else None,
        "ram": flavor.ram if flavor else None,
        **storage(volumes, default_type),
        "networks": networks,
        "subnets": networks,
        "routers": networks,
        # The server's; of a new network those of its router and of DHCP (OVN: of metadata).
        "ports": 1 + 2 * networks,
        "security_groups": 1,
        "security_group_rules": _rules(config),
        "floating_ips": int(server.floating_ip),
    }


def _rules(config: VaultStackConfig) -> int:
    """Return the number of rules of the security group of components/vault_server.py."""
    server = config.server
    urls, acme = [server.package.url], 0
    if isinstance(server.tls, AcmeCertificate):
        urls.append(str(server.tls.directory))
        acme = 1
    if isinstance(server.seal, TransitSeal):
        urls.append(str(server.seal.address))
    others = {urlsplit(url).port or 443 for url in urls} - _EGRESS_PORTS
    return len(server.clients) + acme + _EGRESS + len(others)
