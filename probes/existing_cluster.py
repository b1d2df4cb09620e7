"""Changes of the configuration that Magnum cannot apply to the existing cluster.

Magnum copies flavors, keypair and labels from the template when it creates a cluster. An upgrade to another template
changes the cluster's Kubernetes release and image with Cluster API, and nothing with Heat, which refuses it.

Sources: ``Cluster._post`` in ``magnum/api/controllers/v1/cluster.py``; ``upgrade_cluster`` in
``magnum/drivers/heat/driver.py`` (2025.1) and ``upgrade_cluster``, ``_label`` in ``magnum_capi_helm/driver.py``.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from config import heat_releases
from config.cluster import LABELS_OF_FIELDS, NEW_CLUSTER, Cluster
from config.magnum_labels import FIXED
from config.names import is_id
from config.stack_config import StackConfig
from probes.magnum_driver import DISTRIBUTIONS
from probes.problem import Problem

REPLACED = ("CREATE_FAILED", "DELETE_IN_PROGRESS", "DELETE_FAILED")
"""Statuses of a cluster that has to be created again anyway."""

_OF_TEMPLATE = frozenset({"capi_helm_chart_version"})
"""Labels that magnum-capi-helm reads from the template alone, so that an upgrade changes them."""


def problems(  # noqa: PLR0913  # all that is compared
    config: StackConfig,
    name: str,
    cluster: Any,
    template: Any,
    names: Mapping[str, str],
    *,
    public: bool | None = None,
) -> Iterator[Problem]:
    """Yield a fatal problem for each configured value that the cluster cannot get.

    Args:
        config: The stack configuration.
        name: Name of the cluster in it.
        cluster: The cluster in Magnum, as by openstacksdk.
        template: The cluster's template.
        names: Names of the cloud's flavors and images by ID, as Magnum may have either.
        public: Whether its API has a floating IP; None if that is not known, and its label counts.
    """
    if cluster.status in REPLACED:
        return
    settings, key = config.clusters[name], f"clusters.{name}"
    for path, wanted, label in _values(config, name, cluster, template):
        found = _flag(public) if path == f"{key}.publicApi" and public is not None else label
        current = names.get(found, found)
        if path == f"{key}.image" and is_id(found) and found not in names and not is_id(wanted):
            continue  # Glance no longer lists it, so that its name is not known.
        if wanted not in (found, current):
            yield Problem(
                where=f"rsp:{path}",
                what=f"is {_shown(wanted)}, but the cluster `{cluster.name}` was created with {_shown(current)}, which "
                f"Magnum cannot change: set it back, {_other_way(settings, key, path, cluster)}",
            )
    if settings.driver == "capi":
        yield from _upgrade_problems(f"rsp:{key}.kubernetesVersion", settings.kubernetes_version, cluster.coe_version)


def _values(config: StackConfig, name: str, cluster: Any, template: Any) -> Iterator[tuple[str, str, str]]:
    """Yield key path, configured value and the existing cluster's value; a value that is not set is empty."""
    settings, key = config.clusters[name], f"clusters.{name}"
    yield f"{key}.driver", settings.driver, _driver_of(template) or settings.driver
    yield f"{key}.masters.flavor", settings.masters.flavor, cluster.master_flavor_id
    yield f"{key}.masters.count", str(settings.masters.count), str(cluster.master_count)
    yield f"{key}.workers.flavor", settings.workers.flavor, cluster.flavor_id
    yield f"{key}.networkDriver", settings.network_driver, template.network_driver
    yield "cloud.keypair", config.cloud.keypair or "", cluster.keypair or ""
    existing = cluster.labels or {}
    changeable = _OF_TEMPLATE if settings.driver == "capi" else frozenset()
    for path, label, wanted in _labels(config, name, template.network_driver, existing):
        # Cluster API merges the template's labels, then the cluster's: a label that the latter lacks can be added,
        # except for this one, which releases before 1.4 read from the cluster only.
        fixed = settings.driver == "heat" or label in existing or label == "api_master_lb_allowed_cidrs"
        if fixed and label not in changeable:
            yield path, wanted, existing.get(label, "")
    for label in sorted(existing.keys() - LABELS_OF_FIELDS.keys() - settings.labels.keys() - changeable):
        own = {**FIXED[settings.driver], **heat_releases.labels(existing.get("kube_tag", ""))}
        yield f"{key}.labels.{label}", own.get(label, ""), existing[label]
    if settings.driver == "heat":
        yield f"{key}.image", settings.image, template.image_id
        yield (
            "network.dnsNameservers",
            ",".join(map(str, config.network.dns_nameservers)),
            template.dns_nameserver or "",
        )


def _labels(
    config: StackConfig, name: str, network_driver: str, existing: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Yield key path, name and configured value of the labels that the configuration sets.

    Args:
        config: The stack configuration.
        name: Name of the cluster in it.
        network_driver: Network driver of the existing cluster.
        existing: Labels of the existing cluster.
    """
    settings, key = config.clusters[name], f"clusters.{name}"
    workers = settings.workers
    heat = settings.driver == "heat"
    yield f"{key}.publicApi", "master_lb_floating_ip_enabled", _flag(settings.public_api)
    allowed = "master_lb_allowed_cidrs" if heat else "api_master_lb_allowed_cidrs"
    yield f"{key}.apiAllowedCidrs", allowed, ",".join(map(str, settings.api_allowed_cidrs))
    yield f"{key}.autohealing", "auto_healing_enabled", _flag(settings.autohealing)
    boot = settings.boot_volume
    yield f"{key}.bootVolume.size", "boot_volume_size", str(boot.size) if boot else ""
    yield f"{key}.bootVolume.type", "boot_volume_type", (boot.type if boot else None) or ""
    scaled = any(group.autoscaling for group in (workers, *settings.node_groups.values()))
    bounds = workers.autoscaling
    yield f"{key}.workers.autoscaling", "auto_scaling_enabled", _flag(scaled)
    if scaled and not bounds and existing.get("min_node_count") == existing.get("max_node_count"):
        yield f"{key}.workers.count", "min_node_count", str(workers.count)
    elif scaled:
        least, most = (bounds.minimum, bounds.maximum) if bounds else (workers.count, workers.count)
        yield f"{key}.workers.autoscaling.minimum", "min_node_count", str(least)
        yield f"{key}.workers.autoscaling.maximum", "max_node_count", str(most)
    yield "ingress.loadBalancerProvider", "octavia_provider", config.ingress.load_balancer_provider
    if heat:
        yield f"{key}.availabilityZone", "availability_zone", settings.availability_zone or ""
        yield f"{key}.kubernetesVersion", "kube_tag", settings.kubernetes_version
        pods = "flannel_network_cidr" if network_driver == "flannel" else "calico_ipv4pool"
        yield f"{key}.podCidr", pods, str(settings.pods)
        yield f"{key}.serviceCidr", "service_cluster_ip_range", str(settings.services)
    for label, value in settings.labels.items():
        yield f"{key}.labels.{label}", label, value


def _upgrade_problems(where: str, wanted: str, current: str | None) -> Iterator[Problem]:
    """Check the order of releases, as Kubernetes cannot be downgraded, nor upgraded by two minor releases at once.

    Source: https://kubernetes.io/releases/version-skew-policy/; Cluster API refuses the latter (``ValidateUpdate`` of
    KubeadmControlPlane).
    """
    to, since = _numbers(wanted), _numbers(current or wanted)
    if to < since:
        way = f"set {current} or a later release, and its image"
    elif to[:2] > (since[0], since[1] + 1):
        way = f"upgrade to {since[0]}.{since[1] + 1} first"
    else:
        return
    what = f"{wanted} cannot follow {current}, the release of the cluster: {way}"
    yield Problem(where=where, what=what)


def _other_way(settings: Cluster, key: str, path: str, cluster: Any) -> str:
    """Return what to do instead of a change of a path, below the cluster's key or elsewhere."""
    if path == f"{key}.workers.flavor":
        return f"and add nodes with the new flavor as a group in {key}.nodeGroups; or {NEW_CLUSTER}"
    if path == f"{key}.masters.count" and settings.driver == "capi":
        return (
            f"or run `openstack coe cluster resize --nodegroup default-master {cluster.name} {settings.masters.count}` "
            "(Magnum 2025.1 or later) and `pulumi refresh`"
        )
    if path == f"{key}.publicApi" and not settings.public_api and settings.driver == "capi":
        return (
            f"or {NEW_CLUSTER}, once the cloud has magnum-capi-helm 1.3.0 or later, as older releases ignore the key "
            "and make each API public"
        )
    if path == f"{key}.workers.count":
        return (
            "as it is both bounds of the workers while a node group is autoscaled, and change the number of a group in "
            f"{key}.nodeGroups; or {NEW_CLUSTER}"
        )
    autoscaled = (cluster.labels or {}).get("auto_scaling_enabled") == "true"
    # Without the autoscaler, which Magnum installs with the cluster, no group would be scaled.
    if path.startswith(f"{key}.workers.autoscaling.") and autoscaled:
        return f"and use a group in {key}.nodeGroups, whose bounds can be changed; or {NEW_CLUSTER}"
    return f"or {NEW_CLUSTER}"


def _driver_of(template: Any) -> str | None:
    return next((driver for driver, known in DISTRIBUTIONS.items() if template.cluster_distro in known), None)


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", release)[:3])


def _flag(value: bool) -> str:
    return str(value).lower()


def _shown(value: str) -> str:
    return f"`{value}`" if value else "not set"
