"""The nodes that the load balancer forwards to."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from probes import node_addresses as probe
from probes.kubernetes_api import KubernetesError
from program import cluster_nodes
from tests.unit.recording import ProgramRunner

Run = Callable[..., Any]
UNREACHABLE = KubernetesError("the Kubernetes API does not answer")


@pytest.fixture
def run(run_program: ProgramRunner, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs a program whose queries give certain answers, the last one repeatedly."""
    monkeypatch.setattr(cluster_nodes, "_PAUSE", 0)

    def run(*answers: Any, preview: bool = False, patience: float = 300) -> Any:
        monkeypatch.setattr(cluster_nodes, "PATIENCE", patience)
        remaining = list(answers)

        def query(kubeconfig: str) -> list[str]:
            assert kubeconfig == "kubeconfig-of-the-test"
            answer = remaining.pop(0) if len(remaining) > 1 else remaining[0]
            if isinstance(answer, Exception):
                raise answer
            return list(answer)

        monkeypatch.setattr(probe, "addresses", query)

        def program() -> None:
            cluster: Any = SimpleNamespace(access_to_nodes=pulumi.Output.secret("kubeconfig-of-the-test"))
            pulumi.export("nodes", cluster_nodes.addresses(cluster, 2))

        recording = run_program.having(preview=preview)(program)
        assert recording.veiled_exports == recording.exports  # no secret
        return recording.exports["nodes"], [text for _, text in recording.logged]

    return run


def test_the_configured_number_is_awaited(run: Run) -> None:
    assert run(UNREACHABLE, ["a"], ["a", "b", "c"], ["a", "b"]) == (["a", "b"], [])


def test_another_number_is_unknown_in_a_preview(run: Run) -> None:
    assert run(["a"], preview=True)[0] == pulumi.runtime.rpc.UNKNOWN
    assert run(["a", "b"], preview=True)[0] == ["a", "b"]


def test_after_some_minutes_the_existing_nodes_are_used_with_a_warning(run: Run) -> None:
    nodes, (warning,) = run(["a"], patience=-1)
    assert nodes == ["a"]
    assert warning.startswith("the cluster has 1 nodes, but 2 are configured: the load balancer forwards to those")


def test_a_cluster_without_nodes_is_an_error(run: Run) -> None:
    with pytest.raises(pulumi.RunError, match=r"^the cluster has no nodes"):
        run([], patience=-1)


@pytest.mark.parametrize("preview", [True, False])
def test_an_unreachable_cluster_is_an_error(preview: bool, run: Run) -> None:
    with pytest.raises(pulumi.RunError, match=r"^the Kubernetes API does not answer"):
        run(UNREACHABLE, preview=preview, patience=-1)
