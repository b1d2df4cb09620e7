"""The hook that creates the schema of a database runs in the first installation of an application only."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from kubernetes import client

from tests.sandbox.branches import branch, replace
from tests.sandbox.configuration import vary
from tests.sandbox.objects import Objects
from tests.sandbox.program import Program

NAME: Final = "wobbly"
"""An application that the sandbox does not have."""

HOOK: Final = "batch/Job/schema-update"

FILES: Final = {
    "Chart.yaml": "{apiVersion: v2, name: wobbly, version: 1.0.0}",
    "values.yaml": "{config: {updateSchema: false}}",
    "values-sandbox.yaml": "",
    "secrets.yaml": "{}",
    "templates/configmap.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata: {name: wobbly}
data: {config: {{ .Values.config | toJson | quote }}}
""",
    "templates/job-schema-update.yaml": """\
{{- if .Values.config.updateSchema }}
apiVersion: batch/v1
kind: Job
metadata:
  name: schema-update
  annotations: {helm.sh/hook: "pre-install,pre-upgrade", helm.sh/hook-delete-policy: hook-succeeded}
spec:
  template:
    spec:
      containers: [{name: update, image: ghcr.io/lsst-sqre/wobbly}]
      restartPolicy: Never
{{- end }}
""",
}
"""A chart with the hook of Phalanx's charts (``applications/wobbly/templates/job-schema-update.yaml``)."""


def add(tree: Path) -> None:
    """Add the application to a Phalanx repository."""
    for name, text in FILES.items():
        file = tree / "applications" / NAME / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    templates = tree / "environments/templates/applications/rsp"
    (templates / f"{NAME}.yaml").write_text((templates / "squareone.yaml").read_text().replace("squareone", NAME))
    values = "environments/values-sandbox.yaml"
    replace(values, "  vo-cutouts: true\n", f"  vo-cutouts: true\n  {NAME}: true\n")(tree)


@pytest.fixture
def extended(program: Program, kubernetes: client.ApiClient, tmp_path: Path) -> Iterator[Program]:
    """Yield the program with a Phalanx branch that has the application; deploy `main` afterwards."""
    with branch(tmp_path, NAME, add, f"Add {NAME}") as revision:
        yield Program("sandbox", vary(tmp_path / "Pulumi.sandbox.yaml", {"phalanx": {"revision": revision}}))
    program.run("up")
    client.CoreV1Api(kubernetes).delete_namespace(NAME)


def application(objects: Objects) -> dict[str, Any]:
    return objects.one("argoproj.io/v1alpha1", "Application", NAME, "argocd")


def hooks(synced: dict[str, Any]) -> dict[str, str]:
    """Return the phase of each hook in the last sync of an Application."""
    resources = synced["status"]["operationState"]["syncResult"].get("resources", [])
    return {
        f"{each['group']}/{each['kind']}/{each['name']}": each["hookPhase"]
        for each in resources
        if each.get("hookType")
    }


def test_the_schema_is_created_by_the_first_installation_only(extended: Program, objects: Objects) -> None:
    extended.run("up")
    first = application(objects)
    assert first["spec"]["source"]["helm"]["valuesObject"]["config"] == {"updateSchema": True}
    assert hooks(first) == {HOOK: "Succeeded"}
    assert first["status"]["health"]["status"] == "Healthy"

    steps = json.loads(extended.run("preview", "--json"))["steps"]
    planned = [(each["op"], each["urn"].rpartition("::")[2]) for each in steps if each["op"] != "same"]
    assert planned == [("update", f"cluster-applications-{NAME}")]
    extended.run("up")
    later = application(objects)
    assert later["spec"]["source"]["helm"]["valuesObject"]["config"] == {"updateSchema": False}
    assert later["status"]["history"][-1]["id"] > first["status"]["history"][-1]["id"]
    assert hooks(later) == {}
    config = objects.one("v1", "ConfigMap", NAME, NAME)
    assert json.loads(config["data"]["config"]) == {"updateSchema": False}
    assert extended.changes("preview") == {}
