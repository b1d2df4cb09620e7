import gc
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from types import SimpleNamespace
from typing import Any

import pytest

from probes import retries
from probes.openstack_connection import PREFERRED_BY_PROVIDER
from recovery import pulumi_stack
from tests import openbao
from tests.openbao import OpenBao
from tests.unit.recording import ProgramRunner
from tests.unit.recovery.fake_pulumi import FakePulumi

COMPUTED: Mapping[str, Mapping[str, Any]] = {
    "openstack:networking/floatingIp:FloatingIp": {"address": "203.0.113.16"},
    "openstack:networking/router:Router": {"externalFixedIps": [{"ipAddress": "203.0.113.9"}]},
    "openstack:containerinfra/cluster:Cluster": {
        "apiAddress": "https://203.0.113.20:6443",
        "kubeconfig": {"raw_config": "kubeconfig-of-the-test", "host": "https://203.0.113.20:6443"},
    },
    "openstack:sharedfilesystem/share:Share": {
        "exportLocations": [
            {"path": "192.0.2.11:/volumes/other", "preferred": "false"},
            {"path": "192.0.2.10:/volumes/preferred", "preferred": "true"},
        ]
    },
    "openstack:sharedfilesystem/shareAccess:ShareAccess": {"accessKey": "key-of-the-identity"},
    "openstack:identity/ec2CredentialV3:Ec2CredentialV3": {"access": "ec2-access", "secret": "ec2-secret"},
}
"""Outputs that providers compute and components use, by type token."""

IMAGES: Mapping[str, Mapping[str, Any]] = {"openstack:images/getImageIds:getImageIds": {"ids": ["image-id"]}}
"""Answer of Glance."""


# To scan for garbage often takes half the duration of the collection, and then a fifth of that of the tests.
gc.set_threshold(500_000, 20, 20)


def pytest_collection_finish() -> None:
    """Do not scan modules and tests for garbage."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_real_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the services in the runner's environment, repeat requests at once; make an f-string of an Output raise."""
    monkeypatch.setattr(retries, "BACKOFF", 0)
    openstack = ("OS_CLOUD", "OS_CLIENT_CONFIG_FILE", *PREFERRED_BY_PROVIDER)
    for name in (*openstack, "VAULT_TOKEN", "VAULT_ADDR", "KUBECONFIG", "PULUMI_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PULUMI_ERROR_OUTPUT_STRING", "true")


@pytest.fixture(scope="session", autouse=True)
def session_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Isolate the cache and Git's settings from the user's; equal charts are rendered once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a cache of the test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def empty_vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """Yield an unsealed OpenBao of the module, at first without mounts."""
    with openbao.server(tmp_path_factory.mktemp("openbao")) as bao:
        yield bao


@pytest.fixture(scope="session")
def private_vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    """Yield an unsealed OpenBao with a certificate of a private CA, at first without mounts."""
    with openbao.with_private_authority(tmp_path_factory.mktemp("openbao")) as bao:
        yield bao


@pytest.fixture
def pulumi_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakePulumi:
    """Put a fake CLI with an empty state on PATH."""
    directory = tmp_path / "cli"
    directory.mkdir()
    fake = FakePulumi(directory)
    fake.install()
    for name, value in fake.variables.items():
        monkeypatch.setenv(name, value)
    return fake


@pytest.fixture
def pulumi(pulumi_on_path: FakePulumi, monkeypatch: pytest.MonkeyPatch) -> FakePulumi:
    """Put a fake CLI on PATH, and call it without a process, most of whose duration is the start of Python."""

    def run(command: Sequence[str], **given: Any) -> CompletedProcess[str]:
        try:
            output = pulumi_on_path.answer([*command[1:]], given["env"], given["input"] or "")
            return CompletedProcess(command, 0, output, "")
        except SystemExit as ended:
            return CompletedProcess(command, int(ended.code is not None), "", str(ended))

    monkeypatch.setattr(pulumi_stack, "subprocess", SimpleNamespace(**{**vars(subprocess), "run": run}))
    return pulumi_on_path


@pytest.fixture
def run_program() -> ProgramRunner:
    """Return a runner of Pulumi programs and components on a recording monitor: ``run_program(lambda: Network(...))``.

    Variants: ``run_program.having(preview=True, invokes={...}, computed={...}, config={...})``.
    """
    return ProgramRunner(computed=COMPUTED, invokes=IMAGES)
