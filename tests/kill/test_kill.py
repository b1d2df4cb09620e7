"""Repeatedly kill `pulumi up`, and check that it recovers without duplicates.

KILL_COUNT is the number of kills. KILL_SEED seeds their random times; it is printed, so that a run can be repeated.
"""

import json
import os
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import hvac
import pytest
from kubernetes.client import ApiClient
from openstack.connection import Connection

from config.names import cloud_name
from recovery.report import Outcome
from tests.sandbox import certificates
from tests.sandbox.configuration import vary
from tests.sandbox.names import repeated
from tests.sandbox.objects import Objects
from tests.sandbox.program import Program

pytestmark = pytest.mark.kill

COUNT = int(os.environ.get("KILL_COUNT", "20"))
SEED = int(os.environ.get("KILL_SEED") or secrets.randbelow(1_000_000))
_RECOVERED = {Outcome.RECORDED, Outcome.REMOVED}
LATEST = 45.0
"""Maximum seconds until a run is killed: short, so that one deployment is killed many times."""

ALONE = 0.3
"""Fraction of kills after which the plugins keep running, as after the kernel's OOM killer."""


@pytest.fixture(scope="module")
def unprotected(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Yield the program configured so that a destroy keeps only data; restore its own configuration afterwards."""
    file = vary(tmp_path_factory.mktemp("kill") / "Pulumi.sandbox.yaml", {"protect": False})
    yield Program(program.stack, file)
    program.recover()
    program.run("up")


def test_killed_runs_recover_without_duplicates(
    unprotected: Program, tenant: Connection, vault: hvac.Client, tmp_path: Path
) -> None:
    times = random.Random(SEED)  # noqa: S311 - not used for secrets
    _print(f"KILL_SEED={SEED} KILL_COUNT={COUNT}")
    secret_ids = len(_secret_ids(vault))
    kills = recoveries = 0
    complete = True
    while kills < COUNT:
        if complete:
            _print("the stack is complete: destroying it")
            unprotected.run("up")  # removes the protection
            unprotected.run("destroy")
            unprotected.operate("leftovers", "--delete", "--volumes", "--yes")
            # Data volumes are kept, and no duplicates of them are created.
            refused = unprotected.attempt("up")
            assert "operations recover -s sandbox" in refused.stdout, refused.stdout
            _print(unprotected.recover())
        seconds, alone = times.uniform(0, LATEST), times.random() < ALONE
        ended = unprotected.try_to_kill("up", when=partial(_is_past, time.monotonic() + seconds), alone=alone)
        complete = ended is not None
        if ended is not None:
            assert ended.returncode == 0, ended.stdout
            continue
        kills += 1
        _print(f"kill {kills}, after {seconds:.1f} s{', plugins kept running' if alone else ''}")
        report = json.loads(unprotected.recover("--json"))
        _print(json.dumps(report, indent=2))
        recoveries += sum(each["outcome"] in _RECOVERED for each in report["operations"])
        assert repeated(tenant) == {}

    assert recoveries > 0, f"none of {kills} kills interrupted a creation: raise KILL_COUNT"
    unprotected.run("up")
    assert unprotected.changes("preview") == {}
    assert repeated(tenant) == {}
    assert len(_secret_ids(vault)) <= secret_ids + kills + 1
    with _api(tenant, tmp_path) as api:
        assert _releases(api) == {("argocd", "deployed"): 1, ("vault-secrets-operator", "deployed"): 1}


def test_an_interrupted_helm_installation_continues(program: Program, tenant: Connection, tmp_path: Path) -> None:
    program.recover()
    program.run("up")  # protects the cluster again
    program.run("destroy")

    def argocd_is_being_installed() -> bool:
        return ("argocd", "pending-install") in _releases(api)

    # The cluster is protected, and still there.
    with _api(tenant, tmp_path) as api:
        program.kill("up", when=argocd_is_being_installed)
        assert "cluster-argocd-release: removed" in program.recover()
        program.run("up")
        assert _releases(api) == {("argocd", "deployed"): 1, ("vault-secrets-operator", "deployed"): 1}
    assert program.changes("preview") == {}


@contextmanager
def _api(tenant: Connection, folder: Path) -> Iterator[ApiClient]:
    """Yield a client for the cluster's API."""
    wanted = cloud_name("sandbox", "cluster")
    (found,) = [each for each in tenant.container_infrastructure_management.clusters() if each.name == wanted]
    cluster = certificates.MagnumCluster(tenant, str(found.uuid))
    with cluster.client(cluster.signed_certificate(), folder) as api:
        yield api


def _releases(api: ApiClient) -> Counter[tuple[str, str]]:
    """Count Helm's records by release and status."""
    records = Objects(api).all("v1", "Secret")
    labels = [each["metadata"]["labels"] for each in records if each["type"] == "helm.sh/release.v1"]
    return Counter((each["name"], each["status"]) for each in labels)


def _secret_ids(vault: hvac.Client) -> list[str]:
    answer: Any = vault.list("auth/approle/role/sandbox/secret-id")
    return list(answer["data"]["keys"]) if answer else []


def _is_past(deadline: float) -> bool:
    return time.monotonic() > deadline


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - shows progress, as the test takes half an hour
