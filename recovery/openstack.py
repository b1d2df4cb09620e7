"""Find the OpenStack resources of this program by the rules of Terraform's provider."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from config.cloud import Cloud
from config.resource_types import CLUSTER, NODE_GROUP
from probes import magnum_api, openstack_api, openstack_connection
from recovery.document import Inputs
from recovery.finder import Finder, Found, wait_for_status

if TYPE_CHECKING:
    from openstack.connection import Connection

_CLUSTER_MINUTES, _SERVER_MINUTES, _RECORD_MINUTES, _BALANCER_MINUTES, _SHARE_MINUTES = 90, 30, 10, 10, 10
_BALANCER_GONE = ("DELETED", "PENDING_DELETE")
_RULE_FIELDS = {
    "direction": "direction",
    "ethertype": "ether_type",
    "protocol": "protocol",
    "portRangeMin": "port_range_min",
    "portRangeMax": "port_range_max",
    "remoteIpPrefix": "remote_ip_prefix",
    "remoteGroupId": "remote_group_id",
}


def connect(settings: Inputs) -> "Connection":
    """Connect with the settings of Pulumi's provider; like it, take the credentials from clouds.yaml.

    Raises:
        LoginError: As `openstack_connection.connect_as_provider`.
    """
    cloud = Cloud(name=settings["cloud"], region=settings.get("region"))
    return openstack_connection.connect_as_provider(cloud, timeout=openstack_connection.PATIENT_TIMEOUT)


def _ids(found: Iterable[Any], inputs: Inputs) -> Iterator[Found]:
    for each in found:
        if not str(getattr(each, "status", "")).lower().startswith("delet"):
            yield Found(str(each.id), difference=_difference(each, inputs))


def _difference(found: Any, inputs: Inputs) -> str:
    """Compare the description, which has the name of the stack; not every type or resource has one."""
    wanted = inputs.get("description")
    actual = getattr(found, "description", None) or ""
    return "" if not wanted or actual == wanted else f"its description differs: it is {actual!r}, expected {wanted!r}"


def _named(kind: str) -> Callable[["Connection", Inputs], Iterable[Found]]:
    """Return a function that lists a kind of Neutron resource by name in this project."""

    def find(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
        listed = getattr(connection.network, kind)(name=inputs["name"], project_id=connection.current_project_id)
        return _ids(listed, inputs)

    return find


def _in_network(kind: str) -> Callable[["Connection", Inputs], Iterable[Found]]:
    """Return a function that lists a kind of Neutron resource by name in the network of the inputs."""

    def find(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
        listed = getattr(connection.network, kind)(name=inputs["name"], network_id=inputs["networkId"])
        return _ids(listed, inputs)

    return find


def _interfaces(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    """Yield the router's port in the subnet, of which there is at most one."""
    subnet = inputs["subnetId"]
    for port in connection.network.ports(device_id=inputs["routerId"]):
        # Neutron adds another port to each subnet of a distributed router.
        snat = port.device_owner == "network:router_centralized_snat"
        if not snat and any(address["subnet_id"] == subnet for address in port.fixed_ips):
            yield Found(port.id)


def _routes(connection: "Connection", inputs: Inputs) -> Iterator[Found]:
    """Yield the subnet's route to the destination, of which there is at most one for a next hop."""
    subnet, destination, hop = inputs["subnetId"], inputs["destinationCidr"], inputs["nextHop"]
    if {"destination": destination, "nexthop": hop} in connection.network.get_subnet(subnet).host_routes:
        yield Found(f"{subnet}-route-{destination}-{hop}")


def _rules(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    """Yield the rule with the same fields, of which there is at most one: Neutron refuses a duplicate."""
    group = inputs["securityGroupId"]
    for rule in connection.network.security_group_rules(security_group_id=group):
        if all(getattr(rule, field) == inputs.get(key) for key, field in _RULE_FIELDS.items()):
            yield Found(rule.id)


def _remove_default_rules(connection: "Connection", found: Found, inputs: Inputs) -> str:
    """Remove Neutron's default rules, which allow all egress, as the provider does after it has created the group."""
    if inputs.get("deleteDefaultRules"):
        for rule in connection.network.security_group_rules(security_group_id=found.id, direction="egress"):
            if not (rule.protocol or rule.remote_ip_prefix or rule.remote_group_id or rule.port_range_min):
                connection.network.delete_security_group_rule(rule)
    return ""


def _floating_ips(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    """Return the pool's addresses with the same description, as they have no name."""
    pool = connection.network.find_network(inputs["pool"], ignore_missing=False)
    listed = connection.network.ips(floating_network_id=pool.id, project_id=connection.current_project_id)
    wanted = inputs.get("description")
    return _ids((each for each in listed if wanted and each.description == wanted), inputs)


def _volumes(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    listed = connection.block_storage.volumes(name=inputs["name"])
    return _ids((each for each in listed if each.name == inputs["name"]), inputs)


def _available(connection: "Connection", found: Found, inputs: Inputs) -> str:  # noqa: ARG001
    def status() -> str:
        return str(connection.block_storage.get_volume(found.id).status)

    return wait_for_status(status, {"creating", "downloading"}, {"available", "in-use"}, _SERVER_MINUTES)


def _shares(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    manila: Any = connection.shared_file_system
    return _ids((each for each in manila.shares(name=inputs["name"]) if each.name == inputs["name"]), inputs)


def _share_available(connection: "Connection", found: Found, inputs: Inputs) -> str:  # noqa: ARG001
    def status() -> str:
        return str(connection.shared_file_system.get_share(found.id).status)

    return wait_for_status(status, {"creating"}, {"available"}, _SHARE_MINUTES)


def _access_rules(connection: "Connection", inputs: Inputs) -> Iterator[Found]:
    """Yield the share's rule for a client, of which there is at most one."""
    for each in connection.shared_file_system.access_rules(inputs["shareId"]):
        if (each.access_type, each.access_to) == (inputs["accessType"], inputs["accessTo"]):
            yield Found(str(each.id))


def _servers(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    # Nova treats the name as a regular expression.
    listed = connection.compute.servers(name=f"^{re.escape(inputs['name'])}$", details=True)
    found = _ids((each for each in listed if each.name == inputs["name"]), inputs)
    # The provider compares hashes, and replaces a server whose state has the text.
    digest = hashlib.sha1(str(inputs.get("userData", "")).encode(), usedforsecurity=False).hexdigest()
    return (replace(each, outputs={"userData": digest}) if inputs.get("userData") else each for each in found)


def _active(connection: "Connection", found: Found, inputs: Inputs) -> str:  # noqa: ARG001
    def status() -> str:
        return str(connection.compute.get_server(found.id).status)

    return wait_for_status(status, {"BUILD"}, {"ACTIVE"}, _SERVER_MINUTES)


def _containers(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    answer = connection.object_store.head(f"/{inputs['name']}")
    return [Found(inputs["name"])] if openstack_api.exists(answer) else []


def _templates(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    """Yield this project's templates of that name; Magnum also lists public ones of other projects."""
    magnum = connection.container_infrastructure_management
    for each in magnum.cluster_templates():
        if each.name == inputs["name"]:
            # The SDK's template has no project.
            detail = openstack_api.get(magnum, f"/clustertemplates/{each.uuid}")
            if detail is not None and detail.get("project_id") in (None, connection.current_project_id):
                yield Found(each.uuid)


def _clusters(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    """Return all clusters of that name, of which Magnum allows several."""
    listed = connection.container_infrastructure_management.clusters()
    return [
        Found(each.uuid)
        for each in listed
        if each.name == inputs["name"] and not str(each.status).startswith("DELETE_IN")
    ]


def _cluster_created(connection: "Connection", found: Found, inputs: Inputs) -> str:  # noqa: ARG001
    def status() -> str:
        return str(connection.container_infrastructure_management.get_cluster(found.id).status)

    busy = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}
    return wait_for_status(status, busy, {"CREATE_COMPLETE", "UPDATE_COMPLETE"}, _CLUSTER_MINUTES)


def _node_groups(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    """Yield the cluster's node group of that name, of which there is at most one."""
    cluster = inputs["clusterId"]
    for each in magnum_api.node_groups(connection, cluster):
        if each["name"] == inputs["name"]:
            yield Found(f"{cluster}/{each['uuid']}")


def _node_group_created(connection: "Connection", found: Found, inputs: Inputs) -> str:  # noqa: ARG001
    cluster, _, group = found.id.partition("/")

    def status() -> str:
        shown = magnum_api.node_group(connection, cluster, group)
        return str(shown["status"]) if shown else "DELETED"

    return wait_for_status(status, {"CREATE_IN_PROGRESS"}, {"CREATE_COMPLETE", "UPDATE_COMPLETE"}, _CLUSTER_MINUTES)


def _records(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    """Yield the zone's record set of that name and type, of which there is at most one."""
    zone = inputs["zoneId"]
    for each in connection.dns.recordsets(zone, name=inputs["name"], type=inputs["type"]):
        if (each.name, each.type) == (inputs["name"], inputs["type"]):
            yield Found(f"{zone}/{each.id}", difference=_difference(each, inputs))


def _records_active(connection: "Connection", found: Found, inputs: Inputs) -> str:  # noqa: ARG001
    zone, _, record = found.id.partition("/")

    def status() -> str:
        return str(connection.dns.get_recordset(record, zone).status)

    return wait_for_status(status, {"PENDING"}, {"ACTIVE"}, _RECORD_MINUTES)


def _balancers(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    listed = connection.load_balancer.load_balancers(name=inputs["name"], project_id=connection.current_project_id)
    return _ids((each for each in listed if each.provisioning_status not in _BALANCER_GONE), inputs)


def _listeners(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    listed = connection.load_balancer.listeners(name=inputs["name"], load_balancer_id=inputs["loadbalancerId"])
    return _ids(listed, inputs)


def _pools(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    """Yield the listener's pools of that name, as Octavia has no filter for the listener."""
    for each in connection.load_balancer.pools(name=inputs["name"], project_id=connection.current_project_id):
        if any(listener["id"] == inputs["listenerId"] for listener in each.listeners):
            yield Found(each.id)


def _monitors(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    """Yield the monitor of the pool, of which there is at most one."""
    for each in connection.load_balancer.health_monitors(project_id=connection.current_project_id):
        if any(pool["id"] == inputs["poolId"] for pool in each.pools):
            yield Found(each.id)


def _provisioned(kind: str) -> Callable[["Connection", Found, Inputs], str]:
    """Return a function that waits until Octavia has created a resource of a kind."""

    def finish(connection: "Connection", found: Found, inputs: Inputs) -> str:  # noqa: ARG001
        def status() -> str:
            return str(getattr(connection.load_balancer, f"get_{kind}")(found.id).provisioning_status)

        return wait_for_status(status, {"PENDING_CREATE", "PENDING_UPDATE"}, {"ACTIVE"}, _BALANCER_MINUTES)

    return finish


def _application_credentials(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    identity: Any = connection.identity
    listed = identity.application_credentials(connection.current_user_id)
    return [Found(each.id) for each in listed if each.name == inputs["name"]]


def _delete_application_credential(connection: "Connection", found: Found, inputs: Inputs) -> None:  # noqa: ARG001
    identity: Any = connection.identity
    identity.delete_application_credential(connection.current_user_id, found.id)


FINDERS: Mapping[str, Finder["Connection"]] = {
    "openstack:networking/network:Network": Finder(find=_named("networks")),
    "openstack:networking/subnet:Subnet": Finder(find=_in_network("subnets")),
    "openstack:networking/subnetRoute:SubnetRoute": Finder(find=_routes),
    "openstack:networking/router:Router": Finder(find=_named("routers")),
    "openstack:networking/routerInterface:RouterInterface": Finder(find=_interfaces),
    "openstack:networking/secGroup:SecGroup": Finder(find=_named("security_groups"), finish=_remove_default_rules),
    "openstack:networking/secGroupRule:SecGroupRule": Finder(find=_rules),
    "openstack:networking/port:Port": Finder(find=_in_network("ports")),
    "openstack:networking/floatingIp:FloatingIp": Finder(find=_floating_ips),
    "openstack:blockstorage/volume:Volume": Finder(find=_volumes, finish=_available),
    "openstack:sharedfilesystem/share:Share": Finder(find=_shares, finish=_share_available),
    "openstack:sharedfilesystem/shareAccess:ShareAccess": Finder(find=_access_rules),
    "openstack:compute/instance:Instance": Finder(find=_servers, finish=_active),
    "openstack:objectstorage/container:Container": Finder(find=_containers),
    "openstack:containerinfra/clusterTemplate:ClusterTemplate": Finder(find=_templates),
    CLUSTER: Finder(find=_clusters, finish=_cluster_created),
    NODE_GROUP: Finder(find=_node_groups, finish=_node_group_created),
    "openstack:dns/recordSet:RecordSet": Finder(find=_records, finish=_records_active),
    "openstack:loadbalancer/loadBalancer:LoadBalancer": Finder(find=_balancers, finish=_provisioned("load_balancer")),
    "openstack:loadbalancer/listener:Listener": Finder(find=_listeners, finish=_provisioned("listener")),
    "openstack:loadbalancer/pool:Pool": Finder(find=_pools, finish=_provisioned("pool")),
    "openstack:loadbalancer/monitor:Monitor": Finder(find=_monitors, finish=_provisioned("health_monitor")),
    # Only the creation returns the secret, so that of an interrupted one is lost.
    "openstack:identity/applicationCredential:ApplicationCredential": Finder(
        find=_application_credentials, discard=_delete_application_credential
    ),
}
"""Finders by resource type. EC2 credentials cannot be found, as they have no name or description to match."""
