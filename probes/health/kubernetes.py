"""Health of the Kubernetes API, its certificates, and the nodes."""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import yaml
from cryptography import x509

from phalanx.certificates import EXPIRY_WARNING, CertificateError, rfc3339
from probes import served_certificate
from probes.health import magnum, servers
from probes.health.finding import Finding, State, critical, ok, warning
from probes.kubernetes_api import KubernetesApi, KubernetesError, Object
from probes.namespace_causes import one_line

API: Final = "Kubernetes API"
KUBECONFIG: Final = "kubeconfig"

OLDEST_KUBELET: Final = 3
"""Number of minor releases by which a kubelet may be older than the API server; it must not be newer
(https://kubernetes.io/releases/version-skew-policy/)."""

_KUBECONFIG_RUNBOOK: Final = "docs/runbooks/kubeconfig.md"
_NODE_GUIDE: Final = "docs/howto/on-call.md#a-node-is-down"
_IMAGES_GUIDE: Final = "docs/howto/labs.md#nodes-with-more-than-50-images"

_MAX_IMAGES: Final = 50
"""Number of images that a kubelet reports at most by default (``nodeStatusMaxImages`` of KubeletConfiguration)."""
_CONTROL_PLANE: Final = "node-role.kubernetes.io/control-plane"
"""Label of masters, on which no lab runs, and which kubeadm excludes from load balancers."""

_EXCLUDED: Final = "node.kubernetes.io/exclude-from-external-load-balancers"
"""Label of a node that the cloud controller removes from load balancers
(https://kubernetes.io/docs/reference/labels-annotations-taints/). It does not remove a node that is not ready, since
Kubernetes 1.27 (``stableNodeSetPredicates`` of k8s.io/cloud-provider)."""


def node_subject(name: str) -> str:
    """Return the subject of the finding about a node."""
    return f"node {name}"


def api(client: KubernetesApi) -> Iterator[Finding]:
    """Check that the API server is ready, and its serving certificate.

    Raises:
        KubernetesError: The API cannot be reached, or refuses the request.
    """
    version = (client.get("/version") or {}).get("gitVersion", "an unknown release")
    yield ok(API, f"answers, {version}", version)
    url = urlsplit(client.server)
    host = url.hostname or ""
    try:
        served = served_certificate.fetch(host, (host, url.port or served_certificate.HTTPS))
    except CertificateError:
        return
    yield judge_expiry("certificate of the Kubernetes API", served.expires, datetime.now(UTC), _KUBECONFIG_RUNBOOK)


def program_kubeconfig(kubeconfig: str) -> Iterator[Finding]:
    """Check the expiry of the certificates in the kubeconfig with which `pulumi up` authenticates.

    Args:
        kubeconfig: Text of the kubeconfig in the stack's state.

    Raises:
        KubernetesError: It has no certificate.
    """
    try:
        document = yaml.safe_load(kubeconfig)
        encoded = [
            *(each["user"]["client-certificate-data"] for each in document["users"]),
            *(each["cluster"]["certificate-authority-data"] for each in document["clusters"]),
        ]
        found = [x509.load_pem_x509_certificate(base64.b64decode(each)).not_valid_after_utc for each in encoded]
    except (yaml.YAMLError, KeyError, TypeError, ValueError):
        # The message of the exception may contain a part of the document.
        raise KubernetesError("the kubeconfig in the stack's state has no certificates") from None
    yield judge_expiry(KUBECONFIG, min(found), datetime.now(UTC), _KUBECONFIG_RUNBOOK)


def judge_expiry(subject: str, expires: datetime, now: datetime, remedy: str) -> Finding:
    """Return the finding about the expiry of a certificate.

    Args:
        subject: Subject of the finding.
        expires: Time of expiry.
        now: Current time.
        remedy: How to renew it.
    """
    left = expires - now
    days = f"{left.days} day{'s' if left.days != 1 else ''} left, until {rfc3339(expires)}"
    if left <= timedelta(0):
        found = critical(subject, f"expired on {rfc3339(expires)}", remedy)
    else:
        found = warning(subject, days, remedy) if left <= EXPIRY_WARNING else ok(subject, days)
    return replace(found, expires=expires)


def nodes(client: KubernetesApi, *, monitored: bool = True) -> Iterator[Finding]:
    """Check the nodes.

    Args:
        client: Client for the cluster.
        monitored: As for `judge_nodes`.

    Raises:
        KubernetesError: The API cannot be reached, or refuses the request.
    """
    version = (client.get("/version") or {}).get("gitVersion", "")
    found = client.items("/api/v1/nodes")
    if not found:
        yield critical("nodes", "the cluster has no nodes", _NODE_GUIDE, because_of=(magnum.CLUSTER,))
    yield from judge_nodes(found, version, monitored=monitored)


def judge_nodes(found: Iterable[Object], api_version: str, *, monitored: bool = True) -> Iterator[Finding]:
    """Yield the findings about nodes.

    Args:
        found: The Node objects.
        api_version: Release of the API server.
        monitored: Whether the load balancer of the platform takes a node out that does not answer, or has another owner
            than the cloud controller.
    """
    for each in found:
        name, labels = each["metadata"]["name"], each["metadata"].get("labels") or {}
        lost = [*_not_ready(each)]
        reasons = [*lost, *_skew(each["status"]["nodeInfo"]["kubeletVersion"], api_version)]
        warnings = [*_pressure(each), *(["is cordoned"] if each["spec"].get("unschedulable") else [])]
        remedies = [f"`kubectl describe node {name}`", _NODE_GUIDE] if reasons or warnings else []
        if _EXCLUDED in labels and _CONTROL_PLANE not in labels and not lost:
            warnings.append("is excluded from load balancers")
            remedies.insert(0, f"`kubectl label node {name} {_EXCLUDED}-`")
        elif _EXCLUDED not in labels and lost and not monitored:
            remedies.insert(0, f"`kubectl label node {name} {_EXCLUDED}=true`, as it gets its share of the connections")
        if _hides_images(each):
            warnings.append(
                f"reports {_MAX_IMAGES} images, the maximum of its kubelet: Nublado takes others for absent, leaves "
                "them out of its menu, and pulls them again and again"
            )
            remedies.append(_IMAGES_GUIDE)
        if reasons or warnings:
            yield Finding(
                subject=node_subject(name),
                state=State.CRITICAL if reasons else State.WARNING,
                message="\n".join([*reasons, *warnings]),
                remedy="; ".join(remedies),
                because_of=(servers.subject(name),),
            )
        else:
            yield ok(node_subject(name), f"Ready, {each['status']['nodeInfo']['kubeletVersion']}")


def _not_ready(node: Object) -> Iterator[str]:
    conditions = {each["type"]: each for each in node["status"].get("conditions") or []}
    ready = conditions.get("Ready")
    if ready is None:
        yield "NotReady: the kubelet has never reported its state"
    elif ready["status"] != "True":
        yield f"NotReady since {ready.get('lastTransitionTime')}: {one_line(ready.get('reason'), ready.get('message'))}"


def _pressure(node: Object) -> Iterator[str]:
    for each in node["status"].get("conditions") or []:
        if each["type"] != "Ready" and each["status"] == "True":
            yield one_line(each["type"], each.get("message"))


def _hides_images(node: Object) -> bool:
    """Return whether a node where labs may run reports as many images as its kubelet does at most by default."""
    labels = node["metadata"].get("labels") or {}
    return _CONTROL_PLANE not in labels and len(node["status"].get("images") or []) == _MAX_IMAGES


def _skew(kubelet: str, api_version: str) -> Iterator[str]:
    own, server = _release(kubelet), _release(api_version)
    if own is None or server is None:
        return
    if own > server:
        yield f"kubelet {kubelet} is newer than the API server, {api_version}, which Kubernetes does not support"
    elif own[0] == server[0] and server[1] - own[1] > OLDEST_KUBELET:
        yield f"kubelet {kubelet} is too old for the API server, {api_version}"


def _release(version: str) -> tuple[int, int] | None:
    found = re.match(r"v(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None
