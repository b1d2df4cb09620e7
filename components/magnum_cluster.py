import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_openstack import containerinfra

from components.cluster_labels import Autoscaling, ClusterFeatures, template_labels
from components.glance_images import newest_id
from config.names import cloud_name

CREATE_TIMEOUT = 90
"""Timeout of the creation of a cluster in minutes."""


@dataclass(frozen=True, kw_only=True)
class NodeGroup:
    """A group of nodes with the same flavor."""

    flavor: str
    """Name of a Nova flavor."""
    count: int
    """Number of nodes; with autoscaling the initial number."""
    autoscaling: Autoscaling | None
    """Autoscaler bounds, or None to disable the autoscaler."""
    labels: Mapping[str, str]
    """Magnum labels that differ from those of the cluster; not supported for default-worker."""


@dataclass(frozen=True, kw_only=True)
class MagnumClusterArgs:
    """Arguments of a `MagnumCluster`."""

    network_id: pulumi.Input[str]
    """ID of the network of the nodes."""
    subnet_id: pulumi.Input[str]
    """ID of the subnet of the nodes, which must be routed to the external network."""
    external_network_id: pulumi.Input[str]
    """ID of the external network of floating IPs."""
    image: str
    """Name or ID of the Glance image of the nodes."""
    features: ClusterFeatures
    """Features that the template's labels describe."""
    master_flavor: str
    """Name of the Nova flavor of the masters."""
    master_count: int
    """Number of masters, which must be odd."""
    workers: NodeGroup
    """Magnum's node group default-worker."""
    node_groups: Mapping[str, NodeGroup]
    """Additional node groups by name."""
    api_load_balancer: bool
    """Whether the API servers are behind a load balancer."""
    keypair: str | None
    """Name of a Nova keypair for the nodes."""
    dns_nameserver: str | None
    """DNS servers of the nodes, separated by commas; Magnum's default if None."""
    protect: bool
    """Whether to protect the cluster: most changes other than upgrades would replace it."""


class MagnumCluster(pulumi.ComponentResource):
    """A Kubernetes cluster in Magnum: cluster template, cluster and additional node groups."""

    cluster_id: pulumi.Output[str]
    """ID of the cluster in Magnum."""
    api_address: pulumi.Output[str]
    """URL of the Kubernetes API."""
    kubeconfig: pulumi.Output[str]
    """Kubeconfig of an administrator (secret). Its certificate is signed once, and expires eventually."""
    access_to_nodes: pulumi.Output[str]
    """The same kubeconfig, once all node groups are as configured; unknown in a preview that would create or replace
    one."""

    def __init__(self, name: str, args: MagnumClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:MagnumCluster", name, None, opts)
        cluster = self._cluster(name, args, self._template(name, args))
        previous: pulumi.Resource = cluster
        # In sequence: Magnum may lose one of two groups that are created at the same time (Launchpad bug 2097946).
        sizes: list[pulumi.Input[object]] = [cluster.cluster_template_id, cluster.node_count]
        for group, nodes in sorted(args.node_groups.items()):
            previous = made = self._node_group(f"{name}-{group}", group, nodes, cluster, previous)
            sizes += [made.id, made.node_count]
        self.cluster_id = cluster.id
        self.api_address = cluster.api_address
        self.kubeconfig = pulumi.Output.secret(cluster.kubeconfig.apply(lambda config: config["raw_config"]))
        self.access_to_nodes = pulumi.Output.all(self.kubeconfig, *sizes).apply(lambda known: str(known[0]))
        self.register_outputs(
            {
                "clusterId": self.cluster_id,
                "apiAddress": self.api_address,
                "kubeconfig": self.kubeconfig,
            },
        )

    def _template(self, name: str, args: MagnumClusterArgs) -> containerinfra.ClusterTemplate:
        return containerinfra.ClusterTemplate(
            f"{name}-template",
            name=template_name(cloud_name(pulumi.get_stack(), name), args),
            coe="kubernetes",
            image=self._image(name, args),
            flavor=args.workers.flavor,
            master_flavor=args.master_flavor,
            keypair_id=args.keypair,
            external_network_id=args.external_network_id,
            fixed_network=args.network_id,
            fixed_subnet=args.subnet_id,
            dns_nameserver=args.dns_nameserver,
            network_driver=args.features.network_driver,
            volume_driver="cinder",
            docker_storage_driver="overlay2",
            # Heat would give one to each node, masters and workers, whose ports are open to the world.
            floating_ip_enabled=False,
            master_lb_enabled=args.api_load_balancer,
            # Labels of the cluster would replace those of the template, and a change of them the cluster.
            labels=template_labels(args.features),
            opts=pulumi.ResourceOptions(
                parent=self,
                # Magnum refuses to change or delete a template in use. A change creates a template with another name,
                # upgrades the cluster to it, and deletes the old template at the end of the run.
                replace_on_changes=["*"],
                # Another image in the configuration is part of another name. What `_image` returns must not replace the
                # template by itself: it is newer after a lost state, and changes while a name is kept.
                ignore_changes=["image"],
            ),
        )

    def _image(self, name: str, args: MagnumClusterArgs) -> pulumi.Output[str]:
        """Return the ID of the image, which stays until another image or release is configured.

        Magnum looks up what a template has at each operation. With a name, each would fail once there is a second image
        of that name, and a resize would replace all nodes once there is another image of it.
        """
        newest = newest_id(args.image, self).apply(lambda image_id: image_id or args.image)
        kept = pulumi.Stash(
            f"{name}-image",
            input=newest,
            opts=pulumi.ResourceOptions(
                parent=self,
                ignore_changes=["input"],
                replacement_trigger=[args.image, args.features.kubernetes_version],
            ),
        )
        # What is kept is the name if the image was uploaded only after the first run.
        return pulumi.Output.all(kept.output, newest).apply(
            lambda images: str(images[1] if images[0] == args.image else images[0])
        )

    def _cluster(
        self,
        name: str,
        args: MagnumClusterArgs,
        template: containerinfra.ClusterTemplate,
    ) -> containerinfra.Cluster:
        return containerinfra.Cluster(
            f"{name}-cluster",
            name=cloud_name(pulumi.get_stack(), name),
            cluster_template_id=template.id,
            master_count=args.master_count,
            node_count=args.workers.count,
            create_timeout=CREATE_TIMEOUT,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=args.protect,
                # The autoscaler changes the number, which must not be reset.
                ignore_changes=["nodeCount"] if args.workers.autoscaling else None,
                # Magnum would accept a second cluster of that name, and both would remain if its creation failed.
                delete_before_replace=True,
                # The defaults of 60 minutes, and 30 for an upgrade, are too short for large clusters.
                custom_timeouts=pulumi.CustomTimeouts(create=f"{CREATE_TIMEOUT}m", update="90m", delete="60m"),
            ),
        )

    def _node_group(
        self,
        logical_name: str,
        group: str,
        nodes: NodeGroup,
        cluster: containerinfra.Cluster,
        previous: pulumi.Resource,
    ) -> containerinfra.NodeGroup:
        bounds = nodes.autoscaling
        return containerinfra.NodeGroup(
            logical_name,
            name=group,
            cluster_id=cluster.id,
            flavor_id=nodes.flavor,
            node_count=nodes.count,
            min_node_count=bounds.minimum if bounds else 1,
            max_node_count=bounds.maximum if bounds else None,
            labels=nodes.labels or None,
            # Without it, they would replace those of the cluster.
            merge_labels=True if nodes.labels else None,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[previous],
                # The autoscaler changes the number, which must not be reset.
                ignore_changes=["nodeCount"] if bounds else None,
                delete_before_replace=True,  # the name is unique in the cluster
                # Magnum deletes the node groups of a cluster with it.
                deleted_with=cluster,
            ),
        )


def template_name(cluster: str, args: MagnumClusterArgs) -> str:
    """Return the name of a template, which depends on its content, as both templates exist during an upgrade.

    Args:
        cluster: Name of the cluster in Magnum.
        args: Arguments of the cluster. Networks are ignored, as a change of them replaces the cluster.

    Returns:
        The name of the cluster, the Kubernetes release, and a digest of everything else.
    """
    content = (
        template_labels(args.features),
        args.features.network_driver,
        args.image,
        args.master_flavor,
        args.workers.flavor,
        args.keypair,
        args.dns_nameserver,
        args.api_load_balancer,
    )
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"{cluster}-{args.features.kubernetes_version}-{digest[:8]}"
