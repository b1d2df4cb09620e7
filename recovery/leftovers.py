"""Find and delete what a stack's deleted clusters left behind, but nothing that the stack or a living cluster owns."""

import time
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from config.names import cloud_name
from config.resource_types import CLUSTER
from config.stack_config import StackConfig
from phalanx.errors import PhalanxError
from probes.cluster_leftovers import Kind, Leftover, Search, deleted_clusters
from probes.kubernetes_api import KubernetesApi
from probes.openstack_connection import openstack_errors
from recovery.document import kubeconfig, resources
from recovery.pulumi_stack import PulumiStack

if TYPE_CHECKING:
    from openstack.connection import Connection

_SECONDS: Final = 300
"""Time in which Octavia must delete load balancers."""


class LeftoversError(PhalanxError):
    """A cluster exists, or a resource was not deleted."""


def find(connection: "Connection", config: StackConfig, stack: PulumiStack, given: Collection[str]) -> list[Leftover]:
    """Return the resources that a stack's deleted clusters left behind, in the order of their deletion.

    Args:
        connection: Connection to the stack's project.
        config: The stack configuration.
        stack: The stack, whose state has the resources that it owns.
        given: Further deleted clusters, as their resources name them.

    Raises:
        LeftoversError: One of the given clusters exists, or one of the stack's clusters is not in the state.
        PulumiError: The state cannot be read.
        KubernetesError: One of the stack's clusters does not answer, so that its volumes are not known.
        openstack.exceptions.SDKException: A service cannot be reached, or refuses the request.
    """
    clusters = deleted_clusters(connection, cloud_name(stack.name, ""), given)
    if existing := sorted(clusters.given & clusters.living):
        raise LeftoversError(
            f"the cluster {', '.join(existing)} exists: only a deleted cluster leaves resources behind"
        )
    state = resources(stack.export(secrets=True))
    owned = {str(each["id"]) for each in state if each.get("id")}
    claimed = {volume for each in config.clusters.values() for volume in each.claims.values()}
    living = [each for each in state if each["type"] == CLUSTER and each.get("id") in clusters.living]
    kubeconfigs = {each["outputs"]["name"]: kubeconfig(each) for each in living}
    unknown = sorted(clusters.living_names - {name for name, found in kubeconfigs.items() if found})

    def volumes_in_use() -> set[str]:
        if unknown:
            raise LeftoversError(
                f"the cluster {', '.join(unknown)} is not in the state with its kubeconfig, so its volumes are "
                f"not known: run `python -m operations recover -s {stack.name}` first"
            )
        return claimed | {volume for found in kubeconfigs.values() if found for volume in _volumes(found)}

    # A network that others use may have load balancers of their clusters.
    network = None if config.network.adopt else cloud_name(stack.name, "network")
    found = Search(connection, clusters, network, owned, volumes_in_use).run()
    # The cloud controller of an earlier cluster may have created the address that the site keeps.
    kept = str(config.ingress.floating_ip)
    return [each for each in found if each.kind is not Kind.FLOATING_IP or each.name != kept]


def delete(connection: "Connection", leftovers: Sequence[Leftover]) -> Iterator[tuple[Leftover, str]]:
    """Delete resources in the given order.

    Args:
        connection: Connection to their project.
        leftovers: The resources, as by `find`.

    Yields:
        Each resource with the reason if it could not be deleted, otherwise with an empty text.
    """
    balancers = [each for each in leftovers if each.kind is Kind.LOAD_BALANCER]
    for each in leftovers:
        try:
            _delete(connection, each)
            if balancers and each is balancers[-1]:
                # Until they are gone, they use ports and security groups.
                _wait(connection, {balancer.id for balancer in balancers})
        except openstack_errors(LeftoversError) as error:
            yield each, str(error).strip().rstrip(".")
        else:
            yield each, ""


def _delete(connection: "Connection", leftover: Leftover) -> None:
    octavia: Any = connection.load_balancer
    match leftover.kind:
        case Kind.LOAD_BALANCER:
            octavia.delete_load_balancer(leftover.id, cascade=True)
        case Kind.FLOATING_IP:
            connection.network.delete_ip(leftover.id)
        case Kind.PORT:
            connection.network.delete_port(leftover.id)
        case Kind.SECURITY_GROUP:
            connection.network.delete_security_group(leftover.id)
        case Kind.VOLUME:
            connection.block_storage.delete_volume(leftover.id)


def _wait(connection: "Connection", balancers: Collection[str]) -> None:
    octavia: Any = connection.load_balancer
    deadline = time.monotonic() + _SECONDS
    while left := [
        each for each in octavia.load_balancers() if each.id in balancers and each.provisioning_status != "DELETED"
    ]:
        if time.monotonic() > deadline or any(each.provisioning_status == "ERROR" for each in left):
            raise LeftoversError(f"Octavia has not deleted {', '.join(each.id for each in left)}")
        time.sleep(1)


def _volumes(kubeconfig: str) -> Iterator[str]:
    """Yield the IDs of the Cinder volumes that a cluster knows, such as those restored from a deleted cluster."""
    for volume in KubernetesApi(kubeconfig).items("/api/v1/persistentvolumes"):
        if handle := volume["spec"].get("csi", {}).get("volumeHandle"):
            yield handle
        if legacy := volume["spec"].get("cinder", {}).get("volumeID"):
            yield legacy
