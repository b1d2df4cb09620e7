"""Rules of Magnum's drivers for images and flavors.

Sources: ``magnum_capi_helm/driver.py`` and ``conf.py`` of openstack/magnum-capi-helm; the entry points
``magnum.drivers`` of openstack/magnum.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from config import heat_releases, versions
from config.cluster import Cluster, Driver
from config.names import is_id
from probes.needs import Flavor
from probes.problem import Problem

DISTRIBUTIONS: Mapping[Driver, tuple[str, ...]] = {
    "capi": ("ubuntu", "flatcar"),
    "heat": ("fedora-coreos", "fedora-atomic"),
}
"""Values of an image's property ``os_distro`` for which Magnum uses a driver."""

_NAMES: Mapping[Driver, str] = {"capi": "Cluster API", "heat": "Heat"}

MINIMUM_FLAVOR = Flavor(vcpus=2, ram=2048)
"""Smallest flavor of nodes with Cluster API, by default (``minimum_flavor_vcpus``, ``minimum_flavor_ram``)."""


def image_problems(key: str, cluster: Cluster, image: Any) -> Iterator[Problem]:
    """Yield the reasons why Magnum cannot use an image for the configured driver and Kubernetes release.

    Args:
        key: Key path of the cluster.
        cluster: The configuration.
        image: The Glance image, as by openstacksdk.
    """
    where, wanted = f"rsp:{key}.image", DISTRIBUTIONS[cluster.driver]
    distribution = image.os_distro
    chosen = next((driver for driver, known in DISTRIBUTIONS.items() if distribution in known), None)
    if not distribution:
        yield Problem(
            where=where,
            what=f"image `{image.name}` has no property os_distro, by which Magnum chooses its driver: "
            f"`openstack image set --os-distro {wanted[0]} {image.name}`, or choose another image",
        )
    elif chosen is None:
        yield Problem(
            where=where,
            what=f"image `{image.name}` has os_distro {distribution}; the {_NAMES[cluster.driver]} driver is known to "
            f"use {' and '.join(wanted)}: check that the cloud has a driver for {distribution}",
            fatal=False,
        )
    elif chosen != cluster.driver:
        yield Problem(
            where=where,
            what=f"image `{image.name}` has os_distro {distribution}, for which Magnum uses its {_NAMES[chosen]} "
            f"driver: choose an image with os_distro {' or '.join(wanted)}, or set {key}.driver to {chosen}",
        )
    if cluster.driver == "capi":
        yield from _release_problems(key, cluster, image)


def images_named(name: str, known: Mapping[str, Any]) -> list[str]:
    """Return the IDs of the images with a name, or with an ID.

    Args:
        name: The name or ID.
        known: All images by ID, and others of them by other keys.
    """
    return [key for key, image in known.items() if key == image.id and name in (image.id, image.name)]


def ambiguous(key: str, cluster: Cluster, images: Sequence[str]) -> Iterator[Problem]:
    """Yield a problem if several images have the configured name.

    Args:
        key: Key path of the cluster.
        cluster: The configuration.
        images: IDs of the images with that name.
    """
    if len(images) > 1:
        yield Problem(
            where=f"rsp:{key}.image",
            what=f"the cloud has {len(images)} images `{cluster.image}`: set the ID of the right one: "
            f"{' or '.join(sorted(images))}",
        )


def lost_image(key: str, image: str, known: Mapping[str, Any], api: Any) -> Iterator[Problem]:
    """Warn if the image of a cluster's nodes was deleted, which Cluster API needs for each further node.

    Args:
        key: Key path of the cluster.
        image: The image of the cluster's template, an ID or a name.
        known: All images that Glance lists, by name and ID.
        api: Glance, as by openstacksdk, which also finds images that it does not list.
    """
    if is_id(image) and image not in known and api.find_image(image) is None:
        yield Problem(
            where=f"rsp:{key}.image",
            what=f"the image {image} of the cluster's nodes was deleted, so the number of nodes cannot be changed: "
            "first upgrade the cluster to another image (docs/runbooks/upgrade.md), and change nothing else in the "
            "same run",
            fatal=False,
        )


def _release_problems(key: str, cluster: Cluster, image: Any) -> Iterator[Problem]:
    """Compare the release with that of the image, which is installed regardless of the template's label."""
    where = f"rsp:{key}.kubernetesVersion"
    installed = (image.properties or {}).get("kube_version")
    if not installed:
        yield Problem(
            where=where,
            what=f"image `{image.name}` has no property kube_version: magnum-capi-helm refuses it, magnum-cluster-api "
            f"installs {cluster.kubernetes_version}; for the former, `openstack image set --property "
            f"kube_version=RELEASE {image.name}` with the release that the image contains",
            fatal=False,
        )
    elif installed.lstrip("v") != cluster.kubernetes_version.lstrip("v"):
        yield Problem(
            where=where,
            what=f"{cluster.kubernetes_version} is not the release of image `{image.name}`, whose property "
            f"kube_version is {installed}: set {_with_v(installed)}, or choose another image",
        )


def cluster_warnings(key: str, cluster: Cluster) -> Iterator[Problem]:
    """Yield warnings about settings that Magnum accepts, but that may not have the desired effect.

    Args:
        key: Key path of the cluster.
        cluster: The configuration.
    """
    if cluster.driver == "capi" and cluster.api_allowed_cidrs:
        # magnum-capi-helm sets the chart's value apiServer.allowedCidrs. Charts for v1beta1 of OpenStackCluster have
        # passed it on in a field that does not exist, and read allowedCIDRs since 0.24 (capi-helm-charts #699).
        yield Problem(
            where=f"rsp:{key}.apiAllowedCidrs",
            what="depends on the cloud's release of capi-helm-charts, and some ignore it: check `allowed_cidrs` with "
            f"`openstack loadbalancer listener show` after the deployment, or set {key}.publicApi to false; where it "
            "has an effect, it must include the addresses of Magnum's management cluster",
            fatal=False,
        )
    if not cluster.is_supported_by_phalanx:
        yield Problem(
            where=f"rsp:{key}.kubernetesVersion",
            what=f"Phalanx requires Kubernetes {'.'.join(map(str, versions.KUBERNETES_MINIMUM))} or later, got "
            f"{cluster.kubernetes_version}; the newest release tested with Magnum's Heat driver is "
            f"{next(iter(heat_releases.TESTED))}: "
            f"use an image for Cluster API and {key}.driver capi if the cloud has that driver",
            fatal=False,
        )


def creation_warnings(key: str, cluster: Cluster) -> Iterator[Problem]:
    """Yield warnings about what is hard to change once a cluster exists.

    Args:
        key: Key path of the cluster.
        cluster: The configuration.
    """
    if cluster.driver == "capi":
        # No label reaches kubeletExtraArgs of capi-helm-charts. For Heat, config/magnum_labels.py sets kubelet_options.
        yield Problem(
            where=f"rsp:{key}.driver",
            what="is capi, whose nodes report 50 images at most: with more on them, Nublado leaves images out of its "
            "menu. Change the kubelets' configuration as soon as the cluster exists "
            "(docs/howto/labs.md#nodes-with-more-than-50-images)",
            fatal=False,
        )
    if cluster.masters.count == 1:
        # Cluster API: "KCP can't remediate if current replicas are less or equal to 1" (remediation.go of its kubeadm
        # control plane). With Heat, a rebuilt master has an empty etcd, too.
        yield Problem(
            where=f"rsp:{key}.masters.count",
            what="is 1: the loss of this server or its disk is the loss of the cluster "
            "(docs/runbooks/cluster-loss.md), and autohealing does not replace a single master: set 3, unless the "
            "cluster is for tests",
            fatal=False,
        )


def flavor_warnings(key: str, cluster: Cluster, flavors: Mapping[str, Flavor]) -> Iterator[Problem]:
    """Yield a warning for each flavor of nodes that is below the default minimum of magnum-capi-helm.

    Args:
        key: Key path of the cluster.
        cluster: The configuration.
        flavors: The cloud's flavors by name; names that it does not have are ignored.
    """
    if cluster.driver != "capi":
        return
    minimum = MINIMUM_FLAVOR
    for path, name in flavors_of(key, cluster).items():
        flavor = flavors.get(name, minimum)
        if flavor.vcpus < minimum.vcpus or flavor.ram < minimum.ram:
            yield Problem(
                where=f"rsp:{path}",
                what=f"`{name}` has {flavor.vcpus} vCPUs and {flavor.ram} MiB of memory; Magnum's Cluster API driver "
                f"refuses less than {minimum.vcpus} and {minimum.ram}, unless the cloud has other limits: "
                "choose a larger flavor",
                fatal=False,
            )


def flavors_of(key: str, cluster: Cluster) -> dict[str, str]:
    """Return the flavors of a cluster's nodes by key path.

    Args:
        key: Key path of the cluster.
        cluster: The configuration.
    """
    return {
        f"{key}.masters.flavor": cluster.masters.flavor,
        **{f"{key}.{path}.flavor": group.flavor for path, group in cluster.groups_by_path.items()},
    }


def _with_v(release: str) -> str:
    return f"v{release.lstrip('v')}"
