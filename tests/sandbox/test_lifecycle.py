"""The program over time: without changes, after a kill, and after a destroy."""

import itertools
from pathlib import Path

import pytest
from openstack.connection import Connection

from config.names import cloud_name
from sandbox import paths
from tests.sandbox.names import repeated
from tests.sandbox.objects import Objects
from tests.sandbox.program import Program


def test_a_second_run_changes_nothing(program: Program) -> None:
    assert program.changes("up") == {}


def test_the_real_resources_have_not_drifted(program: Program) -> None:
    assert program.changes("refresh") == {}


def test_the_state_is_readable_by_its_owner_only(program: Program) -> None:
    del program
    kept = [file for file in paths.STACKS.rglob("sandbox*.json*") if file.is_file()]
    assert kept
    assert [file for file in kept if _is_open_to_others(file)] == []


def test_a_killed_run_continues_without_duplicates(program: Program, tenant: Connection, objects: Objects) -> None:
    """Protected resources stay; the others are destroyed, partly created, and completed by the same command."""

    def nfs() -> list[str]:
        return [each.id for each in tenant.compute.servers() if each.name == cloud_name("sandbox", "nfs")]

    def nfs_is_there() -> bool:
        return bool(nfs())

    program.run("destroy")
    assert not nfs_is_there()
    # The Service is deleted before Argo CD and, where it is not protected, the cluster.
    assert [each.name for each in tenant.load_balancer.load_balancers() if each.name.startswith("kube_service_")] == []

    program.kill("up", when=nfs_is_there)
    assert objects.all("v1", "Secret", namespace="argocd") == [], "killed too late"

    created = nfs()
    program.recover()
    program.run("up")
    assert nfs() == created
    assert repeated(tenant) == {}
    assert program.changes("preview") == {}


def _is_open_to_others(file: Path) -> bool:
    """Return whether others can read the file, by its mode and those of its parent directories."""
    above = itertools.takewhile(lambda each: each != paths.HOME, file.parents)
    return bool(file.stat().st_mode & 0o077) and all(each.stat().st_mode & 0o011 for each in above)


@pytest.fixture(scope="module", autouse=True)
def _deployed(program: Program) -> None:
    """Deploy the stack before the tests of this module."""
    del program
