"""Find Kubernetes objects and Helm releases by the rules of Pulumi's Kubernetes provider."""

from collections.abc import Iterable, Mapping
from typing import Any

from probes.kubernetes_api import KubernetesApi
from recovery.document import Inputs, secret
from recovery.finder import AmbiguousError, Finder, Found

RELEASE = "kubernetes:helm.sh/v3:Release"
_MANAGER = "pulumi-kubernetes"
"""Prefix of the provider's field managers."""


def connect(settings: Inputs) -> KubernetesApi:
    """Return a client for the cluster of the provider's kubeconfig; raises as `KubernetesApi`."""
    return KubernetesApi(str(settings.get("kubeconfig") or ""))


def _objects(cluster: KubernetesApi, inputs: Inputs) -> Iterable[Found]:
    """Yield the object of that kind, namespace and name, if the provider created it.

    Raises:
        AmbiguousError: The object exists, but the provider did not create it.
    """
    metadata = inputs["metadata"]
    namespace, name = metadata.get("namespace"), metadata["name"]
    collection = cluster.collection(inputs["apiVersion"], inputs["kind"], namespace)
    found = cluster.get(f"{collection}/{name}") if collection else None
    if found is None or found["metadata"].get("deletionTimestamp"):
        return
    managed = found["metadata"].get("managedFields", [])
    ours = [each for each in managed if each.get("manager", "").startswith(_MANAGER)]
    if not ours:
        managers = ", ".join(each.get("manager", "") for each in managed)
        raise AmbiguousError(
            f"{inputs['kind']} {name} was created by {managers or 'an unknown manager'}: remove it, "
            "or bring it into the stack with `pulumi import`",
        )
    # A patch of the provider has a manager of its own, with fewer fields.
    manager = max(ours, key=lambda each: len(str(each.get("fieldsV1"))))["manager"]
    namespaced = found["metadata"].get("namespace")
    yield Found(
        f"{namespaced}/{name}" if namespaced else name,
        # With another manager the provider's updates would conflict with its own earlier ones.
        {"__fieldManager": manager, "__initialApiVersion": inputs["apiVersion"]},
    )


def _releases(cluster: KubernetesApi, inputs: Inputs) -> Iterable[Found]:
    """Yield the release of that name, unless an operation on it was interrupted."""
    latest = _latest(cluster, inputs)
    if latest is not None and not interrupted(latest):
        # The provider reads the inputs of a release from this property.
        yield Found(f"{_namespace(inputs)}/{inputs['name']}", {"__inputs": secret(inputs)})


def interrupted(record: Mapping[str, Any]) -> bool:
    """Return whether an operation on a release was interrupted, after which Helm refuses further operations."""
    return _status(record).startswith("pending-")


def _status(record: Mapping[str, Any]) -> str:
    return str(record["metadata"]["labels"].get("status", ""))


def exists(cluster: KubernetesApi, inputs: Inputs) -> bool:
    """Return whether Helm has a record of a release."""
    return _latest(cluster, inputs) is not None


def interrupted_record(cluster: KubernetesApi, inputs: Inputs, *, failed: bool = False) -> str | None:
    """Return the path of Helm's latest record of a release if its operation was interrupted, otherwise None.

    Args:
        cluster: Client for the cluster.
        inputs: Inputs of the release.
        failed: Whether to return it if the operation failed, too.
    """
    latest = _latest(cluster, inputs)
    if latest is None or not (interrupted(latest) or (failed and _status(latest) == "failed")):
        return None
    return f"/api/v1/namespaces/{_namespace(inputs)}/secrets/{latest['metadata']['name']}"


def _latest(cluster: KubernetesApi, inputs: Inputs) -> Mapping[str, Any] | None:
    """Return Helm's record of a release's latest revision."""
    selector = f"owner=helm,name={inputs['name']}"
    records = cluster.items(f"/api/v1/namespaces/{_namespace(inputs)}/secrets", labelSelector=selector)
    return max(records, key=lambda each: int(each["metadata"]["labels"]["version"]), default=None)


def _namespace(inputs: Inputs) -> str:
    return str(inputs.get("namespace") or "default")


RELEASES: Finder[KubernetesApi] = Finder(find=_releases)
OBJECTS: Finder[KubernetesApi] = Finder(find=_objects)


def finder(type_token: str) -> Finder[KubernetesApi] | None:
    """Return the finder for releases or for objects of any kind, or None for a patch, which can be applied again."""
    if type_token == RELEASE:
        return RELEASES
    return None if type_token.endswith("Patch") else OBJECTS
