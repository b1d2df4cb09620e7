"""Stack outputs of the Vault project."""

from collections.abc import Mapping

import pulumi

from components.vault_server import VaultServer
from config.vault_stack import VaultStackConfig

DESCRIPTIONS: Mapping[str, str] = {
    "vaultUrl": "URL of the Vault, for `vaultUrl` of each Phalanx environment",
    "vaultAddress": "IPv4 address for the Vault's DNS record",
}
"""Descriptions of all outputs, by name."""


def export(config: VaultStackConfig, server: VaultServer) -> None:
    """Export all outputs in `DESCRIPTIONS`."""
    values: Mapping[str, pulumi.Input[str]] = {"vaultUrl": config.url, "vaultAddress": server.address}
    for name in DESCRIPTIONS:
        pulumi.export(name, values[name])
