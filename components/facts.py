"""Where each infrastructure value goes in the Helm values of the applications that need it.

Nobody copies an address by hand: what a component makes is a fact, and this module says which keys of which
application it becomes. The keys are those of the applications' ``values.yaml`` in https://github.com/lsst-sqre/phalanx.
"""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import pulumi


class FactError(Exception):
    """An application asks for something that the infrastructure of this environment does not offer."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the infrastructure knows and an application must be told. None of it is secret."""

    ingress_address: pulumi.Input[str]
    """The floating IPv4 address at which users reach the platform."""
    ingress_annotations: Mapping[str, str]
    """Annotations of the ingress Service for the OpenStack cloud controller."""
    nfs_address: pulumi.Input[str]
    """The IPv4 address of the NFS server, in the cluster's subnet."""
    nfs_exports: Sequence[str]
    """The absolute paths that the NFS server exports."""
    s3_endpoint: pulumi.Input[str]
    """The URL of the object store's S3 service."""
    s3_bucket: pulumi.Input[str]
    """The bucket for the results of asynchronous TAP queries."""
    database_storage_class: str
    """The StorageClass of the internal PostgreSQL server's volume."""


def helm_values(application: str, facts: Facts, values: Mapping[str, Any]) -> dict[str, Any]:
    """Put the facts that an application needs under its own Helm keys.

    Args:
        application: Name of the Phalanx application.
        facts: What the infrastructure knows.
        values: The application's merged Helm values as its checkout has them (``values.yaml`` and ``values-<env>.yaml``).

    Returns:
        Helm values to merge over ``values``; empty for an application that needs no fact.

    Raises:
        FactError: If the application mounts an NFS path that is not exported.
    """
    wire = _WIRING.get(application)
    return wire(facts, values) if wire else {}


def _ingress_nginx(facts: Facts, _values: Mapping[str, Any]) -> dict[str, Any]:
    service = {"loadBalancerIP": facts.ingress_address, "annotations": dict(facts.ingress_annotations)}
    return {"ingress-nginx": {"controller": {"service": service}}}


def _nublado(facts: Facts, values: Mapping[str, Any]) -> dict[str, Any]:
    """Send every NFS volume of the labs to our server. Helm replaces a list whole, so all volumes are repeated."""
    lab = values.get("controller", {}).get("config", {}).get("lab", {})
    volumes = deepcopy(lab.get("volumes") or [])
    sources = [volume["source"] for volume in volumes if volume.get("source", {}).get("type") == "nfs"]
    missing = sorted({source["serverPath"] for source in sources if not _exported(source["serverPath"], facts)})
    if missing:
        raise FactError(
            f"nublado: controller.config.lab.volumes mounts {', '.join(missing)}, but the NFS server exports "
            f"{', '.join(facts.nfs_exports)} only: add an export to rsp:nfs.exports",
        )
    for source in sources:
        source["server"] = facts.nfs_address
    return {"controller": {"config": {"lab": {"volumes": volumes}}}} if sources else {}


def _exported(path: str, facts: Facts) -> bool:
    return any(PurePosixPath(path).is_relative_to(export) for export in facts.nfs_exports)


def _cadc_tap(facts: Facts, _values: Mapping[str, Any]) -> dict[str, Any]:
    config = {"gcsBucket": facts.s3_bucket, "gcsBucketUrl": facts.s3_endpoint, "gcsBucketType": "S3"}
    return {"cadc-tap": {"config": config}}


def _postgres(facts: Facts, _values: Mapping[str, Any]) -> dict[str, Any]:
    return {"postgresStorageClass": facts.database_storage_class}


_WIRING: Mapping[str, Callable[[Facts, Mapping[str, Any]], dict[str, Any]]] = {
    "ingress-nginx": _ingress_nginx,
    "nublado": _nublado,
    "postgres": _postgres,
    "ssotap": _cadc_tap,
    "tap": _cadc_tap,
}
