"""The site's own Vault: OpenBao on a VM, which serves all environments of the site."""

import sys
from pathlib import Path

# Pulumi adds only the project's directory to the path, but the packages are in its parent.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pulumi

from components.immutable_keys import ImmutableKeys
from components.network import Network
from components.vault_server import VaultServer
from config import loader
from config.vault_stack import VaultStackConfig
from probes import openstack_connection, vault_server_preflight
from program import openstack_arguments, vault_arguments, vault_outputs
from program.duplicates import refuse_duplicates
from program.errors import raise_if_fatal, user_errors
from program.options import openstack_options


def main() -> None:
    """Check the configuration, and create the Vault."""
    config = loader.load(pulumi.Config(), VaultStackConfig)
    refuse_duplicates(config.cloud, directory="vault")
    raise_if_fatal(vault_server_preflight.check(config, pulumi.get_stack()))
    location = openstack_connection.locate(config.cloud, config.project)
    verified = ImmutableKeys("created-with", vault_arguments.immutable_keys(config, location)).verified
    openstack = openstack_options(config.cloud, location.region, verified, directory="vault")
    network = Network("network", openstack_arguments.network(config.network), openstack)
    server = VaultServer("vault", vault_arguments.vault_server(config, network), openstack)
    vault_outputs.export(config, server)


with user_errors():
    main()
