"""OpenStack: each service's resource types in a module of its own."""

from sandbox.engine.adapters import Package
from sandbox.engine.adapters.builtin import ProviderResource
from sandbox.engine.adapters.openstack import (
    blockstorage,
    client,
    compute,
    containerinfra,
    functions,
    identity,
    networking,
    objectstorage,
)

PACKAGE = Package(
    name="openstack",
    provider=ProviderResource("openstack", client.PROPERTIES),
    connect=client.OpenStack,
    resources=(
        *networking.RESOURCES,
        *blockstorage.RESOURCES,
        *compute.RESOURCES,
        *containerinfra.RESOURCES,
        *objectstorage.RESOURCES,
        *identity.RESOURCES,
    ),
    functions=functions.FUNCTIONS,
    explain=client.explain,
)
