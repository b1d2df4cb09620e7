"""Nova servers, Neutron ports and security groups of one cluster, which would be a Heat stack on a real cloud."""

import contextlib
import functools
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import eventlet
from magnum.api import utils as api_utils
from magnum.common import clients, neutron
from neutronclient.common import exceptions as neutron_errors
from novaclient import exceptions as nova_errors

from rsp_sandbox_drivers import names, security_groups

POLL_SECONDS = 1
PARALLEL = 4
"""Number of concurrent requests; the creation of a server consists mostly of waiting for other services."""
WAIT_SECONDS = 60
"""Time that one pass waits for Nova in seconds; the next pass continues."""


class StackError(Exception):
    """A resource cannot be created as requested; the message becomes the cluster's status reason."""


@dataclass(frozen=True)
class Network:
    """The network of the nodes' ports; `name` is the network's name, all others are ids."""

    id: str
    name: str
    subnet_id: str
    external_id: str


@dataclass(frozen=True)
class Kind:
    """Common properties of a node group's servers."""

    image_id: str
    flavor_id: str
    security_group_id: str
    zone: str | None


class Stack:
    """The resources of one cluster in its tenant's project.

    Args:
        context: Magnum context: the tenant's, or one of the cluster's trust.
        cluster: Magnum cluster object.
        template: Magnum cluster template object.
    """

    def __init__(self, context: Any, cluster: Any, template: Any) -> None:
        self._context = context
        self._cluster = cluster
        self._template = template
        self._clients = clients.OpenStackClients(context)
        self._nova = self._clients.nova()
        self._neutron = self._clients.neutron()
        self._labels = cluster.labels or {}

    @functools.cached_property
    def network(self) -> Network:
        """The cluster's network, from `fixed_network` and `fixed_subnet`.

        Raises:
            StackError: The cluster has no network, or it does not exist.
        """
        cluster = self._cluster
        if not (cluster.fixed_network and cluster.fixed_subnet):
            raise StackError("fixed_network and fixed_subnet: set both in the cluster or its template")
        found = self._neutron.list_networks()["networks"]
        network = next((one for one in found if cluster.fixed_network in (one["id"], one["name"])), None)
        if network is None:
            raise StackError(f"fixed_network: network {cluster.fixed_network!r} does not exist")
        return Network(
            id=network["id"],
            name=network["name"],
            subnet_id=neutron.get_fixed_subnet_id(self._context, cluster.fixed_subnet),
            external_id=neutron.get_external_network_id(self._context, self._template.external_network_id),
        )

    def nodes(self, group: Any) -> list[Any]:
        """Return the Nova servers of a node group by index."""
        prefix = self._prefix(group)
        found = self._nova.servers.list(search_opts={"name": f"^{prefix}", **self._scope()})
        exact = re.compile(re.escape(prefix) + r"\d+")
        return sorted(
            (server for server in found if exact.fullmatch(server.name)),
            key=lambda server: names.index_of(server.name),
        )

    def match(self, groups: list[Any]) -> bool:
        """Create and delete servers until each node group has the requested number.

        Returns:
            True if all servers are ACTIVE; False if another pass is needed.

        Raises:
            StackError: A server cannot be created.
        """
        security_groups_by_role = self._ensure_security_groups()
        surplus, missing = [], []
        for group in groups:
            servers = self.nodes(group)
            surplus += servers[group.node_count :]
            if len(servers) < group.node_count:
                kind = self._kind(group, security_groups_by_role)
                indexes = [names.index_of(server.name) for server in servers]
                while len(indexes) < group.node_count:
                    indexes.append(names.next_index(indexes))
                    missing.append((f"{self._prefix(group)}{indexes[-1]}", kind))
        self._delete(surplus)
        _side_by_side(self._create, missing)
        return self._wait_until_active(groups)

    def remove(self, group: Any, nodes: list[str]) -> None:
        """Delete nodes of a group by server id, name or index (Magnum's `nodes_to_remove`)."""
        wanted = set(nodes)
        self._delete(
            [
                server
                for server in self.nodes(group)
                if wanted & {server.id, server.name, str(names.index_of(server.name))}
            ]
        )

    def delete_groups(self, groups: list[Any]) -> None:
        """Delete the servers and ports of node groups, including ports without a server."""
        self._delete([server for group in groups for server in self.nodes(group)])
        for group in groups:
            self._delete_ports(self._prefix(group))

    def delete(self) -> None:
        """Delete all resources."""
        self.delete_groups(list(self._cluster.nodegroups))
        for resource in (security_groups.WORKER, security_groups.MASTER):
            for group in self._neutron.list_security_groups(name=self._group_name(resource))["security_groups"]:
                self._neutron.delete_security_group(group["id"])

    def address(self, server: Any) -> str:
        """Return a server's fixed address."""
        every = [address for network in server.addresses.values() for address in network]
        return next(address["addr"] for address in every if address["OS-EXT-IPS:type"] == "fixed")

    def flavor(self, group: Any) -> Any:
        """Return the Nova flavor of a node group, which refers to it by id or name.

        Raises:
            StackError: The flavor does not exist.
        """
        for flavor in self._nova.flavors.list():
            if group.flavor_id in (flavor.id, flavor.name):
                return flavor
        raise StackError(f"{group.name}: flavor {group.flavor_id!r} does not exist")

    def _prefix(self, group: Any) -> str:
        group_name = None if group.is_default else group.name
        stack = names.stack_name(self._cluster.name, group.stack_id or self._cluster.stack_id, group_name)
        return names.server_prefix(stack, group.role)

    def _group_name(self, resource: str) -> str:
        stack_id = self._cluster.stack_id
        return names.security_group_name(names.stack_name(self._cluster.name, stack_id), stack_id, resource)

    def _pod_cidr(self) -> str:
        return security_groups.pod_cidr(self._template.network_driver, self._labels)

    def _scope(self) -> dict[str, Any]:
        """Return search options for Nova, which shows administrators only their own project by default."""
        if not self._context.is_admin:
            return {}
        return {"all_tenants": True, "project_id": self._cluster.project_id}

    def _ensure_security_groups(self) -> dict[str, str]:
        """Create the two groups and their rules if necessary, and return the groups' ids by node role."""
        master = self._ensure_group(security_groups.MASTER)
        worker = self._ensure_group(security_groups.WORKER)
        self._ensure_rules(master, security_groups.master_rules())
        self._ensure_rules(worker, security_groups.worker_rules(master, worker, self._pod_cidr()))
        return {"master": master, "worker": worker}

    def _ensure_group(self, resource: str) -> str:
        name = self._group_name(resource)
        found = self._neutron.list_security_groups(name=name)["security_groups"]
        if not found:
            found = [self._neutron.create_security_group({"security_group": {"name": name}})["security_group"]]
        return found[0]["id"]

    def _ensure_rules(self, group_id: str, rules: list[dict[str, Any]]) -> None:
        standing = self._neutron.list_security_group_rules(security_group_id=group_id)["security_group_rules"]
        missing = security_groups.missing(rules, standing)
        if missing:
            bodies = [{**rule, "security_group_id": group_id} for rule in missing]
            self._neutron.create_security_group_rule({"security_group_rules": bodies})

    def _kind(self, group: Any, security_groups_by_role: dict[str, str]) -> Kind:
        return Kind(
            image_id=api_utils.get_openstack_resource(self._clients.glance().images, group.image_id, "images").id,
            flavor_id=self.flavor(group).id,
            security_group_id=security_groups_by_role["master" if group.role == "master" else "worker"],
            zone=(group.labels or {}).get("availability_zone"),
        )

    def _create(self, name: str, kind: Kind) -> None:
        try:
            nics = [{"port-id": self._ensure_port(name, kind.security_group_id)}]
            self._nova.servers.create(name, kind.image_id, kind.flavor_id, nics=nics, availability_zone=kind.zone)
        except (nova_errors.ClientException, neutron_errors.NeutronClientException) as error:
            raise StackError(f"{name}: {error}") from error

    def _ensure_port(self, server_name: str, security_group_id: str) -> str:
        name, network = f"{server_name}-eth0", self.network
        found = self._neutron.list_ports(name=name, network_id=network.id)["ports"]
        if found:
            return found[0]["id"]
        port = {
            "name": name,
            "network_id": network.id,
            "fixed_ips": [{"subnet_id": network.subnet_id}],
            "security_groups": [security_group_id],
            "allowed_address_pairs": [{"ip_address": self._pod_cidr()}],
        }
        return self._neutron.create_port({"port": port})["port"]["id"]

    def _wait_until_active(self, groups: list[Any]) -> bool:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            servers = [server for group in groups for server in self.nodes(group)]
            for server in servers:
                if server.status == "ERROR":
                    fault = getattr(server, "fault", {}).get("message", "Nova reports no reason")
                    raise StackError(f"{server.name}: {fault}")
            wanted = sum(group.node_count for group in groups)
            # Nova reports a server's addresses shortly after the status ACTIVE.
            if len(servers) == wanted and all(server.status == "ACTIVE" and server.addresses for server in servers):
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)

    def _delete(self, servers: list[Any]) -> None:
        for server in servers:
            with contextlib.suppress(nova_errors.NotFound):
                self._nova.servers.delete(server.id)
        deadline = time.monotonic() + WAIT_SECONDS
        for server in servers:
            while self._exists(server.id):
                if time.monotonic() > deadline:
                    raise StackError(f"{server.name}: Nova has not deleted the server within {WAIT_SECONDS} s")
                time.sleep(POLL_SECONDS)
            self._delete_ports(f"{server.name}-")

    def _exists(self, server_id: str) -> bool:
        try:
            self._nova.servers.get(server_id)
        except nova_errors.NotFound:
            return False
        return True

    def _delete_ports(self, prefix: str) -> None:
        for port in self._neutron.list_ports(tenant_id=self._cluster.project_id)["ports"]:
            if port["name"].startswith(prefix):
                self._neutron.delete_port(port["id"])


def _side_by_side(function: Callable[..., None], arguments: list[tuple[Any, ...]]) -> None:
    """Call a function with each of the argument lists, several concurrently, and raise the first error."""
    pool = eventlet.GreenPool(PARALLEL)
    for done in [pool.spawn(function, *each) for each in arguments]:
        done.wait()
