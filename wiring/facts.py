"""Helm values that follow from created resources, such as addresses.

The keys are those of the applications' ``values.yaml`` in https://github.com/lsst-sqre/phalanx. Values that follow from
the configuration alone are in wiring/application_values.py.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from wiring import lab_volumes

Text = TypeVar("Text")
"""Text, or an Output of it."""


@dataclass(frozen=True, kw_only=True)
class Mount(Generic[Text]):
    """Where clients find an NFS export."""

    server: Text
    """Address of the NFS server."""
    path: Callable[[str], Text]
    """Returns the path on the server of a path below the export, which begins with a slash or is empty."""


@dataclass(frozen=True, kw_only=True)
class Facts(Generic[Text]):
    """Infrastructure values that applications need. None of them is secret."""

    ingress_address: Text
    """Floating IPv4 address of ingress-nginx."""
    ingress_annotations: Mapping[str, str]
    """Annotations of the Service of ingress-nginx for the OpenStack cloud controller."""
    ingress_controller_kind: str
    """Kubernetes kind of ingress-nginx that the load balancer requires: DaemonSet or Deployment."""
    ingress_is_public: bool
    """Whether the cloud controller's load balancer gets the address; that of a cluster that is not active does not."""
    ingress_node_ports: Mapping[str, int]
    """NodePorts that a load balancer of this stack forwards to, by name; empty if the cloud controller creates one."""
    ingress_proxy_protocol: bool
    """Whether that load balancer passes the client's address by the PROXY protocol."""
    nfs_mounts: Mapping[str, Mount[Text]]
    """NFS exports by their path in the Phalanx repository, such as ``/jhome``. Others remain as the repository has
    them."""
    s3_endpoint: Text
    """URL of the object store's S3 service."""
    s3_bucket: Text
    """Bucket for the results of asynchronous TAP queries."""
    s3_buckets: Mapping[str, Text]
    """Buckets of individual applications in its place, by application."""
    vault_credentials: Text
    """Fingerprint of the IDs with which vault-secrets-operator logs in to Vault."""


def helm_values(application: str, facts: Facts[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Helm values of an application that contain facts.

    Args:
        application: Name of the Phalanx application.
        facts: The facts.
        values: The application's merged Helm values, without facts.

    Returns:
        Helm values that override ``values``; empty if the application needs no fact.
    """
    wire = _WIRING.get(application)
    return wire(facts, values) if wire else {}


def _ingress_nginx(facts: Facts[Any], _values: Mapping[str, Any]) -> dict[str, Any]:
    annotations = dict(facts.ingress_annotations)
    controller: dict[str, Any] = {"kind": facts.ingress_controller_kind}
    if facts.ingress_node_ports:
        ports = dict(facts.ingress_node_ports)
        controller |= {
            "config": {"use-proxy-protocol": str(facts.ingress_proxy_protocol).lower()},
            # The status of Ingresses: the Service has no address of its own.
            "extraArgs": {"publish-status-address": facts.ingress_address},
            "publishService": {"enabled": False},
            "service": {"type": "NodePort", "nodePorts": ports, "loadBalancerIP": "", "annotations": annotations},
        }
    else:
        # An internal load balancer would take it as its address in the nodes' subnet.
        address = facts.ingress_address if facts.ingress_is_public else ""
        controller["service"] = {"loadBalancerIP": address, "annotations": annotations}
    return {"ingress-nginx": {"controller": controller}}


def _nublado(facts: Facts[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Set server and path of the labs' volumes on NFS. Helm does not merge lists, so that all volumes are repeated."""
    volumes = deepcopy(lab_volumes.volumes(values))
    changed = False
    for source in lab_volumes.nfs_sources(volumes):
        if found := lab_volumes.split(source["serverPath"], facts.nfs_mounts):
            export, below = found
            mount = facts.nfs_mounts[export]
            source |= {"server": mount.server, "serverPath": mount.path(below)}
            changed = True
    return {"controller": {"config": {"lab": {"volumes": volumes}}}} if changed else {}


def _cadc_tap(application: str, facts: Facts[Any], _values: Mapping[str, Any]) -> dict[str, Any]:
    bucket = facts.s3_buckets.get(application, facts.s3_bucket)
    config = {"gcsBucket": bucket, "gcsBucketUrl": facts.s3_endpoint, "gcsBucketType": "S3"}
    return {"cadc-tap": {"config": config}}


def _vault_secrets_operator(facts: Facts[Any], _values: Mapping[str, Any]) -> dict[str, Any]:
    """Restart the operator's pods whenever its IDs change, as it reads them only when it starts."""
    return {"vault-secrets-operator": {"podAnnotations": {"checksum/vault-credentials": facts.vault_credentials}}}


_WIRING: Mapping[str, Callable[[Facts[Any], Mapping[str, Any]], dict[str, Any]]] = {
    "ingress-nginx": _ingress_nginx,
    "nublado": _nublado,
    "ssotap": partial(_cadc_tap, "ssotap"),
    "tap": partial(_cadc_tap, "tap"),
    "vault-secrets-operator": _vault_secrets_operator,
}

APPLICATIONS = frozenset(_WIRING)
"""Applications that get facts."""
