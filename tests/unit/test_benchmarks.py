"""The critical path is the longest dependency chain of a run."""

from benchmarks.platform import critical_path


def resource(name: str, *needs: str, provider: str = "") -> dict[str, object]:
    return {"urn": f"u::{name}", "custom": True, "dependencies": [f"u::{each}" for each in needs], "provider": provider}


def test_a_resource_waits_for_what_its_component_depends_on() -> None:
    resources = [
        resource("cluster"),
        resource("operator", "cluster"),
        {"urn": "u::argocd", "custom": False, "dependencies": ["u::operator"]},
        {**resource("release", "cluster"), "parent": "u::argocd"},
    ]
    seconds = {"u::cluster": 20.0, "u::operator": 2.0, "u::argocd": 3.5, "u::release": 3.0}
    path = critical_path(resources, seconds)
    assert path == [("cluster", 20.0), ("operator", 2.0), ("argocd", 0.0), ("release", 3.0)]


def test_the_critical_path_is_the_longest_chain() -> None:
    resources = [
        {"urn": "u::stack", "custom": False},
        resource("network"),
        resource("cluster", "network"),
        resource("volume"),
        resource("provider", "cluster"),
        resource("application", provider="u::provider::some-id"),
    ]
    seconds = {"u::stack": 60.0, "u::network": 5.0, "u::cluster": 40.0, "u::volume": 44.0, "u::application": 2.0}
    path = critical_path(resources, seconds)
    assert path == [("network", 5.0), ("cluster", 40.0), ("provider", 0.0), ("application", 2.0)]
