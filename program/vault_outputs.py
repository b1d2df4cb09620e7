"""Stack outputs of the Vault project."""

from collections.abc import Mapping

import pulumi

from components.vault_server import VaultServer
from config.vault_stack import VaultStackConfig

DESCRIPTIONS: Mapping[str, str] = {
    "vaultUrl": "URL of the Vault, for `vaultUrl` of each Phalanx environment",
    "vaultAddress": "IPv4 address for the Vault's DNS record",
    "vaultCaCertificate": "Certificate of the Vault's CA as PEM, for the file that `rsp:vault.caFile` of each platform "
    "names; empty unless `rsp-vault:server.tls.kind` is private",
}
"""Descriptions of all outputs, by name."""


def export(config: VaultStackConfig, server: VaultServer) -> None:
    """Export all outputs in `DESCRIPTIONS`."""
    values: Mapping[str, pulumi.Input[str]] = {
        "vaultUrl": config.url,
        "vaultAddress": server.address,
        "vaultCaCertificate": server.ca_certificate,
    }
    for name in DESCRIPTIONS:
        pulumi.export(name, values[name])
