from pathlib import Path
from typing import Any

import pytest

from phalanx import environment, render
from phalanx.errors import RenderError
from tests.unit.phalanx.repository import SETTINGS, write

CHART = """\
apiVersion: v2
name: science-platform
version: 1.0.0
"""

APPLICATION = """\
{{- if .Values.applications.tap -}}
apiVersion: v1
kind: Namespace
metadata:
  name: "tap"
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {{ .Release.Name }}-tap
spec:
  source:
    repoURL: {{ .Values.repoUrl | quote }}
    targetRevision: {{ or (index .Values.revisions "tap") .Values.targetRevision | quote }}
{{- end -}}
"""


def rendered(root: Path, **settings: Any) -> list[dict[str, Any]]:
    write(
        root / "environments",
        {
            "Chart.yaml": CHART,
            "templates/tap.yaml": APPLICATION,
            "../applications/tap/values.yaml": {},
            "values.yaml": SETTINGS | {"revisions": {}},
            "values-test.yaml": {"applications": {"tap": True}} | settings,
        },
    )
    found = environment.load(root, "test")
    return render.applications(root, found, repo_url="https://example.org/a,b={c}.git", target_revision="c0ffee")


@pytest.mark.usefixtures("helm")
def test_applications_have_the_requested_repository_and_revision(tmp_path: Path) -> None:
    namespace, application = rendered(tmp_path)
    assert (namespace["kind"], namespace["metadata"]["name"]) == ("Namespace", "tap")
    assert application["metadata"]["name"] == "science-platform-tap"
    assert application["spec"]["source"] == {"repoURL": "https://example.org/a,b={c}.git", "targetRevision": "c0ffee"}


@pytest.mark.usefixtures("helm")
def test_an_application_keeps_its_own_revision(tmp_path: Path) -> None:
    assert rendered(tmp_path, revisions={"tap": "main"})[1]["spec"]["source"]["targetRevision"] == "main"


@pytest.mark.usefixtures("helm")
def test_a_disabled_application_is_not_rendered(tmp_path: Path) -> None:
    assert rendered(tmp_path, applications={"tap": False}) == []


@pytest.mark.usefixtures("helm")
def test_an_invalid_chart_is_named_with_helms_message(tmp_path: Path) -> None:
    write(tmp_path, {"environments/templates/bad.yaml": '{{ required "set a butler" .Values.butler }}'})
    with pytest.raises(RenderError, match=r"^environments: Helm cannot render the chart: .*set a butler"):
        rendered(tmp_path)


def test_a_missing_helm_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RenderError, match=r"^helm is not installed"):
        rendered(tmp_path)
