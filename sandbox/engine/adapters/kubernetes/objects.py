"""Kubernetes objects: applied on the server's side, waited for, read, and removed with all that belongs to them.

Which change replaces an object is that of pulumi-kubernetes (`provider/pkg/provider/diff.go`).
"""

import base64
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import urllib3.exceptions
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic.exceptions import ResourceNotFoundError

from sandbox.engine.adapters.base import Adapter, Made, Operation, Property, Update
from sandbox.engine.adapters.kubernetes import conditions
from sandbox.engine.adapters.kubernetes.client import Kubernetes
from sandbox.engine.diff import Change, matches, parse_path
from sandbox.engine.errors import EngineError, PartialFailureError, ResourceError
from sandbox.engine.values import Properties, Secret, has_secret, has_unknown, reveal

_POLL: Final = 1.0  # seconds
_APPEARING: Final = 60.0  # seconds that a namespace or a kind may take to appear
_NOT_FOUND: Final = 404
_COMMON: Final[Mapping[str, Property]] = {"apiVersion": Property(required=True), "kind": Property(required=True)}


class KubernetesObject(Adapter[Kubernetes]):
    """A kind of object; its id is `<namespace>/<name>`, or the name where it has no namespace.

    Args:
        kind: The type token.
        fields: The top-level fields besides apiVersion, kind and metadata.
        fixed: The paths of which a change replaces it, besides name and namespace.
        namespaced: Whether it lives in a namespace.
        secret: The outputs that are secret.
    """

    create_timeout = 600
    update_timeout = 600
    delete_timeout = 600

    def __init__(
        self,
        kind: str,
        fields: Iterable[str],
        *,
        fixed: Iterable[str] = (),
        namespaced: bool = True,
        secret: Iterable[str] = (),
    ) -> None:
        self.kind = kind
        self.properties = {**_COMMON, "metadata": Property(), **{field: Property() for field in fields}}
        self.secret_outputs = frozenset(secret)
        self._fixed = [parse_path(path) for path in ("metadata.name", "metadata.namespace", *fixed)]
        self._namespaced = namespaced

    def check(self, inputs: Properties, name: str, old: Mapping[str, Any] | None) -> Properties:
        """Give it a name, and a namespace, where the program does not."""
        checked = super().check(inputs, name, old)
        given = checked.get("metadata", {})
        metadata = dict(given.value if isinstance(given, Secret) else given)
        if "name" not in metadata:
            before = reveal((old or {}).get("metadata", {})).get("name")
            metadata["name"] = before or self._generated_name(name, None)
            metadata["annotations"] = {**metadata.get("annotations", {}), "pulumi.com/autonamed": "true"}
        if self._namespaced and "namespace" not in metadata:
            metadata["namespace"] = "default"
        if not has_unknown(metadata.get("annotations", {})):
            conditions.conditions(reveal(metadata))  # malformed ones are told before anything is made
        return {**checked, "metadata": Secret(metadata) if isinstance(given, Secret) else metadata}

    def create(self, client: Kubernetes, inputs: Properties, operation: Operation) -> Made:
        """Apply it and wait until it is ready; one that is there already is somebody else's."""
        if not client.upsert and self._get(client, inputs) is not None:
            raise ResourceError(
                "the object exists in the cluster already: import it, give it another name, "
                "or set upsert_existing_objects on the provider"
            )
        applied = self._patiently(lambda: self._apply(client, inputs), operation)
        self._wait(client, applied, inputs, operation)
        return Made(id=identifier(applied["metadata"]), outputs=self._get(client, inputs) or applied)

    def read(
        self,
        client: Kubernetes,
        identifier: str,
        inputs: Properties,
        outputs: Properties,
    ) -> Properties | None:
        """The object; none where the cluster is gone for good and the provider says so."""
        namespace, _, name = identifier.rpartition("/")
        api_version, kind = self._type()
        try:
            found = client.get(api_version, kind, name, namespace or None)
        except (urllib3.exceptions.HTTPError, ApiException) as error:
            if client.delete_unreachable and not isinstance(error, ApiException):
                return None
            raise
        return _with_string_data(found, inputs) if found else None

    def update(self, client: Kubernetes, identifier: str, change: Update, operation: Operation) -> Properties:
        """Apply it again and wait until it is ready."""
        applied = self._apply(client, change.new)
        self._wait(client, applied, change.new, operation)
        return self._get(client, change.new) or applied

    def delete(self, client: Kubernetes, identifier: str, change: Update, operation: Operation) -> None:
        """Remove it and what belongs to it, and wait until it is gone."""
        namespace, _, name = identifier.rpartition("/")
        api_version, kind = self._type()
        last: Properties = {}

        def gone() -> bool:
            found = client.get(api_version, kind, name, namespace or None)
            last.clear()
            last.update(found or {})
            return found is None or found["metadata"]["uid"] != change.outputs["metadata"]["uid"]

        try:
            if gone():
                return
            policy = (last["metadata"].get("annotations") or {}).get(
                "pulumi.com/deletionPropagationPolicy", "foreground"
            )
            client.resource(api_version, kind).delete(
                name=name,
                namespace=namespace or None,
                body={"propagationPolicy": policy.capitalize()},
            )
            self._bounded(operation, change.old).wait(gone, "waiting until it is gone", poll=_POLL)
        except ResourceNotFoundError:
            return
        except urllib3.exceptions.HTTPError:
            if not client.delete_unreachable:
                raise
        except ApiException as error:
            if error.status != _NOT_FOUND:
                raise
        except ResourceError as error:
            raise ResourceError(f"{error}; {_held(last)}") from error

    def candidates(self, client: Kubernetes, inputs: Properties) -> Iterable[str]:
        """The object of that name; none in a cluster that is gone for good, if the provider says so."""
        try:
            found = self._get(client, inputs)
        except urllib3.exceptions.HTTPError:
            if not client.delete_unreachable:
                raise
            return []
        return [identifier(found["metadata"])] if found else []

    def preview(self, client: Kubernetes, inputs: Properties, operation: Operation) -> None:
        """Let the API server judge it; what it misses may be made by the same run."""
        try:
            client.apply(self._body(inputs), force=True, dry_run=True)
        except ResourceNotFoundError:
            return
        except ApiException as error:
            if error.status != _NOT_FOUND and "immutable" not in str(error.body):
                raise

    def forces_replacement(self, change: Change, inputs: Properties) -> bool:
        """Whether the path is one that cannot be changed."""
        return any(matches(path, change.path) and len(change.path) >= len(path) for path in self._fixed)

    def delete_before_replace(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Two objects cannot have the same name."""
        before, wanted = reveal(old["metadata"]), reveal(new.get("metadata", {}))
        same_namespace = before.get("namespace", "default") == wanted.get("namespace", "default")
        return same_namespace and bool(before["name"] == wanted.get("name"))

    def secret_keys(self, inputs: Mapping[str, Any]) -> frozenset[str]:
        """What is declared secret or given as one; a Secret's two forms of data are one."""
        keys = super().secret_keys(inputs)
        return keys | {"data", "stringData"} if has_secret(inputs.get("stringData")) else keys

    def _type(self) -> tuple[str, str]:
        _, api_version, kind = self.kind.split(":")
        return api_version.removeprefix("core/"), kind

    def _get(self, client: Kubernetes, inputs: Properties) -> Properties | None:
        metadata = inputs["metadata"]
        found = client.get(inputs["apiVersion"], inputs["kind"], metadata["name"], metadata.get("namespace"))
        return _with_string_data(found, inputs) if found else None

    def _body(self, inputs: Properties) -> Properties:
        return {key: value for key, value in inputs.items() if key in self.properties}

    def _apply(self, client: Kubernetes, inputs: Properties) -> Properties:
        annotations = inputs["metadata"].get("annotations") or {}
        force = client.force or annotations.get("pulumi.com/patchForce") == "true"
        return client.apply(self._body(inputs), force=force)

    @staticmethod
    def _patiently(apply: Callable[[], Properties], operation: Operation) -> Properties:
        """Give a namespace or a kind that was made a moment ago the time to appear."""
        deadline = min(operation.deadline, time.monotonic() + _APPEARING)
        while True:
            try:
                return apply()
            except (ResourceNotFoundError, ApiException) as error:
                missing = isinstance(error, ResourceNotFoundError) or error.status == _NOT_FOUND
                if not missing or time.monotonic() > deadline:
                    raise
                operation.progress("waiting for its namespace and kind to appear")
                time.sleep(_POLL)

    def _wait(self, client: Kubernetes, applied: Properties, inputs: Properties, operation: Operation) -> None:
        annotations = inputs["metadata"].get("annotations") or {}
        wanted = conditions.conditions(inputs["metadata"])
        if not wanted or annotations.get("pulumi.com/skipAwait") == "true":
            return
        last = dict(applied)

        def ready() -> bool:
            found = self._get(client, inputs)
            if found is None:
                raise ResourceError("it was removed while it was waited for")
            last.clear()
            last.update(found)
            return conditions.observed(found) and all(each.holds(found) for each in wanted)

        try:
            self._bounded(operation, inputs).wait(ready, "waiting until it is ready", poll=_POLL)
        except EngineError as error:
            raise PartialFailureError(
                conditions.unmet(wanted, last),
                id=identifier(applied["metadata"]),
                outputs=last,
                replace=False,
            ) from error

    @staticmethod
    def _bounded(operation: Operation, inputs: Properties) -> Operation:
        """The operation with the time limit that the object's own annotation sets."""
        seconds = (inputs["metadata"].get("annotations") or {}).get("pulumi.com/timeoutSeconds")
        if seconds is None:
            return operation
        return Operation(deadline=time.monotonic() + float(seconds), progress=operation.progress)


def identifier(metadata: Mapping[str, Any]) -> str:
    """The id of an object: `<namespace>/<name>`, or the name where it has no namespace."""
    namespace = metadata.get("namespace")
    return f"{namespace}/{metadata['name']}" if namespace else str(metadata["name"])


def _with_string_data(found: Properties, inputs: Properties) -> Properties:
    """A Secret with the texts that were given for it as they are now, since the API shows `data` alone."""
    given = inputs.get("stringData") or {}
    data = found.get("data") or {}
    texts = {key: base64.b64decode(data[key]).decode() for key in given if key in data}
    return {**found, "stringData": texts} if texts else found


def _held(found: Properties) -> str:
    """Why an object does not go."""
    metadata = found.get("metadata", {})
    finalizers = ", ".join(metadata.get("finalizers") or []) or "none"
    message = ((found.get("status") or {}).get("operationState") or {}).get("message")
    return f"its finalizers: {finalizers}" + (f"; its running operation says: {message}" if message else "")
