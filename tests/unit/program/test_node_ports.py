from types import SimpleNamespace
from typing import Any

import pytest

from phalanx.errors import PhalanxError
from program import node_ports
from tests.unit.program.hooks import run_hook
from tests.unit.sample import environment


def create(answers: list[str | None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the hook after the creation of a cluster, while its group is closed as these answers say."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(node_ports, "connect", lambda *_, **__: None)
    monkeypatch.setattr("probes.node_ports.closed_group", lambda *_: answers.pop(0) if len(answers) > 1 else answers[0])
    args: Any = SimpleNamespace(id="cluster-uuid")
    run_hook(node_ports.after_creation(environment()), args)


def test_rules_may_be_late(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = ["secgroup-worker", "secgroup-worker", None]
    create(answers, monkeypatch)
    assert answers == [None]


def test_a_cluster_that_admits_nobody_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_ports, "_PATIENCE", 0)
    with pytest.raises(PhalanxError, match=r"security group secgroup-worker admits nobody outside .*capi-helm-charts"):
        create(["secgroup-worker"], monkeypatch)
