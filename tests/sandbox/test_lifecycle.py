"""The program over time: without changes, after a kill, after a destroy, and after a loss of the state."""

import itertools
import shutil
from pathlib import Path
from typing import Any

import hvac
import pytest
from openstack.connection import Connection

from config.names import cloud_name
from sandbox import paths
from tests.sandbox.names import identities, repeated
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


def test_a_lost_state_is_recorded_again(
    program: Program, tenant: Connection, vault: hvac.Client, vault_root: hvac.Client, tmp_path: Path
) -> None:
    state = paths.STACKS / ".pulumi/stacks/rsp/sandbox.json"
    copy = Path(shutil.copy(state, tmp_path))
    before, passwords, keys = identities(tenant), generated(vault), access_keys(tenant)
    token = program.manage("output", "vaultWriteToken", "--show-secrets", "--stack", program.stack).strip()
    state.unlink()
    try:
        program.manage("init", program.stack)
        program.recover()
        program.run("up")
    except BaseException:
        shutil.copy(copy, state)
        raise
    assert identities(tenant) == before
    assert generated(vault) == passwords
    assert program.changes("preview") == {}
    # Both can be read only when they are created, so that there are others now.
    for key in keys:
        tenant.identity.delete(f"/users/{tenant.current_user_id}/credentials/OS-EC2/{key}")
    vault_root.auth.token.revoke(token)


def generated(vault: hvac.Client) -> dict[str, Any]:
    """Return the passwords of the databases."""
    read = vault.secrets.kv.v2.read_secret_version(
        "phalanx/sandbox/postgres", mount_point="secret", raise_on_deleted_version=True
    )
    found: dict[str, Any] = read["data"]["data"]
    return found


def access_keys(tenant: Connection) -> list[str]:
    """Return the access keys of the object store."""
    found = tenant.identity.get(f"/users/{tenant.current_user_id}/credentials/OS-EC2").json()["credentials"]
    return [each["access"] for each in found]


def _is_open_to_others(file: Path) -> bool:
    """Return whether others can read the file, by its mode and those of its parent directories."""
    above = itertools.takewhile(lambda each: each != paths.HOME, file.parents)
    return bool(file.stat().st_mode & 0o077) and all(each.stat().st_mode & 0o011 for each in above)


@pytest.fixture(scope="module", autouse=True)
def _deployed(program: Program) -> None:
    """Deploy the stack before the tests of this module."""
    del program
