"""Former URNs of resources, by which the engine finds them in stacks that an earlier version has deployed."""

import pulumi
from pulumi import Alias


def of_cluster_services(name: str) -> list[Alias]:
    """Return the alias of a child of the component ``ClusterServices``, which was divided into two.

    Args:
        name: Name of the child after its parent's.
    """
    parent = f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::rsp:index:ClusterServices::services"
    return [Alias(name=f"services-{name}", parent=parent)]
