"""The site's own Vault: OpenBao on a VM, before any platform and for all of them."""

import sys
from pathlib import Path

# Pulumi puts a project's own folder on the path only; the packages are those of the repository, one folder above.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pulumi
from pulumi import ResourceOptions

from components.network import Network
from components.vault_server import VaultServer
from config import loader
from config.vault_stack import VaultStackConfig
from probes import vault_server_preflight
from program import arguments, vault_outputs
from program.duplicates import guard
from program.errors import raise_if_fatal, user_errors
from program.providers import openstack_provider


def main() -> None:
    """Compose the Vault; all problems that can be known are reported before the first resource is registered."""
    config = loader.load(pulumi.Config(), VaultStackConfig)
    guard(config.cloud, directory="vault")
    raise_if_fatal(vault_server_preflight.check(config))
    openstack = ResourceOptions(providers=[openstack_provider(config.cloud)])
    network = Network("network", arguments.network(config.network), openstack)
    server = VaultServer("vault", arguments.vault_server(config, network), openstack)
    vault_outputs.export(config, server)


with user_errors():
    main()
