import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_openstack import containerinfra

from components.cluster_labels import Autoscaling, ClusterFeatures, template_labels
from config.names import cloud_name

CREATE_TIMEOUT = 90
"""Minutes that Magnum may take to build a cluster."""


@dataclass(frozen=True, kw_only=True)
class NodeGroup:
    """Nodes of one kind."""

    flavor: str
    """Name of a Nova flavor."""
    count: int
    """Number of nodes; with autoscaling the number to begin with."""
    autoscaling: Autoscaling | None = None
    """Bounds within which the autoscaler chooses; None if it has no say."""


@dataclass(frozen=True, kw_only=True)
class MagnumClusterArgs:
    """What a `MagnumCluster` is made from."""

    network_id: pulumi.Input[str]
    """Id of the network of the nodes."""
    subnet_id: pulumi.Input[str]
    """Id of the subnet of the nodes, routed to the external network."""
    external_network_id: pulumi.Input[str]
    """Id of the network that floating IPs come from."""
    image: str
    """Name of the Glance image of the nodes."""
    features: ClusterFeatures
    """What the template's labels are to say."""
    master_flavor: str
    """Name of the Nova flavor of the masters."""
    master_count: int
    """Number of masters: odd."""
    workers: NodeGroup
    """The nodes that every cluster has, which Magnum calls default-worker."""
    node_groups: Mapping[str, NodeGroup] = field(default_factory=dict)
    """Further nodes by the name of their group."""
    api_load_balancer: bool = False
    """Whether a load balancer stands before the API servers."""
    public_api: bool = True
    """Whether the API server gets a floating IP."""
    keypair: str | None = None
    """Name of a Nova keypair for the nodes."""
    dns_nameserver: str | None = None
    """Name server of the nodes; Magnum's default if None."""
    protect: bool = True
    """Refuse to delete the cluster: nearly every change of it that is no upgrade would replace it."""


class MagnumCluster(pulumi.ComponentResource):
    """The Kubernetes cluster: a template for its Kubernetes release, the cluster, and node groups one after another."""

    cluster_id: pulumi.Output[str]
    """Magnum's id of the cluster."""
    api_address: pulumi.Output[str]
    """URL of the API server."""
    kubeconfig: pulumi.Output[str]
    """Kubeconfig of an administrator, secret. Its certificate is signed once and ends with Magnum's validity for it."""

    def __init__(self, name: str, args: MagnumClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:MagnumCluster", name, None, opts)
        cluster = self._cluster(name, args, self._template(name, args))
        previous: pulumi.Resource = cluster
        # One after another: Magnum loses one of two groups that are made at once (Launchpad bug 2097946).
        for group, nodes in sorted(args.node_groups.items()):
            previous = self._node_group(f"{name}-{group}", group, nodes, cluster, previous)
        self.cluster_id = cluster.id
        self.api_address = cluster.api_address
        self.kubeconfig = pulumi.Output.secret(cluster.kubeconfig.apply(lambda config: config["raw_config"]))
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
            image=args.image,
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
            floating_ip_enabled=args.public_api,
            master_lb_enabled=args.api_load_balancer,
            # All of them here and none on the cluster, where they would replace these and force a replacement.
            labels=template_labels(args.features),
            opts=pulumi.ResourceOptions(
                parent=self,
                # Magnum refuses to change or delete a template that a cluster uses. So a new one is made under its own
                # name, the cluster moves to it, and as the last step of the run Pulumi deletes the old one.
                replace_on_changes=["*"],
            ),
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
                # The autoscaler's number would be drift, and the next run would undo it.
                ignore_changes=["nodeCount"] if args.workers.autoscaling else None,
                # The provider gives up after 60 minutes, and 30 for an upgrade: large clusters take longer.
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
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[previous],
                # As for the cluster: the number is the autoscaler's.
                ignore_changes=["nodeCount"] if bounds else None,
                # Magnum removes them together.
                deleted_with=cluster,
            ),
        )


def template_name(cluster: str, args: MagnumClusterArgs) -> str:
    """A name of its own for each content of a template: old and new stand side by side while the cluster moves.

    Args:
        cluster: Name of the cluster in Magnum.
        args: What the template is made from. Networks do not count: they only change together with the cluster.

    Returns:
        Name of the cluster, Kubernetes release, and a digest of everything else.
    """
    content = (
        template_labels(args.features),
        args.features.network_driver,
        args.image,
        args.master_flavor,
        args.workers.flavor,
        args.keypair,
        args.dns_nameserver,
        args.public_api,
        args.api_load_balancer,
    )
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return f"{cluster}-{args.features.kubernetes_version}-{digest[:8]}"
