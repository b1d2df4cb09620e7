"""One connection to a Kubernetes cluster, made from the settings of the kubernetes provider."""

import json
import logging
import tempfile
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import urllib3.exceptions
import yaml
from kubernetes import config as kubernetes_config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.discovery import LazyDiscoverer
from kubernetes.dynamic.exceptions import ResourceNotFoundError

from sandbox.engine.adapters.base import Property, flag, known, reason
from sandbox.engine.diff import Change
from sandbox.engine.errors import EngineError, ResourceError
from sandbox.engine.values import Properties
from sandbox.files import write_atomically
from sandbox.kubeconfig import with_files

FIELD_MANAGER: Final = "pulumi-kubernetes"
PROPERTIES: Final[Mapping[str, Property]] = {
    "kubeconfig": Property(required=True),
    "context": Property(),
    "cluster": Property(),
    "clusterIdentifier": Property(),
    "deleteUnreachable": Property(),
    "enableServerSideApply": Property(),
    "enablePatchForce": Property(),
    "upsertExistingObjects": Property(),
    "suppressDeprecationWarnings": Property(),
    "suppressHelmHookWarnings": Property(),
}

_CONFLICT: Final = 409
_NOT_FOUND: Final = 404
_UNAUTHORIZED: Final = 401
_SERVER_ERROR: Final = 500

# At DEBUG it writes whole bodies, with the secrets in them.
logging.getLogger("kubernetes.client.rest").setLevel(logging.INFO)


class Kubernetes:
    """A cluster's API.

    Args:
        config: The provider's inputs; `kubeconfig` is the document itself, or the path of its file.
    """

    def __init__(self, config: Properties) -> None:
        self.kubeconfig = _document(config["kubeconfig"])
        self.delete_unreachable = flag(config.get("deleteUnreachable"))
        self.upsert = flag(config.get("upsertExistingObjects"))
        self.force = flag(config.get("enablePatchForce"))
        self.context: str | None = config.get("context")
        self._lock = threading.Lock()
        self._dynamic: DynamicClient | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None

    @property
    def directory(self) -> Path:
        """A directory of ours, mode 0700, gone when the client is closed."""
        with self._lock:
            if self._directory is None:
                self._directory = tempfile.TemporaryDirectory(prefix="kubernetes-")
            return Path(self._directory.name)

    def kubeconfig_file(self) -> Path:
        """The kubeconfig as a file, mode 0600, for programs that want one."""
        file = self.directory / "kubeconfig"
        with self._lock:
            if not file.exists():
                write_atomically(file, yaml.safe_dump(self.kubeconfig))
        return file

    def resource(self, api_version: str, kind: str) -> Any:
        """The API of a kind.

        Raises:
            ResourceNotFoundError: The cluster does not know it.
        """
        client = self.dynamic
        with self._lock:  # discovery is not made for several threads
            return client.resources.get(api_version=api_version, kind=kind)

    @property
    def dynamic(self) -> DynamicClient:
        """The dynamic client, made at its first use."""
        directory = self.directory
        with self._lock:
            if self._dynamic is None:
                api = kubernetes_config.new_client_from_config_dict(  # type: ignore[no-untyped-call]
                    with_files(self.kubeconfig, directory),
                    context=self.context,
                    persist_config=False,
                    temp_file_path=str(directory),
                )
                self._dynamic = DynamicClient(  # type: ignore[no-untyped-call]
                    api, cache_file=str(directory / "discovery.json"), discoverer=LazyDiscoverer
                )
            return self._dynamic

    def get(self, api_version: str, kind: str, name: str, namespace: str | None) -> Properties | None:
        """An object without its managed fields; None if it, or its kind, is not there."""
        try:
            found = self.resource(api_version, kind).get(name=name, namespace=namespace)
        except ResourceNotFoundError:
            return None
        except ApiException as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        return plain(found)

    def apply(
        self,
        body: Properties,
        *,
        force: bool,
        dry_run: bool = False,
        manager: str = FIELD_MANAGER,
    ) -> Properties:
        """Apply an object on the server's side and return it as it is then."""
        metadata = body["metadata"]
        options: dict[str, Any] = {"dry_run": "All"} if dry_run else {}
        applied = self.dynamic.server_side_apply(  # type: ignore[no-untyped-call]
            self.resource(body["apiVersion"], body["kind"]),
            body=body,
            name=metadata["name"],
            namespace=metadata.get("namespace"),
            force_conflicts=force,
            field_manager=manager,
            **options,
        )
        return plain(applied)

    def close(self) -> None:
        """Remove the files and close the connections."""
        if self._dynamic is not None:
            self._dynamic.client.close()
        if self._directory is not None:
            self._directory.cleanup()


def plain(found: Any) -> Properties:
    """An object of the dynamic client as a dict, without what only field managers read."""
    result: Properties = found.to_dict()
    result.get("metadata", {}).pop("managedFields", None)
    return result


def faults(config: Properties) -> Iterable[str]:
    """What is wrong with a provider's settings."""
    if known(value := config.get("enableServerSideApply")) and not flag(value):
        yield "`enableServerSideApply`: the sandbox's engine applies on the server's side only"
    if known(kubeconfig := config.get("kubeconfig")):
        try:
            _document(kubeconfig)
        except ResourceError as error:
            yield f"`kubeconfig`: {error}"


def other_cluster(change: Change, config: Properties) -> bool:
    """Whether a changed setting means another cluster, by the rules of the provider's DiffConfig.

    As long as a cluster identifier is set and the same, nothing else does; a new one does.
    """
    setting = change.path[0]
    if setting == "clusterIdentifier":
        return change.kind == "update"
    return setting in {"kubeconfig", "context", "cluster"} and "clusterIdentifier" not in config


def explain(error: Exception) -> EngineError | None:
    """What an exception of the Kubernetes client means to the person who runs the command."""
    match error:
        case ResourceNotFoundError():
            return ResourceError(
                f"the cluster does not know the kind ({error}): is its CustomResourceDefinition there?"
            )
        case ConfigException():
            return ResourceError(f"the kubeconfig cannot be used: {error}")
        case urllib3.exceptions.HTTPError():
            return EngineError(f"the cluster's API server cannot be reached ({reason(error)}): does the cluster run?")
        case ApiException():
            return _answered(error)
        case _:
            return None


def _answered(error: ApiException) -> EngineError:
    text = _message(error)
    if error.status == _UNAUTHORIZED:
        return ResourceError(f"the cluster refused the kubeconfig's credentials ({text}): have they expired?")
    if error.status == _CONFLICT:
        return ResourceError(f'{text}; to take the fields over, set the annotation pulumi.com/patchForce to "true"')
    kind = ResourceError if (error.status or _SERVER_ERROR) < _SERVER_ERROR else EngineError
    return kind(f"the cluster answered {error.status}: {text}")


def _message(error: ApiException) -> str:
    try:
        return str(json.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        return str(error.reason)


def _document(kubeconfig: Any) -> dict[str, Any]:
    text = str(kubeconfig)
    if "\n" not in text and Path(text).is_file():
        text = Path(text).read_text()
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ResourceError("it is neither YAML nor the path of a file") from error
    if not isinstance(document, dict) or "clusters" not in document:
        raise ResourceError("it has no clusters")
    return document
