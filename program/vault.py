"""The Vault of an environment, whether it is this stack's own or somebody else's."""

from typing import NamedTuple

import pulumi
import pulumi_vault as vault

from components.network import Network
from components.vault_server import VaultServer
from config.stack_config import StackConfig
from phalanx.environment import Environment as PhalanxEnvironment
from program import arguments
from program.providers import vault_provider


class OpenVault(NamedTuple):
    """A Vault that this program can use."""

    url: str
    """Its URL as this program reaches it."""
    provider: vault.Provider
    """What makes resources in it."""
    address: pulumi.Output[str]
    """IPv4 address for its name in the DNS; empty if it is somebody else's."""


def open_vault(
    config: StackConfig,
    target: PhalanxEnvironment,
    network: Network,
    operator_policy: str,
    opts: pulumi.ResourceOptions,
) -> OpenVault:
    """Take the Vault that there is, or make it.

    Args:
        config: The stack configuration.
        target: The Phalanx environment, which has the URL that applications use.
        network: Where a server would stand.
        operator_policy: What this program may do in a Vault of its own, as a policy in HCL.
        opts: Options of the server.
    """
    public_url = target.vault_url.rstrip("/")
    url = config.vault.reached_at(public_url)
    deploy = config.vault.deploy
    if deploy is None:
        return OpenVault(url, vault_provider(url), pulumi.Output.from_input(""))
    args = arguments.vault_server(config, deploy, network, public_url, operator_policy)
    server = VaultServer("vault", args, opts)
    return OpenVault(url, vault_provider(server.url, deploy.operator_password), server.address)
