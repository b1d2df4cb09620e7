"""Magnum driver that behaves like magnum-capi-helm: servers of an image that contains Kubernetes.

The control plane runs as processes on this host, instead of on the masters. Sources: `magnum_capi_helm/driver.py`,
cluster-api-provider-openstack for resources in OpenStack.
"""

import re
from typing import Any

from magnum.api import utils as api_utils
from magnum.common import clients, short_id
from magnum.conductor import utils as conductor_utils
from magnum.objects.fields import ClusterStatus

from rsp_sandbox_drivers import helm_values, security_groups
from rsp_sandbox_drivers.api_load_balancer import ApiLoadBalancer
from rsp_sandbox_drivers.base import SandboxDriver, set_status
from rsp_sandbox_drivers.description import describe
from rsp_sandbox_drivers.directory import Directory
from rsp_sandbox_drivers.stack import Stack

CLUSTER_NAME_LIMIT = 30
"""Number of characters of the cluster's name in the name of its Helm release."""


class MachineStack(Stack):
    """Resources with the names and rules of cluster-api-provider-openstack."""

    def security_group_names(self) -> dict[str, str]:
        """Return the names of its managed security groups."""
        name = _name(self._cluster)
        return {role: f"k8s-cluster-{name}-{suffix}" for role, suffix in security_groups.CLUSTER_API_SUFFIXES.items()}

    def security_group_rules(self, ids: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
        """Return the rules of the managed security groups."""
        labels = helm_values.merged_labels(self._template.labels, self._cluster.labels)
        return security_groups.cluster_api_rules(ids, helm_values.load_balancers(labels).provider)

    def image(self, group: Any) -> str:  # noqa: ARG002 -- all node groups have the same
        """Return the image of the cluster's template: another one replaces all nodes."""
        return self._template.image_id


class Driver(SandboxDriver):
    """Clusters of images with the properties `os_distro` and `kube_version`."""

    stack_class = MachineStack

    @property
    def provides(self) -> list[dict[str, str]]:
        """The server types, operating systems and COEs of the templates that use this driver."""
        return [{"server_type": "vm", "os": name, "coe": "kubernetes"} for name in ("ubuntu", "flatcar")]

    def create_cluster(self, context: Any, cluster: Any, cluster_create_timeout: int) -> None:  # noqa: ARG002
        """Check flavors and image, and set the name of the Helm release; the periodic task creates the resources.

        Raises:
            RejectedError: A flavor is too small, or the image has no release.
        """
        _check_flavors(context, cluster.nodegroups)
        base = re.sub(r"[^a-z0-9]+", "-", cluster.name.lower())[:CLUSTER_NAME_LIMIT]
        cluster.stack_id = f"{base}-{short_id.generate_id()}".lower()
        _kubernetes_version(context, conductor_utils.retrieve_cluster_template(context, cluster))

    def upgrade_cluster(  # noqa: PLR0913, PLR0917 -- Magnum's signature
        self,
        context: Any,
        cluster: Any,
        cluster_template: Any,
        max_batch_size: int,  # noqa: ARG002
        nodegroup: Any,  # noqa: ARG002 -- the driver always upgrades all
        scale_manager: Any = None,  # noqa: ARG002
        rollback: bool = False,  # noqa: ARG002
    ) -> None:
        """Move the cluster to the template, whose image all node groups get, also one of an older release.

        The cluster keeps its labels, which override the new template's, and its flavors and keypair.

        Raises:
            RejectedError: A flavor is too small, or the image has no release.
        """
        _check_flavors(context, cluster.nodegroups)
        cluster.cluster_template_id = cluster_template.uuid
        cluster.save()
        for group in cluster.nodegroups:
            set_status(group, ClusterStatus.UPDATE_IN_PROGRESS)
        _kubernetes_version(context, cluster_template)

    def update_cluster(self, *_: Any, **__: Any) -> None:
        """Refuse another number of default workers, like magnum-capi-helm up to 1.3.0; `resize_cluster` is the way.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("Updating a cluster in this way is not currently supported")

    def create_nodegroup(self, context: Any, cluster: Any, nodegroup: Any) -> None:
        """Check the flavor, and set the node group's stack id.

        Raises:
            RejectedError: The flavor is too small.
        """
        _check_flavors(context, [nodegroup])
        super().create_nodegroup(context, cluster, nodegroup)

    def start_kubernetes(self, context: Any, cluster: Any, template: Any, stack: Stack) -> None:
        """Create the API's load balancer, start the control plane, and register nodes and StorageClasses.

        Raises:
            Exception: The release is not available, or a request is refused.
        """
        release = _kubernetes_version(context, template)
        labels = helm_values.merged_labels(template.labels, cluster.labels)
        options = helm_values.load_balancers(labels)
        masters = [stack.address(server) for server in stack.nodes(cluster.default_ng_master)]
        balancer = ApiLoadBalancer(stack.context, _name(cluster))
        balancer.ensure(stack.network, options, helm_values.api(labels), masters)
        directory = Directory(cluster.uuid)
        types = [each.name for each in clients.OpenStackClients(stack.context).cinder().volume_types.list()]
        classes = helm_values.storage_classes(labels, types)
        directory.write(context, cluster, describe(stack, cluster, release, options, classes))
        cluster.api_address = directory.up()
        cluster.coe_version = release

    def delete_api(self, context: Any, cluster: Any) -> None:
        """Delete the API's load balancer and its floating IP."""
        ApiLoadBalancer(context, _name(cluster)).delete()


def _name(cluster: Any) -> str:
    """Return the cluster's namespace and name in Cluster API, as the names of resources contain them."""
    return f"magnum-{cluster.project_id}-{cluster.stack_id}"


def _check_flavors(context: Any, groups: list[Any]) -> None:
    flavors = {
        key: flavor
        for flavor in clients.OpenStackClients(context).nova().flavors.list()
        for key in (flavor.id, flavor.name)
    }
    for group in groups:
        flavor = flavors[group.flavor_id]
        helm_values.check_flavor(group.flavor_id, flavor.vcpus, flavor.ram)


def _kubernetes_version(context: Any, template: Any) -> str:
    """Return the release of the template's image with a leading v."""
    images = clients.OpenStackClients(context).glance().images
    image = api_utils.get_openstack_resource(images, template.image_id, "images")
    return f"v{helm_values.kubernetes_version(image.id, image.get('kube_version'))}"
