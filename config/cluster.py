import re
from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from config import versions
from config.section import GiB, Name, Section, Slug

Label = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""The name of a Magnum label."""

Driver = Literal["heat", "capi"]

POD_NETWORKS: Mapping[Driver, IPv4Network] = {
    "heat": IPv4Network("10.100.0.0/16"),
    "capi": IPv4Network("172.16.0.0/13"),
}
"""Pods' addresses by driver: Magnum's ``calico_ipv4pool``; capi-helm-charts, ``kubeNetwork.pods``."""

SERVICE_NETWORKS: Mapping[Driver, IPv4Network] = {
    "heat": IPv4Network("10.254.0.0/16"),
    "capi": IPv4Network("172.24.0.0/13"),
}
"""Services' addresses by driver: Magnum's ``service_cluster_ip_range``; capi-helm-charts, ``kubeNetwork.services``."""

LABELS_OF_FIELDS = {
    "auto_healing_enabled": "cluster.autohealing",
    "auto_scaling_enabled": "cluster.workers.autoscaling",
    "boot_volume_size": "cluster.bootVolume.size",
    "boot_volume_type": "cluster.bootVolume.type",
    "calico_ipv4pool": "cluster.podCidr",
    "flannel_network_cidr": "cluster.podCidr",
    "kube_tag": "cluster.kubernetesVersion",
    "max_node_count": "cluster.workers.autoscaling.maximum",
    "min_node_count": "cluster.workers.autoscaling.minimum",
    "octavia_lb_algorithm": "ingress.loadBalancerProvider",
    "octavia_lb_healthcheck": "ingress.healthMonitors",
    "octavia_provider": "ingress.loadBalancerProvider",
    "service_cluster_ip_range": "cluster.serviceCidr",
}
"""Labels that have a key of their own in the configuration: giving them twice could contradict."""


class Autoscaling(Section):
    """The bounds within which the cluster autoscaler chooses the number of nodes."""

    minimum: int = Field(ge=1, description="Fewest nodes; Magnum cannot scale a group to none")
    maximum: int = Field(ge=1, description="Most nodes; the project's quota must allow them")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.maximum < self.minimum:
            raise ValueError(f"maximum {self.maximum} is below minimum {self.minimum}")
        return self


class NodeGroup(Section):
    """Nodes of one kind."""

    flavor: Name = Field(description="Nova flavor")
    count: int = Field(ge=1, description="Number of nodes; with autoscaling the number to begin with")
    autoscaling: Autoscaling | None = Field(default=None, description="Leave the number to the autoscaler")

    @model_validator(mode="after")
    def _within_bounds(self) -> Self:
        if self.autoscaling and not self.autoscaling.minimum <= self.count <= self.autoscaling.maximum:
            raise ValueError(
                f"count {self.count} is outside autoscaling's {self.autoscaling.minimum} to {self.autoscaling.maximum}",
            )
        return self


class Masters(Section):
    """The control plane's nodes."""

    flavor: Name = Field(description="Nova flavor")
    count: int = Field(default=3, ge=1, le=7, description="Number of masters: odd, so that etcd has a majority")

    @field_validator("count")
    @classmethod
    def _odd(cls, count: int) -> int:
        if count % 2 == 0:
            raise ValueError(
                f"must be odd, got {count}: etcd survives no more failures with {count} members than with {count - 1}",
            )
        return count


class BootVolume(Section):
    """The root disk of each node, on Cinder instead of the hypervisor."""

    size: GiB = Field(description="Size in GiB")
    type: Name | None = Field(default=None, description="Cinder volume type; the cloud's default type if absent")


class Cluster(Section):
    """The Kubernetes cluster that Magnum makes."""

    driver: Driver = Field(
        default="heat",
        description="Magnum's driver on this cloud: Heat, or Cluster API (magnum-capi-helm)",
    )
    kubernetes_version: str = Field(
        default=versions.KUBERNETES,
        pattern=r"^v\d+\.\d+\.\d+([-+][0-9A-Za-z.-]+)?$",
        description="Kubernetes release such as v1.36.3; a new one makes a new template and upgrades to it",
    )
    image: Name = Field(description="Glance image of the nodes; its property os_distro chooses Magnum's driver")
    masters: Masters = Field(description="The control plane")
    workers: NodeGroup = Field(description="The nodes that every cluster has (Magnum's default-worker)")
    node_groups: dict[Slug, NodeGroup] = Field(default={}, description="Further groups of nodes, by name")
    public_api: bool = Field(default=True, description="Give the API server a floating IP")
    autohealing: bool = Field(default=True, description="Replace nodes that stop answering")
    boot_volume: BootVolume | None = Field(default=None, description="Root disks on Cinder; the flavor's if absent")
    network_driver: Literal["calico", "flannel"] = Field(
        default="calico",
        description="Pod network. Only calico enforces NetworkPolicy, without which pods can impersonate users",
    )
    pod_cidr: IPv4Network | None = Field(default=None, description="Addresses of pods; the driver's own if absent")
    service_cidr: IPv4Network | None = Field(
        default=None,
        description="Addresses of Services; the driver's own if absent",
    )
    labels: dict[Label, str] = Field(default={}, description="Further Magnum labels, added to those of the program")

    @field_validator("kubernetes_version")
    @classmethod
    def _supported(cls, version: str) -> str:
        major, minor = (int(part) for part in re.findall(r"\d+", version)[:2])
        if (major, minor) < versions.KUBERNETES_MINIMUM:
            needed = ".".join(map(str, versions.KUBERNETES_MINIMUM))
            raise ValueError(f"Phalanx needs Kubernetes {needed} or later, got {version}")
        return version

    @field_validator("labels")
    @classmethod
    def _not_given_elsewhere(cls, labels: dict[str, str]) -> dict[str, str]:
        for label in labels:
            if label in LABELS_OF_FIELDS:
                raise ValueError(f"label {label} has a key of its own: set {LABELS_OF_FIELDS[label]} instead")
        return labels

    @model_validator(mode="after")
    def _as_the_driver_can(self) -> Self:
        if self.driver == "capi":
            if self.pod_cidr or self.service_cidr:
                raise ValueError("podCidr and serviceCidr cannot be chosen with driver capi: remove them")
            if self.network_driver != "calico":
                raise ValueError("driver capi knows networkDriver calico only")
        return self

    @property
    def pods(self) -> IPv4Network:
        """Addresses of pods, given or the driver's own."""
        return self.pod_cidr or POD_NETWORKS[self.driver]

    @property
    def services(self) -> IPv4Network:
        """Addresses of Services, given or the driver's own."""
        return self.service_cidr or SERVICE_NETWORKS[self.driver]

    @property
    def api_load_balancer(self) -> bool:
        """Whether a load balancer stands before the API server: with Cluster API always (magnum-capi-helm)."""
        return self.driver == "capi" or self.masters.count > 1
