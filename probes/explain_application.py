"""The reasons why an Argo CD Application is not synced and healthy."""

from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import Any, Final

from probes import readiness
from probes.kubernetes_api import KubernetesApi, Object
from probes.namespace_causes import NamespaceCauses, one_line

_ARGOCD: Final = "argocd"
"""Argo CD's namespace."""
_ALWAYS_READY: Final = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "NetworkPolicy",
        "Role",
        "RoleBinding",
        "Secret",
        "ServiceAccount",
    }
)
"""Kinds that are ready at once, so that they need not be requested; an Application has many of them."""


def explain(api: KubernetesApi, inputs: Mapping[str, Any]) -> list[str]:
    """Return the reasons why an Application, or its first sync, did not become ready.

    Args:
        api: Client for the cluster.
        inputs: Inputs of the resource.

    Returns:
        Lines of text without secrets, root causes first; empty if the Application is healthy or does not exist.

    Raises:
        KubernetesError: The API cannot be reached, or refuses the request.
    """
    name = inputs["metadata"]["name"]
    found = api.get(f"/apis/argoproj.io/v1alpha1/namespaces/{_ARGOCD}/applications/{name}")
    if found is None:
        return []
    status = found.get("status") or {}
    if not status.get("sync"):
        causes = NamespaceCauses.read(api, _ARGOCD)
        return ["Argo CD has not reconciled the Application yet", *_indented(causes.of_pods(causes.pods))]
    state = (status["sync"].get("status"), (status.get("health") or {}).get("status"))
    from_argocd = [*_outdated(found), *_conditions(status), *_failed_tasks(status)]
    lines = list(dict.fromkeys([*from_argocd, *_unhealthy(api, found)]))
    return [_headline(status, state), *lines] if lines or state != ("Synced", "Healthy") else []


def _headline(status: Object, state: tuple[str | None, str | None]) -> str:
    headline = f"The Application is {', '.join(part for part in state if part)}"
    operation = status.get("operationState") or {}
    if operation.get("phase", "Succeeded") == "Succeeded":
        return headline
    return f"{headline}; last sync {one_line(operation['phase'], operation.get('message'))}"


def _outdated(found: Object) -> Iterator[str]:
    """Yield what Argo CD has not compared yet: the current revision or facts."""
    compared, wanted = found["status"]["sync"].get("revision"), found["spec"]["source"].get("targetRevision")
    # A branch cannot be checked: the compared revision is always a commit.
    if compared and wanted and len(wanted) == len(compared) and compared != wanted:
        yield f"Argo CD has compared revision {compared[:8]} but not yet {wanted[:8]}"
    source = (found["status"]["sync"].get("comparedTo") or {}).get("source")
    if source and _facts_hash(source) != _facts_hash(found["spec"]["source"]):
        yield "Argo CD has not yet compared the Application's current facts"


def _facts_hash(source: Object) -> str | None:
    values = (source.get("helm") or {}).get("valuesObject") or {}
    found: str | None = (values.get("global") or {}).get("factsHash")
    return found


def _conditions(status: Object) -> Iterator[str]:
    for condition in status.get("conditions") or []:
        if condition["type"].endswith("Error"):
            yield one_line(condition["type"], condition.get("message"))


def _failed_tasks(status: Object) -> Iterator[str]:
    """Yield the objects that could not be applied and the hooks that failed."""
    operation = status.get("operationState") or {}
    for task in (operation.get("syncResult") or {}).get("resources") or []:
        outcome = task.get("status") if task.get("status") == "SyncFailed" else task.get("hookPhase")
        if outcome in {"SyncFailed", "Failed", "Error"}:
            yield f"{_label(task)}: {one_line(outcome, task.get('message'))}"


def _unhealthy(api: KubernetesApi, found: Object) -> Iterator[str]:
    """Yield the objects of the Application that are not ready, each with its causes, then those that are not synced."""
    status = found["status"]
    resources = status.get("resources") or []
    if (status.get("health") or {}).get("status") != "Healthy":
        cluster = _Cluster(api)
        default = found["spec"]["destination"].get("namespace") or "default"
        for each in resources:
            if each["kind"] not in _ALWAYS_READY:
                yield from cluster.causes(each, each.get("namespace") or default)
    for each in resources:
        if each.get("status") != "Synced":
            yield f"{_label(each)}: {each.get('status')}{', to be pruned' * bool(each.get('requiresPruning'))}"


class _Cluster:
    """The live objects of an Application; collections and namespaces are read once."""

    def __init__(self, api: KubernetesApi) -> None:
        self._api = api
        self._collection = cache(api.collection)
        self._namespace = cache(partial(NamespaceCauses.read, api))

    def causes(self, resource: Object, namespace: str) -> Iterator[str]:
        """Yield what an object is missing and why; nothing if it is ready."""
        version = "/".join(part for part in (resource.get("group"), resource["version"]) if part)
        collection = self._collection(version, resource["kind"], namespace)
        live = self._api.get(f"{collection}/{resource['name']}") if collection else None
        missing = readiness.missing(live) if live else "does not exist"
        if missing:
            yield f"{_label(resource)}: {missing}"
            of_pods = self._namespace(namespace).of(resource["kind"], resource["name"])
            yield from _indented([*readiness.failures(live or {}), *of_pods])


def _label(resource: Object) -> str:
    name = "/".join(part for part in (resource.get("namespace"), resource["name"]) if part)
    return f"{resource['kind']} {name}"


def _indented(lines: list[str]) -> list[str]:
    return [f"  {line}" for line in lines]
