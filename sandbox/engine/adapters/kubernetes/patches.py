"""Patch resources: some fields of an object that another resource makes.

By the rules of pulumi-kubernetes (`provider/pkg/kinds/util.go`, `provider/pkg/await/await.go`): applied by a field
manager of its own, waited for by its own annotations, and given back, not removed, at its end.
"""

from collections.abc import Iterable
from typing import Final

from sandbox.engine.adapters.base import Made, Operation, Update
from sandbox.engine.adapters.kubernetes.client import FIELD_MANAGER, Kubernetes
from sandbox.engine.adapters.kubernetes.objects import KubernetesObject, identifier
from sandbox.engine.values import Properties

_MANAGER: Final = f"{FIELD_MANAGER}-patch"


class ObjectPatch(KubernetesObject):
    """Some fields of an object; its id is that of the object."""

    def create(self, client: Kubernetes, inputs: Properties, operation: Operation) -> Made:
        """Apply the fields and wait as its annotations ask."""
        applied = self._patiently(lambda: self._apply(client, inputs), operation)
        self._wait(client, applied, inputs, operation)
        return Made(id=identifier(applied["metadata"]), outputs=self._get(client, inputs) or applied)

    def delete(self, client: Kubernetes, identifier: str, change: Update, operation: Operation) -> None:
        """Give the fields back: whoever else manages them keeps them."""
        if self._get(client, change.old) is not None:
            metadata = {key: change.old["metadata"].get(key) for key in ("name", "namespace")}
            bare = {"apiVersion": change.old["apiVersion"], "kind": change.old["kind"], "metadata": metadata}
            client.apply(bare, force=True, manager=_MANAGER)

    def candidates(self, client: Kubernetes, inputs: Properties) -> Iterable[str]:
        """None: to apply the same fields twice does no harm."""
        return ()

    def preview(self, client: Kubernetes, inputs: Properties, operation: Operation) -> None:
        """Its object may be made by the same run."""

    def _type(self) -> tuple[str, str]:
        api_version, kind = super()._type()
        return api_version, kind.removesuffix("Patch")

    def _apply(self, client: Kubernetes, inputs: Properties) -> Properties:
        return client.apply(self._body(inputs), force=True, manager=_MANAGER)
