import re
from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from config import heat_releases, versions
from config.addresses import ClientNetwork, PrivateNetwork
from config.changes import Effect, in_place, refused
from config.node_groups import AdditionalNodeGroup, DefaultWorkers, NodeGroupSettings
from config.section import ClaimName, GiB, Matching, Name, Section, Slug, VolumeId

Label = Annotated[str, Matching(r"[a-z][a-z0-9_]*", "lower-case letters, digits and underscores, such as kube_tag")]
"""Name of a Magnum label."""

LabelValue = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9 ._,:/=@%+~*<>()\[\]{}-]*",
        "text without quotes and other special characters of a shell, such as v1.36.3",
    ),
]
"""Value of a Magnum label, which the Heat driver writes into a shell script of the nodes (heat-params)."""

KubernetesVersion = Annotated[
    str,
    Matching(r"v[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}([-+][0-9A-Za-z.-]+)?", "a Kubernetes release, such as v1.36.3", 63),
]

Driver = Literal["heat", "capi"]

POD_NETWORKS: Mapping[Driver, IPv4Network] = {
    "heat": IPv4Network("10.100.0.0/16"),
    "capi": IPv4Network("172.16.0.0/13"),
}
"""Default pod network by driver: ``calico_ipv4pool`` of Magnum; ``kubeNetwork.pods`` of capi-helm-charts."""

SERVICE_NETWORKS: Mapping[Driver, IPv4Network] = {
    "heat": IPv4Network("10.254.0.0/16"),
    "capi": IPv4Network("172.24.0.0/13"),
}
"""Default Service network by driver: ``service_cluster_ip_range`` of Magnum; ``kubeNetwork.services`` of
capi-helm-charts."""

EXTRA_NETWORKS = ("extra_network_names", "extra_network_name")
"""Labels of magnum-capi-helm with the names of additional networks of the nodes, separated by spaces; the second one is
deprecated."""

LABELS_OF_FIELDS = {
    "auto_healing_enabled": "clusters.NAME.autohealing",
    "availability_zone": "clusters.NAME.availabilityZone",
    "auto_scaling_enabled": "clusters.NAME.workers.autoscaling",
    "boot_volume_size": "clusters.NAME.bootVolume.size",
    "boot_volume_type": "clusters.NAME.bootVolume.type",
    "calico_ipv4pool": "clusters.NAME.podCidr",
    "flannel_network_cidr": "clusters.NAME.podCidr",
    "api_master_lb_allowed_cidrs": "clusters.NAME.apiAllowedCidrs",
    "kube_tag": "clusters.NAME.kubernetesVersion",
    "master_lb_allowed_cidrs": "clusters.NAME.apiAllowedCidrs",
    "master_lb_floating_ip_enabled": "clusters.NAME.publicApi",
    "max_node_count": "clusters.NAME.workers.autoscaling.maximum",
    "min_node_count": "clusters.NAME.workers.autoscaling.minimum",
    "octavia_lb_algorithm": "ingress.loadBalancerProvider",
    "octavia_provider": "ingress.loadBalancerProvider",
    "service_cluster_ip_range": "clusters.NAME.serviceCidr",
}
"""Configuration keys of the labels that must not be set in ``labels``, by label."""


NEW_CLUSTER = "add another cluster to `clusters` and switch to it (docs/runbooks/blue-green.md)"
"""What to do instead of a change that Magnum does not support."""

_NEW_CLUSTER = refused(f"Magnum sets it when it creates a cluster; {NEW_CLUSTER}")
_TEMPLATE = in_place(
    "upgrades the cluster to another template, for which nodes may be replaced one after another, if the cluster was "
    "created without the value; otherwise refused, as Magnum keeps the first one",
    heat=Effect.REFUSED,
)


class Masters(Section):
    """The control plane nodes."""

    flavor: Annotated[Name, _NEW_CLUSTER] = Field(description="Nova flavor", examples=["m1.large"])
    count: Annotated[
        int,
        refused(
            "with driver `capi`, run `openstack coe cluster resize --nodegroup default-master CLUSTER COUNT` (Magnum "
            f"2025.1 or later), change the key, and run `pulumi refresh`; with `heat`, {NEW_CLUSTER}"
        ),
    ] = Field(default=3, ge=1, le=7, description="Number of masters; must be odd for etcd's quorum")

    @field_validator("count")
    @classmethod
    def _odd(cls, count: int) -> int:
        if count % 2 == 0:
            raise ValueError(
                f"must be odd, got {count}: etcd tolerates no more failures with {count} members than with {count - 1}",
            )
        return count


class BootVolume(Section):
    """The root disk of each node as a Cinder volume."""

    size: Annotated[GiB, _NEW_CLUSTER] = Field(description="Size in GiB", examples=[100])
    type: Annotated[Name | None, _TEMPLATE] = Field(
        default=None, description="Cinder volume type; the cloud's default type if absent", examples=["ceph-hdd"]
    )


class Cluster(Section):
    """The Kubernetes cluster that Magnum creates."""

    driver: Annotated[Driver, _NEW_CLUSTER] = Field(
        default="capi",
        description="Magnum's driver in this cloud: Heat or Cluster API (magnum-capi-helm)",
    )
    kubernetes_version: Annotated[
        KubernetesVersion,
        in_place(
            "upgrades the cluster: nodes are replaced one after another, and single-replica applications are "
            "interrupted. An older release, and a step of two minor releases, are refused",
            heat=Effect.REFUSED,
        ),
    ] = Field(
        default=versions.KUBERNETES,
        description=(
            "Kubernetes release. Driver capi: the release of the image, such as v1.36.3; a newer image and its release "
            "upgrade the cluster. Driver heat: a tag of the image rancher/hyperkube, such as v1.28.9-rancher1, which "
            "cannot be upgraded"
        ),
    )
    image: Annotated[
        Name,
        in_place(
            "replaces nodes one after another, as for `kubernetesVersion`. Another image of the same name has no "
            "effect until one of both keys changes: set its ID",
            heat=Effect.REFUSED,
        ),
    ] = Field(
        description="Glance image of the nodes, by name or ID; its property os_distro selects Magnum's driver",
        examples=["ubuntu-2404-kube-v1.36.3"],
    )
    masters: Masters = Field(description="Control plane nodes")
    workers: DefaultWorkers = Field(description="Default node group (Magnum's default-worker)")
    node_groups: Annotated[
        dict[Slug, AdditionalNodeGroup],
        in_place("creates a node group, or deletes it with its nodes and all pods on them"),
    ] = Field(
        default={},
        max_length=50,
        description="Additional node groups, by name",
        examples=[{"labs": {"flavor": "m1.large", "count": 2}}],
    )
    public_api: Annotated[bool, _NEW_CLUSTER] = Field(
        default=True,
        description=(
            "Assign a floating IP to the load balancer of the Kubernetes API; nodes never get one. magnum-capi-helm "
            "before 1.3.0 always assigns one: `doctor` and the next run report it if the key is false"
        ),
    )
    api_allowed_cidrs: Annotated[tuple[ClientNetwork, ...], _NEW_CLUSTER] = Field(
        default=(),
        max_length=50,
        description=(
            "Networks with access to the public Kubernetes API; all if empty. Requires ingress.loadBalancerProvider "
            "amphora, as OVN load balancers do not support it"
        ),
        examples=[["192.0.2.0/28"]],
    )
    availability_zone: Annotated[Name | None, _NEW_CLUSTER] = Field(
        default=None,
        description=(
            "Availability zone of masters, nodes and their volumes, in Nova and in Cinder; only with driver heat, as "
            "magnum-capi-helm lets Cluster API spread nodes over all zones"
        ),
        examples=["az-1"],
    )
    autohealing: Annotated[bool, _NEW_CLUSTER] = Field(
        default=True, description="Replace nodes that do not respond, except for a single master"
    )
    boot_volume: Annotated[BootVolume | None, _TEMPLATE] = Field(
        default=None,
        description="Root disks as Cinder volumes; the flavor's local disk if absent",
    )
    network_driver: Annotated[Literal["calico", "flannel"], _NEW_CLUSTER] = Field(
        default="calico",
        description="Pod network driver. Only calico enforces NetworkPolicy, without which pods can impersonate users",
    )
    pod_cidr: Annotated[PrivateNetwork | None, _NEW_CLUSTER] = Field(
        default=None, description="Pod network; the driver's default if absent", examples=["10.100.0.0/16"]
    )
    service_cidr: Annotated[PrivateNetwork | None, _NEW_CLUSTER] = Field(
        default=None,
        description="Service network; the driver's default if absent",
        examples=["10.254.0.0/16"],
    )
    claims: Annotated[
        dict[ClaimName, VolumeId],
        in_place(
            "creates a PersistentVolume for the claim, which must not exist yet. Without the entry, the "
            "PersistentVolume remains"
        ),
    ] = Field(
        default={},
        max_length=200,
        description=(
            "Existing Cinder volumes, such as that of a restored database, by the PersistentVolumeClaim of "
            "an application that gets it, as NAMESPACE/NAME"
        ),
        examples=[{"postgres/postgres-physpvc": "6a3c6ab7-3f5b-4d0a-9e34-9c6f5b1f6f0e"}],
    )
    labels: Annotated[
        dict[Label, LabelValue],
        in_place(f"{_TEMPLATE.text}. `capi_helm_chart_version` can always be changed", heat=Effect.REFUSED),
    ] = Field(
        default={},
        max_length=100,
        description="Additional Magnum labels",
        examples=[{"etcd_volume_size": "10"}],
    )

    @field_validator("node_groups")
    @classmethod
    def _not_default(cls, groups: dict[str, AdditionalNodeGroup]) -> dict[str, AdditionalNodeGroup]:
        if taken := sorted({"default-master", "default-worker"} & groups.keys()):
            raise ValueError(f"{', '.join(taken)}: Magnum has a node group of this name already: choose another name")
        return groups

    @field_validator("labels")
    @classmethod
    def _without_own_key(cls, labels: dict[str, str]) -> dict[str, str]:
        for label in labels:
            if label in LABELS_OF_FIELDS:
                raise ValueError(f"label {label} must not be set here: set {LABELS_OF_FIELDS[label]} instead")
        return labels

    @model_validator(mode="after")
    def _supported_by_driver(self) -> Self:
        if self.api_allowed_cidrs and not self.public_api:
            raise ValueError("apiAllowedCidrs requires publicApi true: without it the API has no floating IP")
        if self.driver == "heat":
            self._check_heat_release()
            if taken := next((label for label in EXTRA_NETWORKS if label in self.labels), None):
                raise ValueError(f"label {taken}: only driver capi attaches nodes to further networks: remove it")
        else:
            if not self.is_supported_by_phalanx:
                raise ValueError(
                    f"kubernetesVersion {self.kubernetes_version}: Phalanx requires Kubernetes "
                    f"{'.'.join(map(str, versions.KUBERNETES_MINIMUM))} or later, such as {versions.KUBERNETES}"
                )
            if self.pod_cidr or self.service_cidr:
                raise ValueError("podCidr and serviceCidr are not supported by driver capi: remove them")
            if self.network_driver != "calico":
                raise ValueError("driver capi supports networkDriver calico only")
            if self.availability_zone:
                raise ValueError(
                    "availabilityZone is not supported by driver capi, with which Cluster API spreads nodes over all "
                    "availability zones: remove it"
                )
        return self

    def _check_heat_release(self) -> None:
        version, tested = self.kubernetes_version, ", ".join(heat_releases.TESTED)
        if not heat_releases.TAG.fullmatch(version):
            raise ValueError(
                f"kubernetesVersion {version}: driver heat installs the image rancher/hyperkube, whose tags end in "
                f"-rancherN; tested with Magnum are {tested}"
            )
        if version not in heat_releases.TESTED and (
            missing := [label for label in heat_releases.REQUIRED if label not in self.labels]
        ):
            raise ValueError(
                f"kubernetesVersion {version} was not tested with Magnum's driver heat ({tested} were): choose one of "
                f"these, or set the labels {', '.join(missing)} in labels yourself"
            )

    @property
    def extra_networks(self) -> Mapping[str, str]:
        """Labels of additional networks, by the name of the network."""
        label = next((label for label in EXTRA_NETWORKS if self.labels.get(label)), None)
        return dict.fromkeys(self.labels[label].split(" "), label) if label else {}

    @property
    def is_supported_by_phalanx(self) -> bool:
        """True if Phalanx supports the Kubernetes release."""
        major, minor = (int(part) for part in re.findall(r"\d+", self.kubernetes_version)[:2])
        return (major, minor) >= versions.KUBERNETES_MINIMUM

    @property
    def node_count(self) -> int:
        """Number of nodes without masters; with autoscaling, the initial number."""
        return sum(group.count for group in self.groups.values())

    @property
    def max_nodes(self) -> int:
        """Number of masters and nodes with all groups at their autoscaling maximum."""
        return self.masters.count + sum(group.max_count for group in self.groups.values())

    @property
    def groups(self) -> Mapping[str, NodeGroupSettings]:
        """All groups of workers, by their name in Magnum."""
        return {"default-worker": self.workers, **self.node_groups}

    @property
    def groups_by_path(self) -> Mapping[str, NodeGroupSettings]:
        """All groups of workers, by their key path in the cluster."""
        return {"workers": self.workers, **{f"nodeGroups.{name}": each for name, each in self.node_groups.items()}}

    @property
    def pods(self) -> IPv4Network:
        """Pod network, configured or the driver's default."""
        return self.pod_cidr or POD_NETWORKS[self.driver]

    @property
    def services(self) -> IPv4Network:
        """Service network, configured or the driver's default."""
        return self.service_cidr or SERVICE_NETWORKS[self.driver]

    @property
    def api_load_balancer(self) -> bool:
        """True if the Kubernetes API has a load balancer; always true with Cluster API (magnum-capi-helm)."""
        return self.driver == "capi" or self.masters.count > 1 or self.public_api
