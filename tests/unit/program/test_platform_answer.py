"""An update fails if nothing answers at the platform's address."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pulumi
import pytest
from openstack.exceptions import SDKException

from probes import served_certificate
from probes.health import load_balancer
from probes.openstack_connection import LoginError
from probes.problem import Problem
from program import platform_answer, waiting
from sandbox.site_certificate import issue
from tests.unit.recording import ProgramRunner
from tests.unit.sample import environment
from tests.unit.tls_server import tls_server

HOST, ADDRESS = "rsp.example.org", "127.0.0.1"
STATES = ["load balancer ingress: ACTIVE, ONLINE", "member 10.20.0.41:30443 of https: NO_MONITOR"]


@pytest.fixture
def _platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    now = datetime.now(UTC)
    with tls_server(*issue(HOST, now, now + timedelta(days=1)), tmp_path) as address:
        monkeypatch.setattr(served_certificate, "HTTPS", int(address.rpartition(":")[2]))
        yield


@pytest.fixture
def _nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served_certificate, "HTTPS", 1)
    # A second for each query.
    monkeypatch.setattr(waiting, "time", SimpleNamespace(monotonic=itertools.count().__next__, sleep=lambda _: None))
    monkeypatch.setattr(platform_answer, "connect", lambda _: SimpleNamespace())
    monkeypatch.setattr(load_balancer, "describe", lambda _, address: [f"{address}:", *STATES])


def update(run_program: ProgramRunner, *, timeout: int = 1, preview: bool = False, **changes: Any) -> None:
    config = environment(ingress__answerTimeout=timeout, **changes)

    def program() -> None:
        address, ready = pulumi.Output.from_input(ADDRESS), pulumi.Output.from_input("urn")
        platform_answer.require(config, HOST, address, ready)

    run_program.having(preview=preview)(program)


@pytest.mark.usefixtures("_platform")
def test_a_platform_that_answers_passes(run_program: ProgramRunner) -> None:
    update(run_program)


@pytest.mark.usefixtures("_nothing")
def test_the_error_has_the_states_of_the_load_balancer_and_its_members(run_program: ProgramRunner) -> None:
    with pytest.raises(pulumi.RunError) as caught:
        update(run_program)
    first, *others = str(caught.value).splitlines()
    assert first.startswith(f"{ADDRESS} does not answer with TLS on port 1: Connection refused, for 1 s after its load")
    assert "set rsp:ingress.answerTimeout to 0" in first
    assert others == [f"{ADDRESS}:", *STATES]


@pytest.mark.usefixtures("_nothing")
@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (LoginError(Problem(where="rsp:cloud.name", what="no such cloud")), "rsp:cloud.name: no such cloud"),
        (SDKException("planted"), "the state of the load balancer could not be determined: SDKException"),
    ],
)
def test_a_cloud_that_does_not_answer_hides_no_error(
    run_program: ProgramRunner, monkeypatch: pytest.MonkeyPatch, failure: Exception, expected: str
) -> None:
    monkeypatch.setattr(platform_answer, "connect", Mock(side_effect=failure))
    with pytest.raises(pulumi.RunError, match=f"^{ADDRESS} does not answer with TLS") as caught:
        update(run_program)
    assert str(caught.value).splitlines()[1:] == [expected]


@pytest.mark.usefixtures("_nothing")
@pytest.mark.parametrize(
    "asked",
    [{"timeout": 0}, {"preview": True}, {"applications__overrides": {"ingress-nginx": {"wait": False}}}],
    ids=["a machine that cannot reach it", "a preview", "an ingress that may be unhealthy"],
)
def test_nothing_is_asked_where_no_answer_is_expected(run_program: ProgramRunner, asked: Any) -> None:
    update(run_program, **asked)
