"""OpenStack: each service's resource types in a module of its own."""

from sandbox.engine.adapters import Package
from sandbox.engine.adapters.builtin import ProviderResource
from sandbox.engine.adapters.openstack import (
    addresses,
    blockstorage,
    client,
    clusters,
    compute,
    containerinfra,
    functions,
    identity,
    instances,
    networking,
    objectstorage,
    security_groups,
)

PACKAGE = Package(
    name="openstack",
    provider=ProviderResource("openstack", client.PROPERTIES),
    connect=client.OpenStack,
    resources=(
        *networking.RESOURCES,
        *security_groups.RESOURCES,
        *addresses.RESOURCES,
        *blockstorage.RESOURCES,
        *instances.RESOURCES,
        *compute.RESOURCES,
        *containerinfra.RESOURCES,
        *clusters.RESOURCES,
        *objectstorage.RESOURCES,
        *identity.RESOURCES,
    ),
    functions=functions.FUNCTIONS,
    explain=client.explain,
)
