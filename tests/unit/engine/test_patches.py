import time
from typing import Any

from sandbox.engine.adapters.base import Operation, Update
from sandbox.engine.adapters.kubernetes import PACKAGE
from sandbox.engine.adapters.kubernetes.client import FIELD_MANAGER, Kubernetes
from sandbox.engine.adapters.kubernetes.patches import ObjectPatch

INPUTS: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {
        "name": "tap",
        "namespace": "argocd",
        "annotations": {"pulumi.com/waitFor": '["jsonpath={.status.phase}=Succeeded"]'},
    },
    "operation": {"sync": {}},
}


class Cluster(Kubernetes):
    """A cluster with one Application, in which an operation is done at once and taken out of the object."""

    def __init__(self) -> None:
        self.delete_unreachable = self.force = self.upsert = False
        self.found: dict[str, Any] | None = {
            "metadata": {"name": "tap", "namespace": "argocd"},
            "spec": {"project": "rsp"},
        }
        self.applied: list[tuple[dict[str, Any], str]] = []

    def get(self, api_version: str, kind: str, name: str, namespace: str | None) -> dict[str, Any] | None:
        assert (api_version, kind, name, namespace) == ("argoproj.io/v1alpha1", "Application", "tap", "argocd")
        return self.found

    def apply(
        self, body: dict[str, Any], *, force: bool, dry_run: bool = False, manager: str = FIELD_MANAGER
    ) -> dict[str, Any]:
        assert force
        assert not dry_run
        self.applied.append((body, manager))
        assert self.found is not None
        if "operation" in body:
            self.found = {**self.found, "status": {"phase": "Succeeded"}}
        return self.found


def adapter() -> ObjectPatch:
    found = PACKAGE.adapter("kubernetes:argoproj.io/v1alpha1:ApplicationPatch")
    assert isinstance(found, ObjectPatch)
    return found


def operation() -> Operation:
    return Operation(deadline=time.monotonic() + 5)


def test_applies_its_fields_to_the_object_of_another_by_a_manager_of_its_own() -> None:
    cluster = Cluster()
    made = adapter().create(cluster, INPUTS, operation())
    assert made.id == "argocd/tap"
    assert made.outputs["status"] == {"phase": "Succeeded"}
    assert cluster.applied == [(INPUTS, f"{FIELD_MANAGER}-patch")]


def test_is_there_as_long_as_the_object_is() -> None:
    cluster = Cluster()
    assert adapter().read(cluster, "argocd/tap", INPUTS, {}) == cluster.found
    cluster.found = None
    assert adapter().read(cluster, "argocd/tap", INPUTS, {}) is None


def test_gives_its_fields_back_and_leaves_the_object() -> None:
    cluster = Cluster()
    update = Update(old=INPUTS, new=INPUTS, outputs={})
    adapter().delete(cluster, "argocd/tap", update, operation())
    ((body, manager),) = cluster.applied
    assert manager == f"{FIELD_MANAGER}-patch"
    assert body["metadata"] == {"name": "tap", "namespace": "argocd"}
    assert "operation" not in body

    cluster.found = None
    adapter().delete(cluster, "argocd/tap", update, operation())
    assert len(cluster.applied) == 1
