from typing import Any

import pytest

from phalanx.manifests import ManifestError, sort


def application(**helm: Any) -> dict[str, Any]:
    source = {"path": "applications/mobu", "repoURL": "https://example.org", "targetRevision": "main", "helm": helm}
    spec = {"source": source, "destination": {"namespace": "mobu"}}
    return {"kind": "Application", "metadata": {"name": "mobu"}, "spec": spec}


def test_sorts_by_kind_and_name() -> None:
    namespace = {"kind": "Namespace", "metadata": {"name": "mobu", "labels": {"team": "square"}}}
    project = {"kind": "AppProject", "metadata": {"name": "infrastructure"}, "spec": {}}
    manifests = sort([namespace, application(), project])
    assert manifests.namespaces == {"mobu": namespace}
    assert manifests.projects == {"infrastructure": project}
    assert manifests.applications == {"mobu": application()}


def test_a_namespace_that_is_not_rendered_has_only_a_name() -> None:
    manifests = sort([{"kind": "Namespace", "metadata": {"name": "mobu", "labels": {"team": "square"}}}])
    assert manifests.namespace_metadata("mobu") == {"name": "mobu", "labels": {"team": "square"}}
    assert manifests.namespace_metadata("argocd") == {"name": "argocd"}


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        ({"kind": "ConfigMap", "metadata": {"name": "x"}}, r"render to a ConfigMap \(x\), expected only Namespace"),
        (
            {"kind": "Application", "metadata": {"name": "mobu"}, "spec": {"sources": []}},
            r"Application mobu: spec\.source: is missing",
        ),
        (application(valueFiles=["/etc/passwd"]), r"spec\.source\.helm\.valueFiles\[0\]: "),
        (application(valueFiles=["../values.yaml"]), r"spec\.source\.helm\.valueFiles\[0\]: "),
        (application(parameters=[{"name": "a", "value": True}]), r"parameters\[0\]\.value: must be text"),
        (application(parameters={}), r"spec\.source\.helm\.parameters: "),
        (application() | {"spec": "a"}, r"Application mobu: spec: must be a mapping"),
        ({"kind": "Application", "metadata": {}}, r"render to a Application \(None\)"),
        (application(values="a: b"), r"use helm\.valuesObject instead"),
    ],
)
def test_an_unsupported_manifest_is_rejected(manifest: dict[str, Any], problem: str) -> None:
    with pytest.raises(ManifestError, match=problem):
        sort([manifest])


def test_all_unsupported_manifests_are_reported() -> None:
    with pytest.raises(ManifestError) as caught:
        sort([application(values="a: b"), {"kind": "ConfigMap", "metadata": {"name": "x"}}, application(parameters=5)])
    assert len(caught.value.problems) == 3
