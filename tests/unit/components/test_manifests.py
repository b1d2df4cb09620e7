from typing import Any

import pytest

from components.manifests import ManifestError, sort


def application(**helm: Any) -> dict[str, Any]:
    return {"kind": "Application", "metadata": {"name": "mobu"}, "spec": {"source": {"helm": helm}}}


def test_sorts_by_kind_and_name() -> None:
    namespace = {"kind": "Namespace", "metadata": {"name": "mobu", "labels": {"team": "square"}}}
    project = {"kind": "AppProject", "metadata": {"name": "infrastructure"}, "spec": {}}
    manifests = sort([namespace, application(), project])
    assert manifests.namespaces == {"mobu": namespace}
    assert manifests.projects == {"infrastructure": project}
    assert manifests.applications == {"mobu": application()}


def test_a_namespace_that_nobody_renders_has_its_name_alone() -> None:
    manifests = sort([{"kind": "Namespace", "metadata": {"name": "mobu", "labels": {"team": "square"}}}])
    assert manifests.namespace_metadata("mobu").labels == {"team": "square"}
    assert (manifests.namespace_metadata("argocd").name, manifests.namespace_metadata("argocd").labels) == (
        "argocd",
        None,
    )


def test_parameters_lie_over_the_values_object() -> None:
    own = {"global": {"host": "old", "other": "kept"}}
    dotted = [{"name": "global.host", "value": "rsp.example.org"}, {"name": "a-b.c.d", "value": "1"}]
    assert sort([application(valuesObject=own, parameters=dotted)]).values("mobu") == {
        "global": {"host": "rsp.example.org", "other": "kept"},
        "a-b": {"c": {"d": "1"}},
    }


@pytest.mark.parametrize("name", [r"a\.b", "list[0]", "one,two"])
def test_helm_syntax_in_a_parameter_is_refused(name: str) -> None:
    manifests = sort([application(parameters=[{"name": name, "value": ""}])])
    with pytest.raises(ManifestError, match="Application mobu has a parameter"):
        manifests.values("mobu")


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        ({"kind": "ConfigMap", "metadata": {"name": "x"}}, "renders to a ConfigMap"),
        ({"kind": "Application", "metadata": {"name": "mobu"}, "spec": {"sources": []}}, "no single spec.source"),
        (application(values="a: b"), "it needs valuesObject"),
    ],
)
def test_what_has_no_place_is_refused(manifest: dict[str, Any], problem: str) -> None:
    with pytest.raises(ManifestError, match=problem):
        sort([manifest])
