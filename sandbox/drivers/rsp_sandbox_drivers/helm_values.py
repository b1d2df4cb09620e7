"""Values that magnum-capi-helm takes from labels, image and flavors, with its defaults (its `driver.py`)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

Labels = Mapping[str, str]

MINIMUM_VCPUS = 2
MINIMUM_RAM = 2048
"""Memory in MiB."""

_TRUE = ("1", "t", "true", "on", "y", "yes")
_FALSE = ("0", "f", "false", "off", "n", "no")


class RejectedError(Exception):
    """The driver rejects the cluster; the message becomes its status reason."""


@dataclass(frozen=True)
class LoadBalancers:
    """Options of Octavia for the cluster's load balancers."""

    provider: str
    algorithm: str
    health_monitors: bool


@dataclass(frozen=True)
class Api:
    """The load balancer of the Kubernetes API."""

    floating_ip: bool
    allowed_cidrs: tuple[str, ...]


@dataclass(frozen=True)
class StorageClass:
    """A StorageClass for a Cinder volume type."""

    name: str
    volume_type: str
    availability_zone: str
    reclaim_policy: str
    default: bool


def merged_labels(template: Labels | None, cluster: Labels | None) -> dict[str, str]:
    """Return the labels that count: the cluster's, which Magnum copied when it was created, override the template's."""
    return {**(template or {}), **(cluster or {})}


def load_balancers(labels: Labels) -> LoadBalancers:
    """Return the options of load balancers."""
    provider = _text(labels, "octavia_provider", "amphora")
    default = "SOURCE_IP_PORT" if provider.lower() == "ovn" else "ROUND_ROBIN"
    return LoadBalancers(
        provider=provider,
        algorithm=_text(labels, "octavia_lb_algorithm", default),
        health_monitors=_flag(labels, "octavia_lb_healthcheck", default=True),
    )


def api(labels: Labels) -> Api:
    """Return the options of the API's load balancer; the driver ignores `floating_ip_enabled` of the template."""
    cidrs = labels.get("api_master_lb_allowed_cidrs", "").split(",")
    return Api(
        floating_ip=_flag(labels, "master_lb_floating_ip_enabled", default=True),
        allowed_cidrs=tuple(cidr.strip() for cidr in cidrs if cidr.strip()),
    )


def storage_classes(labels: Labels, volume_types: list[str]) -> list[StorageClass]:
    """Return the StorageClasses, one for each volume type; the first one is the cluster's default."""
    return [
        StorageClass(
            name=re.sub(r"[^a-z0-9]+", "-", volume_type.lower()).strip("-"),
            volume_type=volume_type,
            availability_zone=_text(labels, "csi_cinder_availability_zone", "nova"),
            reclaim_policy=_text(labels, "csi_cinder_reclaim_policy", "Retain"),
            default=volume_type == volume_types[0],
        )
        for volume_type in volume_types
    ]


def kubernetes_version(image_id: str, kube_version: str | None) -> str:
    """Return the release, without a leading v, from an image's property; the label `kube_tag` is not read.

    Raises:
        RejectedError: The image has no such property.
    """
    if not kube_version:
        raise RejectedError(f"Image {image_id} does not have a kube_version property.")
    return re.sub(r"[^0-9\.]+", "", kube_version.lstrip("v"))


def check_flavor(name: str, vcpus: int, ram: int) -> None:
    """Check that a node has enough processors and memory.

    Args:
        name: Name or id that the node group has.
        vcpus: Number of processors.
        ram: Memory in MiB.

    Raises:
        RejectedError: It is too small.
    """
    if ram < MINIMUM_RAM:
        raise RejectedError(
            f"Flavor {name} does not have enough RAM to run Kubernetes. Minimum {MINIMUM_RAM} MB required."
        )
    if vcpus < MINIMUM_VCPUS:
        raise RejectedError(
            f"Flavor {name} does not have enough CPU to run Kubernetes. Minimum {MINIMUM_VCPUS} vcpus required."
        )


def _text(labels: Labels, name: str, default: str) -> str:
    return re.sub(r"[^a-zA-Z0-9\.\-\/ _]+", "", labels.get(name, default))


def _flag(labels: Labels, name: str, *, default: bool) -> bool:
    """Return a label as `strutils.bool_from_string` reads it."""
    value = labels.get(name, "").strip().lower()
    return value in _TRUE or (default and value not in _FALSE)
