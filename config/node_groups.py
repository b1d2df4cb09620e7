"""Groups of nodes of a Kubernetes cluster."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from config.changes import in_place, refused, replaces
from config.section import Matching, Name, Nodes, Section
from config.stack_file import KeyPath

if TYPE_CHECKING:
    from config.cluster import Cluster
    from config.clusters import Clusters

_NAME = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_KEY = rf"([a-z0-9]([a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_NAME}"
_RESERVED = ("kubernetes.io", "k8s.io", "magnum.openstack.org")
"""Domains of keys that kubelet refuses (``--node-labels``), or that Magnum sets."""


def _check_domain(text: str) -> str:
    domain, slash, _ = text.partition("/")
    if slash and any(domain == each or domain.endswith(f".{each}") for each in _RESERVED):
        raise ValueError(f"{domain} is reserved: use a domain of your own, such as example.org/gpu")
    return text


LabelKey = Annotated[str, Matching(_KEY, "the key of a label in Kubernetes, such as gpu or example.org/gpu", 317)]
"""Key of a label of objects in Kubernetes."""

NodeKey = Annotated[LabelKey, AfterValidator(_check_domain)]
"""Key of a label of nodes (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/)."""

LabelValue = Annotated[str, Matching(_NAME, "letters, digits, hyphens, dots and underscores, such as a100", 63)]
"""Value of a label in Kubernetes."""

Taint = Annotated[
    str,
    Matching(
        rf"{_KEY}=({_NAME})?:(NoSchedule|PreferNoSchedule|NoExecute)",
        "a taint as for `kubectl taint`, such as gpu=a100:NoSchedule or gpu=:NoSchedule",
        400,
    ),
    AfterValidator(_check_domain),
]
"""Taint of nodes (https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/)."""


class AutoscalingSettings(Section):
    """Limits of the cluster autoscaler."""

    minimum: Nodes = Field(examples=[2], description="Minimum number of nodes; Magnum cannot scale a group to zero")
    maximum: Nodes = Field(examples=[5], description="Maximum number of nodes; the project's quota must allow them")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.maximum < self.minimum:
            raise ValueError(f"maximum {self.maximum} is below minimum {self.minimum}")
        return self


_COUNT = "Number of nodes; with autoscaling the initial number"

_GROUP = replaces("the node group: its nodes are deleted with all pods on them, then created again")


class NodeGroupSettings(Section):
    """A group of nodes of the same flavor."""

    flavor: Annotated[Name, _GROUP] = Field(description="Nova flavor", examples=["m1.large"])
    count: Annotated[
        Nodes,
        in_place("adds or deletes nodes. With `autoscaling` it is the initial number, and the current one is kept"),
    ] = Field(examples=[3], description=_COUNT)
    autoscaling: Annotated[
        AutoscalingSettings | None,
        in_place(
            "updates the bounds of the group; refused if they exclude its current number of nodes. The first "
            "`autoscaling` of any group, and the removal of the last one, turn the autoscaler on and off, and are "
            "refused. Driver `heat` scales the default workers only, so this key is refused there"
        ),
    ] = Field(
        default=None,
        description="Limits of the autoscaler; the number of nodes is fixed if absent",
    )

    @property
    def max_count(self) -> int:
        """Number of nodes at the autoscaling maximum."""
        return self.autoscaling.maximum if self.autoscaling else self.count

    @model_validator(mode="after")
    def _within_bounds(self) -> Self:
        if self.autoscaling and not self.autoscaling.minimum <= self.count <= self.autoscaling.maximum:
            raise ValueError(
                f"count {self.count} is not between autoscaling.minimum {self.autoscaling.minimum} and "
                f"autoscaling.maximum {self.autoscaling.maximum}",
            )
        return self


class DefaultWorkers(NodeGroupSettings):
    """Magnum's node group default-worker, which it creates with the cluster."""

    flavor: Annotated[
        Name,
        refused(
            "Magnum cannot replace the default workers; add nodes with the new flavor as a group in "
            "`clusters.NAME.nodeGroups`, or add another cluster and switch to it (docs/runbooks/blue-green.md)"
        ),
    ] = Field(description="Nova flavor", examples=["m1.large"])
    count: Annotated[
        Nodes,
        in_place(
            "adds or deletes nodes. With `autoscaling` it is the initial number, and the current one is kept; with "
            "`autoscaling` of node groups only, it is refused"
        ),
    ] = Field(examples=[3], description=_COUNT)
    autoscaling: Annotated[
        AutoscalingSettings | None,
        refused(
            "Magnum sets it when it creates a cluster; with the autoscaler on, use a group in "
            "`clusters.NAME.nodeGroups`, whose bounds can be changed, otherwise add another cluster and switch to it "
            "(docs/runbooks/blue-green.md)"
        ),
    ] = Field(
        default=None,
        description="Limits of the autoscaler; the number of nodes is fixed if absent",
    )


class AdditionalNodeGroup(NodeGroupSettings):
    """A node group in addition to Magnum's own; the last three keys require driver heat."""

    labels: Annotated[dict[NodeKey, LabelValue], _GROUP] = Field(
        default={},
        max_length=20,
        description="Kubernetes labels of the nodes (driver heat)",
        examples=[{"gpu": "a100"}],
    )
    taints: Annotated[tuple[Taint, ...], _GROUP] = Field(
        default=(),
        max_length=20,
        description="Taints of the nodes (driver heat)",
        examples=[["gpu=a100:NoSchedule"]],
    )
    availability_zone: Annotated[Name | None, _GROUP] = Field(
        default=None,
        description="Availability zone of servers and boot volumes (driver heat); the cloud's default if absent",
        examples=["nova"],
    )


def supported_by_driver(clusters: "Clusters") -> Iterator[tuple[KeyPath, str]]:
    """Yield the settings of node groups that the driver ignores, or does not apply as they are meant.

    Sources: ``_process_node_groups``, ``_get_node_counts`` and ``_get_autoscale_values`` in
    ``magnum_capi_helm/driver.py``; the label of the nodes is that of ``kubeadm-config-template.yaml`` in
    capi-helm-charts. For Heat, ``enable-auto-scaling.sh`` in ``magnum/drivers/common/templates/kubernetes/fragments``.
    """
    for name, cluster in clusters.items():
        if cluster.driver == "capi":
            yield from _not_passed_on(name, cluster)
            yield from _without_bounds(name, cluster)
        else:
            yield from _not_scaled(name, cluster)


def _not_passed_on(cluster_name: str, cluster: "Cluster") -> Iterator[tuple[KeyPath, str]]:
    for name, group in cluster.node_groups.items():
        nodes = f"its nodes have the label capi.stackhpc.com/node-group={name}"
        ways = {
            "labels": (group.labels, f"remove it, and select them by the label that they have: {nodes}"),
            "taints": (group.taints, f"remove it, and let pods choose their nodes by a nodeSelector: {nodes}"),
            "availabilityZone": (group.availability_zone, "remove it: the cloud's management cluster chooses the zone"),
        }
        for key, (value, way) in ways.items():
            if value:
                reason = f"Magnum's driver for Cluster API passes on only flavor, count and autoscaling: {way}"
                yield ("clusters", cluster_name, "nodeGroups", name, key), reason


def _without_bounds(cluster_name: str, cluster: "Cluster") -> Iterator[tuple[KeyPath, str]]:
    """Yield the node groups that are autoscaled although they should not be, as another group is."""
    if any(group.autoscaling for group in cluster.groups.values()):
        for name, group in cluster.node_groups.items():
            if group.autoscaling is None and group.count > 1:
                reason = (
                    "is required here if another group of the cluster has it, as Magnum's driver for Cluster API lets "
                    f"the autoscaler reduce a group without bounds to 1 node: set {{minimum: {group.count}, maximum: "
                    f"{group.count}}} for a fixed number"
                )
                yield ("clusters", cluster_name, "nodeGroups", name, "autoscaling"), reason


def _not_scaled(cluster_name: str, cluster: "Cluster") -> Iterator[tuple[KeyPath, str]]:
    for name, group in cluster.node_groups.items():
        if group.autoscaling:
            reason = (
                "Magnum's driver heat runs the autoscaler for the default workers only: remove it, or set it for "
                f"clusters.{cluster_name}.workers"
            )
            yield ("clusters", cluster_name, "nodeGroups", name, "autoscaling"), reason
