"""Where each infrastructure value goes in the Helm values of the applications that need it.

Nobody copies an address by hand: what a component makes is a fact, and this module says which keys of which
application it becomes. The keys are those of the applications' ``values.yaml`` in https://github.com/lsst-sqre/phalanx.
What the configuration alone tells them is in wiring/application_values.py.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Generic, TypeVar

Text = TypeVar("Text")
"""Text, or an Output of it."""


class FactError(Exception):
    """An application asks for something that the infrastructure of this environment does not offer."""


@dataclass(frozen=True, kw_only=True)
class Facts(Generic[Text]):
    """What the infrastructure knows and an application must be told. None of it is secret."""

    ingress_address: Text
    """The floating IPv4 address at which users reach the platform."""
    ingress_annotations: Mapping[str, str]
    """Annotations of the ingress Service for the OpenStack cloud controller."""
    ingress_controller_kind: str
    """Kubernetes kind of the ingress controller that the load balancer needs: DaemonSet or Deployment."""
    nfs_address: Text
    """The IPv4 address of the NFS server, in the cluster's subnet."""
    s3_endpoint: Text
    """The URL of the object store's S3 service."""
    s3_bucket: Text
    """The bucket for the results of asynchronous TAP queries."""
    vault_credentials: Text
    """Fingerprint of the ids with which vault-secrets-operator logs in to Vault."""


def helm_values(application: str, facts: Facts[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Put the facts that an application needs under its own Helm keys.

    Args:
        application: Name of the Phalanx application.
        facts: What the infrastructure knows.
        values: The application's merged Helm values, without facts.

    Returns:
        Helm values to merge over ``values``; empty for an application that needs no fact.
    """
    wire = _WIRING.get(application)
    return wire(facts, values) if wire else {}


def check_mounts(nublado: Mapping[str, Any], exports: Sequence[str]) -> None:
    """Check that the NFS server will export what the labs mount.

    Args:
        nublado: Merged Helm values of nublado.
        exports: The absolute paths that are exported.

    Raises:
        FactError: If a mounted path is neither an export nor below one; all of them at once.
    """
    paths = {source["serverPath"] for source in _nfs_sources(_lab_volumes(nublado))}
    missing = sorted(path for path in paths if not any(PurePosixPath(path).is_relative_to(each) for each in exports))
    if missing:
        raise FactError(
            f"nublado mounts {', '.join(missing)} (controller.config.lab.volumes in the Phalanx repository), but the "
            f"NFS server exports only {', '.join(exports)}: add a volume to rsp:nfs.volumes, or change the mount",
        )


def _ingress_nginx(facts: Facts[Any], _values: Mapping[str, Any]) -> dict[str, Any]:
    service = {"loadBalancerIP": facts.ingress_address, "annotations": dict(facts.ingress_annotations)}
    return {"ingress-nginx": {"controller": {"kind": facts.ingress_controller_kind, "service": service}}}


def _nublado(facts: Facts[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Send every NFS volume of the labs to our server. Helm replaces a list whole, so all volumes are repeated."""
    volumes = deepcopy(_lab_volumes(values))
    sources = _nfs_sources(volumes)
    for source in sources:
        source["server"] = facts.nfs_address
    return {"controller": {"config": {"lab": {"volumes": volumes}}}} if sources else {}


def _lab_volumes(nublado: Mapping[str, Any]) -> list[dict[str, Any]]:
    volumes: list[dict[str, Any]] | None = nublado.get("controller", {}).get("config", {}).get("lab", {}).get("volumes")
    return volumes or []


def _nfs_sources(volumes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [volume["source"] for volume in volumes if volume["source"].get("type") == "nfs"]


def _cadc_tap(facts: Facts[Any], _values: Mapping[str, Any]) -> dict[str, Any]:
    config = {"gcsBucket": facts.s3_bucket, "gcsBucketUrl": facts.s3_endpoint, "gcsBucketType": "S3"}
    return {"cadc-tap": {"config": config}}


def _vault_secrets_operator(facts: Facts[Any], _values: Mapping[str, Any]) -> dict[str, Any]:
    """Roll the operator's Deployment whenever its ids change: it reads them when it starts, and never again."""
    return {"vault-secrets-operator": {"podAnnotations": {"checksum/vault-credentials": facts.vault_credentials}}}


_WIRING: Mapping[str, Callable[[Facts[Any], Mapping[str, Any]], dict[str, Any]]] = {
    "ingress-nginx": _ingress_nginx,
    "nublado": _nublado,
    "ssotap": _cadc_tap,
    "tap": _cadc_tap,
    "vault-secrets-operator": _vault_secrets_operator,
}
