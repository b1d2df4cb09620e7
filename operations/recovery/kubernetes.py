"""What objects and Helm releases look like in a cluster, by the rules of Pulumi's provider for Kubernetes."""

from collections.abc import Iterable, Mapping
from typing import Any

from operations.kubernetes_api import KubernetesApi
from operations.recovery.document import Inputs, secret
from operations.recovery.finder import AmbiguousError, Finder, Found

RELEASE = "kubernetes:helm.sh/v3:Release"
_MANAGER = "pulumi-kubernetes"
"""What the names of the provider's field managers begin with."""


def connect(settings: Inputs) -> KubernetesApi:
    """The cluster of the provider's kubeconfig; errors as for `KubernetesApi`."""
    return KubernetesApi(str(settings.get("kubeconfig") or ""))


def _objects(cluster: KubernetesApi, inputs: Inputs) -> Iterable[Found]:
    """The object of that kind, namespace and name, if the provider has made it.

    Raises:
        AmbiguousError: It is there, but somebody else has made it.
    """
    metadata = inputs["metadata"]
    namespace, name = metadata.get("namespace"), metadata["name"]
    collection = cluster.collection(inputs["apiVersion"], inputs["kind"], namespace)
    found = cluster.get(f"{collection}/{name}") if collection else None
    if found is None or found["metadata"].get("deletionTimestamp"):
        return
    managers = [each.get("manager", "") for each in found["metadata"].get("managedFields", [])]
    ours = next((each for each in managers if each.startswith(_MANAGER)), None)
    if ours is None:
        raise AmbiguousError(
            f"{inputs['kind']} {name} was made by {', '.join(managers) or 'somebody else'}: remove it, "
            "or let Pulumi have it by `pulumi import`",
        )
    namespaced = found["metadata"].get("namespace")
    yield Found(
        f"{namespaced}/{name}" if namespaced else name,
        # Under another manager's name the provider could not change a field of it any more.
        {"__fieldManager": ours, "__initialApiVersion": inputs["apiVersion"]},
    )


def _releases(cluster: KubernetesApi, inputs: Inputs) -> Iterable[Found]:
    """The release of that name, unless its installation was cut off."""
    latest = _latest(cluster, inputs)
    if latest is not None and not interrupted(latest):
        # The provider takes the inputs of a release from there.
        yield Found(f"{_namespace(inputs)}/{inputs['name']}", {"__inputs": secret(inputs)})


def interrupted(record: Mapping[str, Any]) -> bool:
    """Whether an operation on a release was cut off: Helm refuses every further one then."""
    return str(record["metadata"]["labels"].get("status", "")).startswith("pending-")


def cut_off(cluster: KubernetesApi, inputs: Inputs) -> str | None:
    """The path of Helm's record of an operation that was cut off; None if there is none."""
    latest = _latest(cluster, inputs)
    if latest is None or not interrupted(latest):
        return None
    return f"/api/v1/namespaces/{_namespace(inputs)}/secrets/{latest['metadata']['name']}"


def _latest(cluster: KubernetesApi, inputs: Inputs) -> Mapping[str, Any] | None:
    """Helm's record of a release's last revision."""
    selector = f"owner=helm,name={inputs['name']}"
    records = cluster.items(f"/api/v1/namespaces/{_namespace(inputs)}/secrets", labelSelector=selector)
    return max(records, key=lambda each: int(each["metadata"]["labels"]["version"]), default=None)


def _namespace(inputs: Inputs) -> str:
    return str(inputs.get("namespace") or "default")


RELEASES: Finder[KubernetesApi] = Finder(find=_releases)
OBJECTS: Finder[KubernetesApi] = Finder(find=_objects)


def finder(type_token: str) -> Finder[KubernetesApi] | None:
    """How a type is found: any kind of object, and releases; None for what may be applied twice."""
    if type_token == RELEASE:
        return RELEASES
    return None if type_token.endswith("Patch") else OBJECTS
