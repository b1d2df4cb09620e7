"""Simulates kubelet functions that KWOK lacks: a Pod does not start before its Secrets and ConfigMaps exist.

With KWOK alone, a Pod would become Ready without its Secret. Therefore KWOK's stages are changed to wait for the Pod
condition `PodReadyToStartContainers`, which is set here once all required Secrets and ConfigMaps exist with their keys.
Until then the containers' state names the missing object, as a kubelet's does. The Pods of a node that was lost become
ready again with it.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from sandbox.cluster.kube import Kube, Object

CONDITION: Final = "PodReadyToStartContainers"
STAGE: Final = "pod-ready"
"""KWOK's stage that sets a Pod to running."""


@dataclass(frozen=True)
class Reference:
    """A Secret or ConfigMap that a Pod requires, optionally with a key."""

    collection: str
    """`secrets` or `configmaps`."""
    name: str
    key: str | None
    mounted: bool
    """True if it is mounted as a volume; otherwise it is used in the environment."""

    @property
    def reason(self) -> str:
        """The kubelet's reason for the waiting state of a container without this object."""
        return "ContainerCreating" if self.mounted else "CreateContainerConfigError"


def gated(stages: str) -> str:
    """Return KWOK's stages, with the stage `STAGE` waiting for the condition `CONDITION`.

    Args:
        stages: YAML documents.

    Raises:
        ValueError: The stage does not exist exactly once, as in an unsupported version of KWOK.
    """
    documents = [document for document in yaml.safe_load_all(stages) if document]
    (ready,) = (document for document in documents if document["metadata"]["name"] == STAGE)
    ready["spec"]["selector"]["matchExpressions"].append(
        {
            "key": f'.status.conditions.[] | select( .type == "{CONDITION}" ) | .status',
            "operator": "In",
            "values": ["True"],
        }
    )
    return yaml.safe_dump_all(documents)


def reconcile(kube: Kube, pods: list[Object]) -> None:
    """Let scheduled Pods start if their references exist; otherwise set the reason in their status."""
    for pod in pods:
        if not waits(pod):
            continue
        lack = next(((each, message) for each in references(pod) if (message := _lack(kube, pod, each))), None)
        changes = _startable(pod) if lack is None else _waiting(pod, lack[0].reason, lack[1])
        if any(pod["status"].get(field) != value for field, value in changes.items()):
            metadata = pod["metadata"]
            path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
            kube.merge(path, {"status": changes})


def report_ready(kube: Kube, pods: list[Object], ready_nodes: Collection[str]) -> None:
    """Set Pods with ready containers to ready, as a kubelet does that comes back.

    The node controller has set the Pods of its node to not ready, and KWOK leaves a running Pod as it is.
    """
    for pod in pods:
        if pod["spec"].get("nodeName") in ready_nodes and _lost_readiness(pod["status"]):
            metadata = pod["metadata"]
            path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
            conditions = [
                {**each, "status": "True"} if each["type"] == "Ready" else each for each in pod["status"]["conditions"]
            ]
            kube.merge(path, {"status": {"conditions": conditions}})


def _lost_readiness(status: Object) -> bool:
    conditions = {each["type"]: each["status"] for each in status.get("conditions", [])}
    containers = status.get("containerStatuses", [])
    return (
        status.get("phase") == "Running"
        and conditions.get("Ready") == "False"
        and all(each.get("ready") for each in containers)
    )


def waits(pod: Object) -> bool:
    """Return whether a Pod is scheduled but may not start yet."""
    conditions = {each["type"]: each["status"] for each in pod["status"].get("conditions", [])}
    return (
        bool(pod["spec"].get("nodeName"))
        and pod["status"].get("phase") == "Pending"
        and "deletionTimestamp" not in pod["metadata"]
        and conditions.get(CONDITION) != "True"
    )


def references(pod: Object) -> Iterator[Reference]:
    """Yield the Secrets and ConfigMaps that a Pod requires to start."""
    spec = pod["spec"]
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        for variable in container.get("env", []):
            source = variable.get("valueFrom", {})
            yield from _named("secrets", source.get("secretKeyRef"))
            yield from _named("configmaps", source.get("configMapKeyRef"))
        for source in container.get("envFrom", []):
            yield from _named("secrets", source.get("secretRef"))
            yield from _named("configmaps", source.get("configMapRef"))
    for volume in spec.get("volumes", []):
        for source in [volume, *volume.get("projected", {}).get("sources", [])]:
            yield from _named("secrets", source.get("secret"), mounted=True)
            yield from _named("configmaps", source.get("configMap"), mounted=True)


def _named(collection: str, source: dict[str, Any] | None, *, mounted: bool = False) -> Iterator[Reference]:
    if source is None or source.get("optional"):
        return
    name = source.get("secretName") or source["name"]
    keys = [item["key"] for item in source.get("items", [])] or [source.get("key")]
    for key in keys:
        yield Reference(collection, name, key, mounted)


def _lack(kube: Kube, pod: Object, reference: Reference) -> str | None:
    """Return the kubelet's message for a missing object or key; None if it exists."""
    namespace, name = pod["metadata"]["namespace"], reference.name
    kind = "secret" if reference.collection == "secrets" else "configmap"
    found = kube.get(f"/api/v1/namespaces/{namespace}/{reference.collection}/{name}")
    if found is None:
        return f'{kind} "{name}" not found'
    if reference.key is None or reference.key in {**found.get("data", {}), **found.get("binaryData", {})}:
        return None
    return f"couldn't find key {reference.key} in {kind} {namespace}/{name}"


def _startable(pod: Object) -> Object:
    others = [each for each in pod["status"].get("conditions", []) if each["type"] != CONDITION]
    return {"conditions": [*others, {"type": CONDITION, "status": "True"}]}


def _waiting(pod: Object, reason: str, message: str) -> Object:
    statuses = [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": "",
            "ready": False,
            "restartCount": 0,
            "state": {"waiting": {"reason": reason, "message": message}},
        }
        for container in pod["spec"]["containers"]
    ]
    return {"containerStatuses": statuses}
