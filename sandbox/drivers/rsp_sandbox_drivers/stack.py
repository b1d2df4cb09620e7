"""Nova servers, Neutron ports and security groups of one cluster."""

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
from rsp_sandbox_drivers.security_groups import MASTER, WORKER

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
    """The resources of one cluster in its tenant's project; a subclass has the rules of a driver.

    Args:
        context: Magnum context: the tenant's, or one of the cluster's trust.
        cluster: Magnum cluster object.
        template: Magnum cluster template object.
    """

    def __init__(self, context: Any, cluster: Any, template: Any) -> None:
        self.context = context
        self._cluster = cluster
        self._template = template
        self._clients = clients.OpenStackClients(context)
        self._nova = self._clients.nova()
        self._neutron = self._clients.neutron()

    def security_group_names(self) -> dict[str, str]:
        """Return the names of the security groups of `MASTER` and `WORKER`."""
        raise NotImplementedError

    def security_group_rules(self, ids: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
        """Return the ingress rules of `MASTER` and `WORKER`, given the ids of these security groups."""
        raise NotImplementedError

    def image(self, group: Any) -> str:
        """Return the name or id of the image of a node group's servers."""
        raise NotImplementedError

    def address_pairs(self) -> list[dict[str, str]]:
        """Return the `allowed_address_pairs` of the servers' ports."""
        return []

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
            subnet_id=neutron.get_fixed_subnet_id(self.context, cluster.fixed_subnet),
            external_id=neutron.get_external_network_id(self.context, self._template.external_network_id),
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
        """Create and delete servers until each node group has the requested number with the requested image.

        Returns:
            True if all servers are ACTIVE; False if another pass is needed.

        Raises:
            StackError: A server cannot be created.
        """
        security_group_ids = self._ensure_security_groups()
        kinds = {group.uuid: self._kind(group, security_group_ids) for group in groups}
        surplus, missing, outdated = [], [], []
        for group in groups:
            kind, servers = kinds[group.uuid], self.nodes(group)
            current = [server for server in servers if server.image["id"] == kind.image_id]
            outdated += [server for server in servers if server not in current]
            surplus += current[group.node_count :]
            indexes = [names.index_of(server.name) for server in servers]
            for _ in range(group.node_count - len(current)):
                indexes.append(names.next_index(indexes))
                missing.append((f"{self._prefix(group)}{indexes[-1]}", kind))
        self._delete(surplus)
        _side_by_side(self._create, missing)
        if not self._wait_until_active(groups, {server.id for server in outdated}):
            return False
        self._delete(outdated)
        return True

    def delete_groups(self, groups: list[Any]) -> None:
        """Delete the servers and ports of node groups, including ports without a server."""
        self._delete([server for group in groups for server in self.nodes(group)])
        for group in groups:
            self._delete_ports(self._prefix(group))

    def delete(self) -> None:
        """Delete all resources."""
        self.delete_groups(list(self._cluster.nodegroups))
        for name in self.security_group_names().values():
            for group in self._neutron.list_security_groups(name=name)["security_groups"]:
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

    def _scope(self) -> dict[str, Any]:
        """Return search options for Nova, which shows administrators only their own project by default."""
        if not self.context.is_admin:
            return {}
        return {"all_tenants": True, "project_id": self._cluster.project_id}

    def _ensure_security_groups(self) -> dict[str, str]:
        """Create the two groups and their rules if necessary, and return the groups' ids."""
        ids = {role: self._ensure_group(name) for role, name in self.security_group_names().items()}
        for role, rules in self.security_group_rules(ids).items():
            self._ensure_rules(ids[role], rules)
        return ids

    def _ensure_group(self, name: str) -> str:
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

    def _kind(self, group: Any, security_group_ids: dict[str, str]) -> Kind:
        return Kind(
            image_id=api_utils.get_openstack_resource(self._clients.glance().images, self.image(group), "images").id,
            flavor_id=self.flavor(group).id,
            security_group_id=security_group_ids[MASTER if group.role == "master" else WORKER],
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
            "allowed_address_pairs": self.address_pairs(),
        }
        return self._neutron.create_port({"port": port})["port"]["id"]

    def _wait_until_active(self, groups: list[Any], outdated: set[str]) -> bool:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            servers = [server for group in groups for server in self.nodes(group) if server.id not in outdated]
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
                for floating in self._neutron.list_floatingips(port_id=port["id"])["floatingips"]:
                    self._neutron.delete_floatingip(floating["id"])
                self._neutron.delete_port(port["id"])


def _side_by_side(function: Callable[..., None], arguments: list[tuple[Any, ...]]) -> None:
    """Call a function with each of the argument lists, several concurrently, and raise the first error."""
    pool = eventlet.GreenPool(PARALLEL)
    for done in [pool.spawn(function, *each) for each in arguments]:
        done.wait()
