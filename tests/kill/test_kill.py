"""`pulumi up` killed over and over again: what it was making is found, and nothing is made twice.

KILL_COUNT is how many times, KILL_SEED what the moments follow from; the seed is printed, so that they can be repeated.
"""

import json
import os
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import hvac
import pytest
from openstack.connection import Connection

from config.names import cloud_name
from operations.recovery.report import Outcome
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
"""Seconds after which a run is killed at the latest: short, so that one stack is killed many times before it is up."""


@pytest.fixture(scope="module")
def unprotected(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program with a configuration in which a destroy leaves nothing but data; afterwards all is as before."""
    file = vary(tmp_path_factory.mktemp("kill") / "Pulumi.sandbox.yaml", {"protect": False})
    yield Program(program.stack, file)
    program.recover()
    program.run("up")


def test_killed_runs_go_on_and_make_nothing_twice(
    unprotected: Program, tenant: Connection, vault: hvac.Client, tmp_path: Path
) -> None:
    moments = random.Random(SEED)  # noqa: S311 - nothing secret comes of it
    _say(f"KILL_SEED={SEED} KILL_COUNT={COUNT}")
    secret_ids = len(_secret_ids(vault))
    kills = recoveries = 0
    complete = True
    while kills < COUNT:
        if complete:
            _say("the stack is complete: destroying it")
            unprotected.run("up")  # takes the protection away
            unprotected.run("destroy")
            # Data volumes outlive the stack, and no second ones are made.
            refused = unprotected.attempt("up")
            assert "operations recover -s sandbox" in refused.stdout, refused.stdout
            _say(unprotected.recover())
        seconds = moments.uniform(0, LATEST)
        ended = unprotected.survived("up", when=partial(_is_past, time.monotonic() + seconds))
        complete = ended is not None
        if ended is not None:
            assert ended.returncode == 0, ended.stdout
            continue
        kills += 1
        _say(f"kill {kills}, after {seconds:.1f} s")
        report = json.loads(unprotected.recover("--json"))
        _say(json.dumps(report, indent=2))
        recoveries += sum(each["outcome"] in _RECOVERED for each in report["operations"])
        assert repeated(tenant) == {}

    assert recoveries > 0, f"none of {kills} kills interrupted a creation: raise KILL_COUNT"
    unprotected.run("up")
    assert unprotected.changes("preview") == {}
    assert repeated(tenant) == {}
    assert len(_secret_ids(vault)) <= secret_ids + kills + 1
    _check_releases(tenant, tmp_path)


def _check_releases(tenant: Connection, folder: Path) -> None:
    """Helm has one record of each release, and calls it deployed."""
    wanted = cloud_name("sandbox", "cluster")
    (found,) = [each for each in tenant.container_infrastructure_management.clusters() if each.name == wanted]
    cluster = certificates.MagnumCluster(tenant, str(found.uuid))
    with cluster.client(cluster.signed_certificate(), folder) as api:
        records = [
            each["metadata"]["labels"]
            for each in Objects(api).all("v1", "Secret")
            if each["type"] == "helm.sh/release.v1"
        ]
    assert Counter((each["name"], each["status"]) for each in records) == {
        ("argocd", "deployed"): 1,
        ("vault-secrets-operator", "deployed"): 1,
    }


def _secret_ids(vault: hvac.Client) -> list[str]:
    answer: Any = vault.list("auth/approle/role/sandbox/secret-id")
    return list(answer["data"]["keys"]) if answer else []


def _is_past(moment: float) -> bool:
    return time.monotonic() > moment


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - it takes a quarter of an hour
