"""The Octavia load balancer of the Kubernetes API, as cluster-api-provider-openstack creates it.

No packet reaches it: the API server listens on loopback. It has a floating IP, members, and Octavia's and Neutron's
quotas and refusals, as on a real cloud, but no health monitor.
"""

import time
from typing import Any

from magnum.common import clients
from neutronclient.common import exceptions as neutron_errors
from octaviaclient.api import exceptions as octavia_errors

from rsp_sandbox_drivers import helm_values, load_balancers
from rsp_sandbox_drivers.security_groups import API_PORT
from rsp_sandbox_drivers.stack import Network, StackError

WAIT_SECONDS = 60
POLL_SECONDS = 0.5
SERVICE_UNAVAILABLE = 503


class ApiLoadBalancer:
    """The load balancer of one cluster.

    Args:
        context: Magnum context: the tenant's, or one of the cluster's trust.
        name: Name of the cluster in Cluster API, with its namespace: `<namespace>-<cluster>`.
    """

    def __init__(self, context: Any, name: str) -> None:
        osc = clients.OpenStackClients(context)
        self._octavia = osc.octavia()
        self._neutron = osc.neutron()
        self._name = f"k8s-clusterapi-cluster-{name}-kubeapi"
        self._description = f"Created by cluster-api-provider-openstack cluster {name}"

    def ensure(
        self, network: Network, options: helm_values.LoadBalancers, api: helm_values.Api, masters: list[str]
    ) -> None:
        """Create what is missing, and set the members.

        Args:
            network: The nodes' network.
            options: Provider and algorithm.
            api: Floating IP and allowed networks.
            masters: Addresses of the masters.

        Raises:
            StackError: Octavia or Neutron refuses it.
        """
        try:
            balancer = self._ensure_balancer(network, options)
            if api.floating_ip:
                self._ensure_floating_ip(network, balancer["vip_port_id"])
            listener = self._ensure_listener(balancer["id"], api)
            pool = self._ensure_pool(balancer["id"], listener["id"], options)
            self._set_members(balancer["id"], pool["id"], network, masters)
        except neutron_errors.NeutronClientException as error:
            raise StackError(f"load balancer of the Kubernetes API: {error}") from error
        except octavia_errors.OctaviaClientException as error:
            if error.code == SERVICE_UNAVAILABLE:
                raise
            refusal = error
        else:
            return
        # Without a context: Octavia refuses unsupported options with 501, which otherwise counts as a server's failure.
        raise StackError(f"load balancer of the Kubernetes API: {refusal}")

    def delete(self) -> None:
        """Delete the load balancer and its floating IP."""
        found = self._octavia.load_balancer_list(name=self._name)["loadbalancers"]
        for balancer in found:
            for floating in self._neutron.list_floatingips(port_id=balancer["vip_port_id"])["floatingips"]:
                if floating["description"] == self._description:
                    self._neutron.delete_floatingip(floating["id"])
        load_balancers.remove(self._octavia, found)

    def _ensure_balancer(self, network: Network, options: helm_values.LoadBalancers) -> dict[str, Any]:
        found = self._octavia.load_balancer_list(name=self._name)["loadbalancers"]
        if not found:
            body = {
                "name": self._name,
                "description": self._description,
                "vip_subnet_id": network.subnet_id,
                "provider": options.provider,
            }
            found = [self._octavia.load_balancer_create(json={"loadbalancer": body})["loadbalancer"]]
        self._wait(found[0]["id"])
        return found[0]

    def _ensure_floating_ip(self, network: Network, port_id: str) -> None:
        if not self._neutron.list_floatingips(port_id=port_id)["floatingips"]:
            body = {
                "floating_network_id": network.external_id,
                "port_id": port_id,
                "description": self._description,
            }
            self._neutron.create_floatingip({"floatingip": body})

    def _ensure_listener(self, balancer_id: str, api: helm_values.Api) -> dict[str, Any]:
        found = self._octavia.listener_list(load_balancer_id=balancer_id)["listeners"]
        if not found:
            body: dict[str, Any] = {
                "name": f"{self._name}-{API_PORT}",
                "protocol": "TCP",
                "protocol_port": API_PORT,
                "loadbalancer_id": balancer_id,
            }
            if api.allowed_cidrs:
                body["allowed_cidrs"] = list(api.allowed_cidrs)
            found = [self._octavia.listener_create(json={"listener": body})["listener"]]
            self._wait(balancer_id)
        return found[0]

    def _ensure_pool(self, balancer_id: str, listener_id: str, options: helm_values.LoadBalancers) -> dict[str, Any]:
        found = self._octavia.pool_list(loadbalancer_id=balancer_id)["pools"]
        if not found:
            algorithm = "SOURCE_IP_PORT" if options.provider == "ovn" else "ROUND_ROBIN"
            body = {
                "name": f"{self._name}-{API_PORT}",
                "protocol": "TCP",
                "lb_algorithm": algorithm,
                "listener_id": listener_id,
            }
            found = [self._octavia.pool_create(json={"pool": body})["pool"]]
            self._wait(balancer_id)
        return found[0]

    def _set_members(self, balancer_id: str, pool_id: str, network: Network, masters: list[str]) -> None:
        existing = {each["address"]: each["id"] for each in self._octavia.member_list(pool_id)["members"]}
        for address in [each for each in masters if each not in existing]:
            body = {"address": address, "protocol_port": API_PORT, "subnet_id": network.subnet_id}
            self._octavia.member_create(pool_id, json={"member": body})
            self._wait(balancer_id)
        for address in existing.keys() - set(masters):
            self._octavia.member_delete(pool_id, existing[address])
            self._wait(balancer_id)

    def _wait(self, balancer_id: str) -> None:
        """Wait until Octavia accepts the next request for the load balancer.

        Raises:
            StackError: Octavia has failed, or is too slow.
        """
        deadline = time.monotonic() + WAIT_SECONDS
        while (status := self._octavia.load_balancer_show(balancer_id)["provisioning_status"]) != "ACTIVE":
            if status == "ERROR" or time.monotonic() > deadline:
                raise StackError(f"load balancer of the Kubernetes API: {self._name} is {status}")
            time.sleep(POLL_SECONDS)
