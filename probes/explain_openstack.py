"""The reasons why a resource in OpenStack did not become ready.

Each function returns lines of text without secrets; none if the resource can be used, or does not exist. It raises an
``openstack.exceptions.SDKException``, or an exception of keystoneauth, if the service cannot be reached or refuses the
request.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from probes import magnum_api, openstack_api
from probes.namespace_causes import one_line

if TYPE_CHECKING:
    from openstack.connection import Connection

_MESSAGES: Final = {"OpenStack-API-Version": "volume 3.5"}
"""Headers for Cinder's messages of one resource (Cinder's API version history)."""

UPDATE_FAILED: Final = "UPDATE_FAILED"
"""Status in Magnum of a cluster or node group of which an update, resize or upgrade has failed."""

_SERVER_ERROR: Final = "but got 500 instead"
"""What gophercloud, of the provider, says of a response with status 500."""


def explain_volume(connection: "Connection", name: str) -> Iterator[str]:
    """Yield the status of a volume, with Cinder's messages to its user."""
    for each in connection.block_storage.volumes(name=name):
        if each.status not in {"available", "in-use"}:
            yield f"Cinder's volume {each.name}: {each.status}"
            path = f"/messages?resource_uuid={each.id}"
            found = openstack_api.get(connection.block_storage, path, _MESSAGES) or {}
            yield from (f"  {one_line(None, message['user_message'])}" for message in found.get("messages", []))


def explain_share(connection: "Connection", name: str) -> Iterator[str]:
    """Yield the status of a share, with Manila's messages to its user."""
    manila: Any = connection.shared_file_system
    share = next((each for each in manila.shares(name=name) if each.name == name), None)
    if share is not None and share.status != "available":
        yield f"Manila's share {share.name}: {share.status}"
        reasons = [one_line(None, each.user_message) for each in manila.user_messages() if each.resource_id == share.id]
        yield from (f"  {each}" for each in dict.fromkeys(reasons))


def explain_server(connection: "Connection", name: str) -> Iterator[str]:
    """Yield the status of a server, with Nova's reason."""
    # Nova treats the name as a regular expression.
    for listed in connection.compute.servers(name=f"^{re.escape(name)}$", details=False):
        server = connection.compute.get_server(listed.id)
        if server.status != "ACTIVE":
            yield f"Nova's server {server.name}: {one_line(server.status, (server.fault or {}).get('message'))}"


def explain_load_balancer(connection: "Connection", name: str) -> Iterator[str]:
    """Yield the provisioning status of a load balancer; Octavia has no reasons."""
    for each in connection.load_balancer.load_balancers(name=name, project_id=connection.current_project_id):
        if each.provisioning_status != "ACTIVE":
            yield f"Octavia's load balancer {each.name}: provisioning status {each.provisioning_status}"


def explain_cluster(connection: "Connection", cluster: str) -> Iterator[str]:
    """Yield the reasons that Magnum reports for a cluster and its node groups.

    Args:
        connection: Connection to the project.
        cluster: Name or ID of the cluster.
    """
    if found := magnum_api.cluster(connection, cluster):
        yield from _cluster(found)
        yield from _node_groups(connection, found)


def advise_on_cluster(connection: "Connection", cluster: str, error: str) -> Iterator[str]:
    """Yield what helps after a failed request about an existing cluster or its node groups.

    Args:
        connection: Connection to the project.
        cluster: Name or ID of the cluster.
        error: Error of the provider.
    """
    if found := magnum_api.cluster(connection, cluster):
        yield from explain_boot_volume(found.get("labels") or {}, error)
        if found["status"] == UPDATE_FAILED:
            groups = magnum_api.node_groups(connection, found["uuid"])
            yield f"once the cause is removed, {retry_update(found['name'], groups)}"


def retry_update(cluster: str, groups: Iterable[Mapping[str, Any]] = ()) -> str:
    """Return how Magnum tries a failed update again.

    In the status `UPDATE_FAILED`, its conductor allows a resize only, which applies everything again, also with the
    present number of nodes (``allow_update_status`` in magnum/conductor/handlers/cluster_conductor.py).

    Args:
        cluster: Name of the cluster.
        groups: Its node groups in Magnum's API, as far as they are known.
    """
    workers = [each for each in groups if each.get("role") != "master"]
    workers.sort(key=lambda each: (each["status"] != UPDATE_FAILED, not each.get("is_default")))
    group, count = (workers[0]["name"], workers[0]["node_count"]) if workers else ("default-worker", "COUNT")
    return (
        f"`openstack coe cluster resize --nodegroup {group} {cluster} {count}`, with the group's present number of "
        "nodes, lets Magnum try again (docs/howto/on-call.md#an-update-of-the-cluster-has-failed)"
    )


def explain_boot_volume(labels: Mapping[str, str], error: str) -> Iterator[str]:
    """Yield why Magnum 2025.2 fails to answer a request about what has the label ``boot_volume_size``.

    Its releases 21.0.0 and 21.0.1 compare the label, a string, with a number (``validate_flavor_root_volume_size`` in
    magnum/api/attr_validator.py; Launchpad bug 2144473, corrected in 22.0.0 and on stable/2025.2).

    Args:
        labels: Labels of the cluster or template.
        error: Error of the provider.
    """
    if _SERVER_ERROR in error and "boot_volume_size" in labels:
        yield (
            "Magnum 21.0.0 and 21.0.1 (2025.2) answer 500 to each such request with the label boot_volume_size "
            "(rsp:clusters.NAME.bootVolume): if the next run fails in the same way, ask the cloud's administrators for "
            "the correction of Launchpad bug 2144473, or, for a new cluster, to set [cinder] default_boot_volume_size "
            "in magnum.conf, and leave out bootVolume (docs/troubleshooting.md)"
        )


def _cluster(found: Mapping[str, Any]) -> Iterator[str]:
    if not magnum_api.is_complete(found):
        yield f"Magnum's cluster {found['name']}: {one_line(found['status'], found.get('status_reason'))}"
    # With the Heat driver these are the failed resources of its stack, otherwise node groups.
    for name, reason in (found.get("faults") or {}).items():
        if reason and reason not in (found.get("status_reason") or ""):
            yield f"  {name}: {one_line(None, reason)}"


def _node_groups(connection: "Connection", cluster: Mapping[str, Any]) -> Iterator[str]:
    known = f"{cluster.get('status_reason')} {cluster.get('faults')}"
    for group in magnum_api.node_groups(connection, cluster["uuid"]):
        reason = group.get("status_reason")
        if not magnum_api.is_complete(group) and not (reason and reason in known):
            yield f"node group {group['name']}: {one_line(group['status'], reason)}"
