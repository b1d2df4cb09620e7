"""Vault or OpenBao: mounts, policies, AppRole, tokens and secrets of KV version 2."""

from sandbox.engine.adapters import Package
from sandbox.engine.adapters.builtin import ProviderResource
from sandbox.engine.adapters.vault import client, credentials, kv, mounts

PACKAGE = Package(
    name="vault",
    provider=ProviderResource("vault", client.PROPERTIES, faults=client.faults),
    connect=client.Vault,
    resources=(*mounts.RESOURCES, *credentials.RESOURCES, *kv.RESOURCES),
    explain=client.explain,
)
