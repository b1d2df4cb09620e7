"""Magnum driver that behaves like the Heat driver (`k8s_fedora_coreos_v1`), as far as the sandbox can.

Servers, ports, security groups and floating IPs are created as by Magnum's Heat templates. Then the creation fails, as
the sandbox has no release of Kubernetes that the real driver could install.
"""

from typing import Any

from magnum.common import exception
from neutronclient.common import exceptions as neutron_errors
from oslo_utils import uuidutils

from rsp_sandbox_drivers import hyperkube, names, security_groups
from rsp_sandbox_drivers.base import SandboxDriver
from rsp_sandbox_drivers.stack import Stack, StackError


class HeatStack(Stack):
    """Resources with the names and rules of Magnum's `kubecluster.yaml`."""

    def security_group_names(self) -> dict[str, str]:
        """Return the names that Heat gives to resources without a name."""
        stack_id = self._cluster.stack_id
        stack = names.stack_name(self._cluster.name, stack_id)
        return {
            role: names.security_group_name(stack, stack_id, resource)
            for role, resource in security_groups.HEAT_RESOURCES.items()
        }

    def security_group_rules(self, ids: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
        """Return the rules of the template, which open nodes' ports to the world."""
        return security_groups.heat_rules(ids, self._pod_cidr())

    def image(self, group: Any) -> str:
        """Return the image that the node group was created with."""
        return group.image_id

    def address_pairs(self) -> list[dict[str, str]]:
        """Return the Pod CIDR."""
        return [{"ip_address": self._pod_cidr()}]

    def associate_floating_ips(self) -> None:
        """Create a floating IP for each node, as `enable_floating_ip.yaml` does for masters and workers.

        Raises:
            StackError: Neutron refuses it, for example because of the quota.
        """
        for group in self._cluster.nodegroups:
            for server in self.nodes(group):
                for port in self._neutron.list_ports(device_id=server.id)["ports"]:
                    if not self._neutron.list_floatingips(port_id=port["id"])["floatingips"]:
                        self._associate(port["id"])

    def _associate(self, port_id: str) -> None:
        body = {"floating_network_id": self.network.external_id, "port_id": port_id}
        try:
            self._neutron.create_floatingip({"floatingip": body})
        except neutron_errors.NeutronClientException as error:
            raise StackError(f"Resource CREATE failed: {error}") from error

    def _pod_cidr(self) -> str:
        return security_groups.pod_cidr(self._template.network_driver, self._cluster.labels or {})


class Driver(SandboxDriver):
    """Clusters of Fedora CoreOS images."""

    stack_class = HeatStack

    @property
    def provides(self) -> list[dict[str, str]]:
        """The server type, operating system and COE of the templates that use this driver."""
        return [{"server_type": "vm", "os": "fedora-coreos", "coe": "kubernetes"}]

    def create_cluster(self, context: Any, cluster: Any, cluster_create_timeout: int) -> None:  # noqa: ARG002
        """Set the cluster's stack id; Magnum saves it, and the periodic task creates the resources."""
        cluster.stack_id = uuidutils.generate_uuid()

    def upgrade_cluster(self, *_: Any, **__: Any) -> None:
        """Refuse, like Magnum's `FedoraKubernetesDriver.upgrade_cluster` since 2024.1.

        Raises:
            NotSupported: Always.
        """
        raise exception.NotSupported(operation="Upgrading a cluster that uses the Magnum Heat driver")

    def start_kubernetes(self, context: Any, cluster: Any, template: Any, stack: Stack) -> None:  # noqa: ARG002
        """Fail with the reason that the kubelet's image cannot be pulled.

        Raises:
            StackError: Always.
        """
        if cluster.floating_ip_enabled and isinstance(stack, HeatStack):
            stack.associate_floating_ips()
        raise StackError(hyperkube.failure(cluster.labels or {}))
