import pulumi
import pulumi_openstack as openstack

from components.network import Network


def on_cloud() -> pulumi.ResourceOptions:
    """Return options with a provider of OpenStack."""
    return pulumi.ResourceOptions(providers=[openstack.Provider("cloud", cloud="test-cloud")])


class GivenNetwork(Network):
    """An existing network, with IDs but without resources."""

    def __init__(self) -> None:
        self.network_id = pulumi.Output.from_input("network-id")
        self.subnet_id = pulumi.Output.from_input("subnet-id")
        self.external_network_id = pulumi.Output.from_input("external-id")
        self.cidr = "10.20.0.0/24"
