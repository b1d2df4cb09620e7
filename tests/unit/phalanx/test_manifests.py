from typing import Any

import pytest

from phalanx.manifests import ManifestError, sort


def application(**helm: Any) -> dict[str, Any]:
    return {"kind": "Application", "metadata": {"name": "mobu"}, "spec": {"source": {"helm": helm}}}


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
        ({"kind": "ConfigMap", "metadata": {"name": "x"}}, "renders to a ConfigMap"),
        ({"kind": "Application", "metadata": {"name": "mobu"}, "spec": {"sources": []}}, r"has no spec\.source"),
        (application(values="a: b"), r"use helm\.valuesObject instead"),
    ],
)
def test_an_unsupported_manifest_is_rejected(manifest: dict[str, Any], problem: str) -> None:
    with pytest.raises(ManifestError, match=problem):
        sort([manifest])
