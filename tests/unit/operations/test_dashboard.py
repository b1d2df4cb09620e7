from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dashboard import page
from dashboard.board import Snapshot
from dashboard.server import Server
from operations import dashboard, doctor_checks
from operations.__main__ import app
from probes.health.check import Check
from probes.health.finding import Finding, ok
from tests.unit.diagram import deployed
from tests.unit.recovery.fake_pulumi import FakePulumi
from tests.unit.sample import environment

NUBLADO = ok("application nublado", "Synced, Healthy, 12345678")


@pytest.fixture
def pulumi(pulumi: FakePulumi, monkeypatch: pytest.MonkeyPatch) -> FakePulumi:
    """Return a Pulumi CLI with the state of a deployed platform, behind checks that find nothing wrong."""
    pulumi.write(deployed.resources(), [])
    finds(monkeypatch, [NUBLADO])
    return pulumi


def finds(monkeypatch: pytest.MonkeyPatch, findings: Iterable[Finding]) -> None:
    check = Check(name="applications", run=lambda: findings)
    monkeypatch.setattr(doctor_checks, "all_checks", lambda _: [check])


def ask(known: Snapshot) -> Snapshot:
    return dashboard.ask(known, "roe", environment(), None)


@pytest.mark.usefixtures("pulumi")
def test_a_round_reads_health_and_state_without_secrets() -> None:
    snapshot = ask(Snapshot())
    shown = page.render("roe", snapshot, 60, datetime.now(UTC))
    assert snapshot.deployment
    assert snapshot.failures == ()
    assert "nublado" in shown
    assert "https://rsp.example.org/argo-cd" in shown
    assert "<svg" in snapshot.deployment.value.topology
    assert "planted-secret" not in shown + snapshot.deployment.value.topology
    assert "vaultWriteToken" not in snapshot.deployment.value.outputs


def test_a_state_that_cannot_be_read_leaves_the_last_one(pulumi: FakePulumi, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask(Snapshot())
    monkeypatch.setenv("PATH", "")
    second = ask(first)
    assert second.deployment == first.deployment
    (failure,) = second.failures
    assert failure.startswith("the stack's state cannot be read: `pulumi` is not on PATH")
    monkeypatch.setenv("PATH", pulumi.variables["PATH"])
    assert ask(second).failures == ()


@pytest.mark.usefixtures("pulumi")
def test_applications_stay_when_they_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask(Snapshot())
    finds(monkeypatch, [])
    assert ask(first).facts["applications"].value == [replace(NUBLADO, check="applications")]


def test_a_port_in_use_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(dashboard, "load_file", lambda *_: environment())
    with Server(0, {}) as server:
        result = CliRunner().invoke(app, ["dashboard", "-s", "roe", "--port", str(server.server_port)])
    assert result.exit_code == 2
    assert "cannot be used: Address already in use" in result.output
