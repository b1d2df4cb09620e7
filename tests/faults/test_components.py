"""The components in OpenStack are created in spite of random faults, without duplicates."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from openstack.connection import Connection

from tests.faults.proxy import FaultProxy
from tests.faults.runs import run_until_complete
from tests.faults.small_project import SERVICES, SmallProject, small_project
from tests.sandbox.names import repeated

pytestmark = pytest.mark.faults

SEED, RATE, ATTEMPTS = "1", 0.05, 30


@pytest.fixture
def project(tenant: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallProject]:
    monkeypatch.setenv("FAULTS_WITHOUT_CLUSTER", "1")  # until the project is destroyed
    with small_project(tmp_path / "project", tenant) as created:
        yield created


def test_random_faults_end_runs_that_the_next_ones_continue(project: SmallProject, tenant: Connection) -> None:
    with FaultProxy(SERVICES, SEED, RATE).running() as proxy:
        run_until_complete(project.through(proxy), proxy, ATTEMPTS)
    assert proxy.injected
    project.plain.run("preview", "--expect-no-changes")
    assert repeated(tenant) == {}
