"""Helm releases, made by the helm program: hooks run, and `helm list` shows them.

By the rules of pulumi-kubernetes (`provider/pkg/provider/helm_release.go`). Values never stand on a command line: they
go to helm through its standard input, and the kubeconfig through a file of mode 0600.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.engine.adapters.base import Adapter, Made, Operation, Property, Update, known
from sandbox.engine.adapters.kubernetes.client import Kubernetes
from sandbox.engine.errors import EngineError, PartialFailureError, ResourceError
from sandbox.engine.values import Asset, Properties

_TIMEOUT: Final = 300  # seconds, Helm's own
_FLAGS: Final[Mapping[str, str]] = {
    "createNamespace": "--create-namespace",
    "atomic": "--atomic",
    "cleanupOnFail": "--cleanup-on-fail",
    "dependencyUpdate": "--dependency-update",
    "disableOpenapiValidation": "--disable-openapi-validation",
    "disableWebhooks": "--no-hooks",
    "forceUpdate": "--force",
    "skipCrds": "--skip-crds",
    "renderSubchartNotes": "--render-subchart-notes",
    "resetValues": "--reset-values",
    "reuseValues": "--reuse-values",
    "takeOwnership": "--take-ownership",
}


class UnreachableError(EngineError):
    """Helm could not reach the cluster."""


class Release(Adapter[Kubernetes]):
    """A release of a chart in a local directory; its id is `<namespace>/<name>`."""

    kind = "kubernetes:helm.sh/v3:Release"
    properties: Mapping[str, Property] = {
        "chart": Property(required=True),
        "name": Property(named=True, fixed=True),
        "namespace": Property(fixed=True, default="default"),
        "version": Property(computed=True),
        "values": Property(),
        "valueYamlFiles": Property(),
        "timeout": Property(computed=True),
        "skipAwait": Property(),
        "waitForJobs": Property(),
        "description": Property(),
        "maxHistory": Property(),
        "compat": Property(),
        **{key: Property() for key in _FLAGS},
    }

    def check(self, inputs: Properties, name: str, old: Mapping[str, Any] | None) -> Properties:
        """Read the chart, and take its version."""
        checked = super().check(inputs, name, old)
        if not inputs.get("skipAwait") and "timeout" not in checked:
            checked["timeout"] = _TIMEOUT
        if isinstance(chart := checked["chart"], str):
            checked["version"] = _chart(chart)["version"]
        return checked

    def faults(self, inputs: Properties) -> Iterable[str]:
        """A chart that cannot be read."""
        if known(chart := inputs.get("chart")):
            try:
                _chart(str(chart))
            except ResourceError as error:
                yield f"`chart`: {error}"

    def create(self, client: Kubernetes, inputs: Properties, operation: Operation) -> Made:
        """Install it and wait until it is ready."""
        identifier = f"{inputs['namespace']}/{inputs['name']}"
        if self._status(client, identifier):
            raise ResourceError(f"the release {identifier} exists in the cluster already: uninstall it, or import it")
        self._run(client, "install", identifier, inputs, operation)
        return Made(id=identifier, outputs=self._outputs(client, identifier) or {})

    def read(
        self,
        client: Kubernetes,
        identifier: str,
        inputs: Properties,
        outputs: Properties,
    ) -> Properties | None:
        """What helm knows of it."""
        return self._outputs(client, identifier)

    def update(self, client: Kubernetes, identifier: str, change: Update, operation: Operation) -> Properties:
        """Upgrade it and wait until it is ready."""
        self._clear_interrupted(client, identifier)
        verb = "upgrade" if self._status(client, identifier) else "install"
        self._run(client, verb, identifier, change.new, operation)
        return self._outputs(client, identifier) or {}

    def delete(self, client: Kubernetes, identifier: str, change: Update, operation: Operation) -> None:
        """Uninstall it and wait until everything is gone.

        As in the provider, `deleteUnreachable` does not hold for releases.
        """
        namespace, _, name = identifier.partition("/")
        wait = [] if change.old.get("skipAwait") else ["--wait", f"--timeout={change.old.get('timeout', _TIMEOUT)}s"]
        operation.progress("helm uninstall")
        _helm(client, "uninstall", name, f"--namespace={namespace}", "--ignore-not-found", *wait)

    def candidates(self, client: Kubernetes, inputs: Properties) -> Iterable[str]:
        """The release of that name; none in a cluster that is gone for good, if the provider says so."""
        identifier = f"{inputs['namespace']}/{inputs['name']}"
        try:
            return [identifier] if self._status(client, identifier) else []
        except UnreachableError:
            if not client.delete_unreachable:
                raise
            return []

    def recover(self, client: Kubernetes, identifier: str, inputs: Properties, operation: Operation) -> Made | None:
        """A half-installed release cannot be upgraded: remove it, to be installed anew."""
        self._clear_interrupted(client, identifier)
        return super().recover(client, identifier, inputs, operation) if self._status(client, identifier) else None

    def delete_before_replace(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Never, as in the provider: a release is replaced when its name or namespace changes."""
        return False

    def _run(self, client: Kubernetes, verb: str, identifier: str, inputs: Properties, operation: Operation) -> None:
        namespace, _, name = identifier.partition("/")
        arguments = [verb, name, str(inputs["chart"]), f"--namespace={namespace}", "--values=-"]
        arguments += [option for key, option in _FLAGS.items() if inputs.get(key)]
        if not inputs.get("skipAwait"):
            arguments += ["--wait", f"--timeout={inputs.get('timeout', _TIMEOUT)}s"]
        if inputs.get("waitForJobs"):
            arguments.append("--wait-for-jobs")
        if "description" in inputs:
            arguments.append(f"--description={inputs['description']}")
        if verb == "upgrade" and "maxHistory" in inputs:
            arguments.append(f"--history-max={inputs['maxHistory']}")
        operation.progress(f"helm {verb}")
        try:
            _helm(client, *arguments, values=merged_values(inputs))
        except ResourceError as error:
            found = self._outputs(client, identifier)
            if found is None:
                raise
            raise PartialFailureError(str(error), id=identifier, outputs=found, replace=False) from error

    def _clear_interrupted(self, client: Kubernetes, identifier: str) -> None:
        """Helm refuses to touch a release of which an operation was cut off: take it back to where it was."""
        found = self._status(client, identifier)
        if not found or not found["info"]["status"].startswith("pending-"):
            return
        namespace, _, name = identifier.partition("/")
        if found["version"] == 1:
            _helm(client, "uninstall", name, f"--namespace={namespace}", "--wait")
        else:
            _helm(client, "rollback", name, str(found["version"] - 1), f"--namespace={namespace}", "--wait")

    @staticmethod
    def _status(client: Kubernetes, identifier: str) -> dict[str, Any] | None:
        namespace, _, name = identifier.partition("/")
        listed = json.loads(
            _helm(client, "list", "--all", f"--namespace={namespace}", f"--filter=^{name}$", "--output=json") or "[]"
        )
        if not listed:
            return None
        found: dict[str, Any] = json.loads(_helm(client, "status", name, f"--namespace={namespace}", "--output=json"))
        return {**found, "listed": listed[0]}

    def _outputs(self, client: Kubernetes, identifier: str) -> Properties | None:
        found = self._status(client, identifier)
        if found is None:
            return None
        chart, _, version = found["listed"]["chart"].rpartition("-")
        names: dict[str, list[str]] = {}
        for each in yaml.safe_load_all(found.get("manifest", "")):
            if each:
                metadata = each.get("metadata", {})
                name = "/".join(part for part in (metadata.get("namespace"), metadata.get("name")) if part)
                names.setdefault(f"{each['kind']}/{each['apiVersion']}", []).append(name)
        return {
            "name": found["name"],
            "namespace": found["namespace"],
            "resourceNames": names,
            "status": {
                "name": found["name"],
                "namespace": found["namespace"],
                "revision": found["version"],
                "status": found["info"]["status"],
                "chart": chart,
                "version": version,
                "appVersion": found["listed"]["app_version"],
            },
        }


def _chart(path: str) -> dict[str, Any]:
    """The Chart.yaml of a local chart.

    Raises:
        ResourceError: There is none.
    """
    file = Path(path) / "Chart.yaml"
    try:
        document = yaml.safe_load(file.read_text())
    except OSError as error:
        raise ResourceError(
            f"cannot read {file} ({error.strerror}): the sandbox's engine takes charts from a local directory only"
        ) from error
    missing = [
        each["name"]
        for each in document.get("dependencies") or []
        if not any((file.parent / "charts").glob(f"{each['name']}*"))
    ]
    if missing:
        raise ResourceError(
            f"{path}/charts lacks the dependencies {', '.join(missing)}: run helm dependency build there"
        )
    return dict(document)


def merged_values(inputs: Properties) -> str:
    """The values of the files in their order, and those of the program over them."""
    merged: dict[str, Any] = {}
    for each in inputs.get("valueYamlFiles", []):
        text = each.read() if isinstance(each, Asset) else Path(each).read_text()
        merged = _merge(merged, yaml.safe_load(text) or {})
    return yaml.safe_dump(_merge(merged, inputs.get("values", {})))


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        result[key] = _merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return result


def _helm(client: Kubernetes, *arguments: str, values: str = "") -> str:
    """Run helm against the cluster.

    Raises:
        ResourceError: It failed; the message is helm's.
        UnreachableError: It could not reach the cluster.
        EngineError: There is no helm.
    """
    directory = client.directory
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(directory),
        "KUBECONFIG": str(client.kubeconfig_file()),
        "HELM_CACHE_HOME": str(directory / "cache"),
    }
    if client.context:
        environment["HELM_KUBECONTEXT"] = client.context
    helm = shutil.which("helm")
    if helm is None:
        raise EngineError("helm is not on PATH; `python -m sandbox cloud up` installs it")
    done = subprocess.run(
        # When this process is killed, so is helm: the next run then finds the release as it was left, and clears up.
        ["setpriv", "--pdeathsig=KILL", helm, *arguments],
        input=values,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,  # Ctrl-C is for us alone: what is under way is finished
    )
    if done.returncode:
        message = done.stderr.strip().removeprefix("Error: ")
        kind = UnreachableError if "cluster unreachable" in message else ResourceError
        raise kind(f"helm {arguments[0]} failed: {message}")
    return done.stdout
