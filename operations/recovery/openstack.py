"""What the OpenStack resources of this program look like in their services, by the rules of Terraform's provider."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from operations.recovery.document import Inputs
from operations.recovery.finder import Finder, Found, settle

if TYPE_CHECKING:
    from openstack.connection import Connection

TIMEOUT = 30
"""Seconds that a service may take for an answer."""

_NODE_GROUPS = {"OpenStack-API-Version": "container-infra 1.9"}
_CLUSTER_MINUTES, _SERVER_MINUTES = 90, 30
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
    """A connection for the settings of Pulumi's provider; credentials come from clouds.yaml, as there.

    Raises:
        openstack.exceptions.SDKException: clouds.yaml has no such cloud.
    """
    import openstack  # noqa: PLC0415  # a second's work that not every command needs

    return openstack.connect(
        cloud=settings.get("cloud"), region_name=settings.get("region"), api_timeout=TIMEOUT, app_name="rsp-recover"
    )


def _ids(found: Iterable[Any]) -> Iterator[Found]:
    return (Found(str(each.id)) for each in found if not str(getattr(each, "status", "")).lower().startswith("delet"))


def _named(kind: str) -> Callable[["Connection", Inputs], Iterable[Found]]:
    """All of a kind in Neutron that have the name, in this project."""

    def find(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
        listed = getattr(connection.network, kind)(name=inputs["name"], project_id=connection.current_project_id)
        return _ids(listed)

    return find


def _in_network(kind: str) -> Callable[["Connection", Inputs], Iterable[Found]]:
    """All of a kind that have the name, in the network that the inputs name."""

    def find(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
        return _ids(getattr(connection.network, kind)(name=inputs["name"], network_id=inputs["networkId"]))

    return find


def _interfaces(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    """The router's leg in the subnet, of which there is at most one."""
    subnet = inputs["subnetId"]
    for port in connection.network.ports(device_id=inputs["routerId"]):
        if any(address["subnet_id"] == subnet for address in port.fixed_ips):
            yield Found(port.id)


def _rules(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    """Neutron refuses a second rule that lets the same through."""
    group = inputs["securityGroupId"]
    for rule in connection.network.security_group_rules(security_group_id=group):
        if all(getattr(rule, field) == inputs.get(key) for key, field in _RULE_FIELDS.items()):
            yield Found(rule.id)


def _without_default_rules(connection: "Connection", found: Found, inputs: Inputs) -> str:
    """Neutron's own rules let everything out: the provider removes them after it has made the group."""
    if inputs.get("deleteDefaultRules"):
        for rule in connection.network.security_group_rules(security_group_id=found.id, direction="egress"):
            if not (rule.protocol or rule.remote_ip_prefix or rule.remote_group_id or rule.port_range_min):
                connection.network.delete_security_group_rule(rule)
    return ""


def _floating_ips(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    """Addresses of the pool with the same description; they have no name."""
    pool = connection.network.find_network(inputs["pool"], ignore_missing=False)
    mine = connection.network.ips(floating_network_id=pool.id, project_id=connection.current_project_id)
    wanted = inputs.get("description")
    return _ids(each for each in mine if wanted and each.description == wanted)


def _volumes(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    return _ids(each for each in connection.block_storage.volumes(name=inputs["name"]) if each.name == inputs["name"])


def _available(connection: "Connection", found: Found, inputs: Inputs) -> str:  # noqa: ARG001
    def status() -> str:
        return str(connection.block_storage.get_volume(found.id).status)

    return settle(status, {"creating", "downloading"}, {"available", "in-use"}, _SERVER_MINUTES)


def _servers(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    # Nova takes the name for a regular expression.
    listed = connection.compute.servers(name=f"^{re.escape(inputs['name'])}$", details=True)
    return _ids(each for each in listed if each.name == inputs["name"])


def _active(connection: "Connection", found: Found, inputs: Inputs) -> str:  # noqa: ARG001
    return settle(lambda: str(connection.compute.get_server(found.id).status), {"BUILD"}, {"ACTIVE"}, _SERVER_MINUTES)


def _attachments(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    """A volume is attached to a server at most once."""
    server = inputs["instanceId"]
    answer = connection.compute.get(f"/servers/{server}/os-volume_attachments")
    for each in answer.json().get("volumeAttachments", []) if answer.ok else []:
        if each["volumeId"] == inputs["volumeId"]:
            yield Found(f"{server}/{each['id']}")


def _attached(connection: "Connection", found: Found, inputs: Inputs) -> str:  # noqa: ARG001
    def status() -> str:
        return str(connection.block_storage.get_volume(inputs["volumeId"]).status)

    return settle(status, {"reserved", "attaching"}, {"in-use"}, _SERVER_MINUTES)


def _containers(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    answer = connection.object_store.head(f"/{inputs['name']}")
    return [Found(inputs["name"])] if answer.ok else []


def _templates(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    listed = connection.container_infrastructure_management.cluster_templates()
    return [Found(each.uuid) for each in listed if each.name == inputs["name"]]


def _clusters(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    """Magnum lets clusters have the same name."""
    listed = connection.container_infrastructure_management.clusters()
    return [
        Found(each.uuid)
        for each in listed
        if each.name == inputs["name"] and not str(each.status).startswith("DELETE_IN")
    ]


def _cluster_made(connection: "Connection", found: Found, inputs: Inputs) -> str:  # noqa: ARG001
    def status() -> str:
        return str(connection.container_infrastructure_management.get_cluster(found.id).status)

    busy = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}
    return settle(status, busy, {"CREATE_COMPLETE", "UPDATE_COMPLETE"}, _CLUSTER_MINUTES)


def _node_group(connection: "Connection", path: str) -> Mapping[str, Any]:
    answer = connection.container_infrastructure_management.get(path, headers=_NODE_GROUPS)
    found: dict[str, Any] = answer.json() if answer.ok else {}
    return found


def _node_groups(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    """The cluster's group of that name, of which there is at most one."""
    cluster = inputs["clusterId"]
    for each in _node_group(connection, f"/clusters/{cluster}/nodegroups").get("nodegroups", []):
        if each["name"] == inputs["name"]:
            yield Found(f"{cluster}/{each['uuid']}")


def _node_group_made(connection: "Connection", found: Found, inputs: Inputs) -> str:  # noqa: ARG001
    cluster, _, group = found.id.partition("/")

    def status() -> str:
        return str(_node_group(connection, f"/clusters/{cluster}/nodegroups/{group}").get("status"))

    return settle(status, {"CREATE_IN_PROGRESS"}, {"CREATE_COMPLETE", "UPDATE_COMPLETE"}, _CLUSTER_MINUTES)


def _application_credentials(connection: "Connection", inputs: Inputs) -> Iterable[Found]:
    identity: Any = connection.identity
    listed = identity.application_credentials(connection.current_user_id)
    return [Found(each.id) for each in listed if each.name == inputs["name"]]


def _drop_application_credential(connection: "Connection", found: Found, inputs: Inputs) -> None:  # noqa: ARG001
    identity: Any = connection.identity
    identity.delete_application_credential(connection.current_user_id, found.id)


FINDERS: Mapping[str, Finder["Connection"]] = {
    "openstack:networking/network:Network": Finder(find=_named("networks")),
    "openstack:networking/subnet:Subnet": Finder(find=_in_network("subnets")),
    "openstack:networking/router:Router": Finder(find=_named("routers")),
    "openstack:networking/routerInterface:RouterInterface": Finder(find=_interfaces),
    "openstack:networking/secGroup:SecGroup": Finder(find=_named("security_groups"), finish=_without_default_rules),
    "openstack:networking/secGroupRule:SecGroupRule": Finder(find=_rules),
    "openstack:networking/port:Port": Finder(find=_in_network("ports")),
    "openstack:networking/floatingIp:FloatingIp": Finder(find=_floating_ips),
    "openstack:blockstorage/volume:Volume": Finder(find=_volumes, finish=_available),
    "openstack:compute/instance:Instance": Finder(find=_servers, finish=_active),
    "openstack:compute/volumeAttach:VolumeAttach": Finder(find=_attachments, finish=_attached),
    "openstack:objectstorage/container:Container": Finder(find=_containers),
    "openstack:containerinfra/clusterTemplate:ClusterTemplate": Finder(find=_templates),
    "openstack:containerinfra/cluster:Cluster": Finder(find=_clusters, finish=_cluster_made),
    "openstack:containerinfra/nodeGroup:NodeGroup": Finder(find=_node_groups, finish=_node_group_made),
    # Nobody has the secret of one that was cut off, and only its creation gives it.
    "openstack:identity/applicationCredential:ApplicationCredential": Finder(
        find=_application_credentials, discard=_drop_application_credential
    ),
}
"""How each type is found. Without EC2 credentials: they have no mark by which one could be told from another."""
