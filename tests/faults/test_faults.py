"""Deploy through proxies that inject faults into the requests to OpenStack, Vault and Kubernetes, until it is complete.

FAULT_SEED seeds the faults and is printed, so that a run can be repeated. FAULT_RATE is the fraction of requests to
OpenStack and Vault that fail, FAULT_CONNECTION_RATE that of connections to the Kubernetes API, which carry many
requests each. FAULT_ATTEMPTS is the maximum number of runs of `up`.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import hvac
import pytest
import yaml
from openstack.connection import Connection

from recovery.document import resources
from recovery.pulumi_stack import PulumiStack
from sandbox import paths
from sandbox.ports import Port
from tests.faults.proxy import FaultProxy
from tests.faults.runs import run_until_complete
from tests.faults.small_project import SERVICES
from tests.faults.tcp_proxy import TcpProxy
from tests.sandbox import marks
from tests.sandbox.configuration import vary
from tests.sandbox.marks import Evidence, Mark
from tests.sandbox.names import repeated
from tests.sandbox.program import Program

pytestmark = pytest.mark.faults

SEED = os.environ.get("FAULT_SEED") or str(secrets.randbelow(1_000_000))
RATE = float(os.environ.get("FAULT_RATE", "0.05"))
CONNECTION_RATE = float(os.environ.get("FAULT_CONNECTION_RATE", "0.2"))
ATTEMPTS = int(os.environ.get("FAULT_ATTEMPTS", "60"))


@pytest.fixture
def destroyed(program: Program, tmp_path: Path) -> Program:
    """Return the program after it has destroyed all but data; it is deployed by the test."""
    unprotected = Program(program.stack, vary(tmp_path / "unprotected.yaml", {"protect": False}))
    unprotected.recover()
    unprotected.run("up")  # removes the protection
    unprotected.run("destroy")
    unprotected.operate("leftovers", "--delete", "--volumes", "--yes")
    return program


def test_a_platform_is_deployed_in_spite_of_faults(
    destroyed: Program, tenant: Connection, vault: hvac.Client, tmp_path: Path
) -> None:
    print(f"FAULT_SEED={SEED} FAULT_RATE={RATE} FAULT_CONNECTION_RATE={CONNECTION_RATE}", flush=True)  # noqa: T201
    services = {**SERVICES, "vault": Port.VAULT.url}
    with (
        FaultProxy(services, SEED, RATE).running() as proxy,
        TcpProxy(proxy.injected, SEED, CONNECTION_RATE).running() as clusters,
    ):
        # The program has the address of the Kubernetes API from Magnum.
        proxy.others = clusters.through
        clouds = tmp_path / "clouds.yaml"
        clouds.touch(mode=0o600)
        clouds.write_text(proxy.through(paths.CLOUDS_YAML.read_text()))
        config = vary(tmp_path / "faulty.yaml", {"vault": {"address": proxy.addresses["vault"]}})
        faulty = Program(destroyed.stack, config, {"OS_CLIENT_CONFIG_FILE": str(clouds)})
        try:
            output = run_until_complete(faulty, proxy, ATTEMPTS)
        finally:
            _renew_kubeconfig(destroyed)
    print(f"{len(proxy.injected)} faults, {clusters.connections} connections to Kubernetes", flush=True)  # noqa: T201
    # The providers of Vault and Kubernetes have other addresses, and nothing is replaced.
    assert set(destroyed.changes("preview")) == {"update"}
    destroyed.run("up")
    assert destroyed.changes("preview") == {}
    assert repeated(tenant) == {}
    assert marks.found([Evidence("the output", output.encode())], _secrets(vault)) == []


def _renew_kubeconfig(program: Program) -> None:
    """Renew the kubeconfig in the state, as the runbook of its expiry does; it then has the address of the API."""
    stack = PulumiStack(program.stack, program.directory)
    document = stack.export()
    clusters = [each for each in resources(document) if each["type"] == "openstack:containerinfra/cluster:Cluster"]
    for each in clusters:
        for key in ("kubeconfig", "__pulumi_raw_state_delta"):
            each["outputs"].pop(key, None)
    if clusters:
        stack.replace(document)
        stack.refresh(each["urn"] for each in clusters)


def _secrets(vault: hvac.Client) -> Iterator[Mark]:
    """Yield the platform's secrets and the credentials of its operator."""
    password = yaml.safe_load(paths.CLOUDS_YAML.read_text())["clouds"]["rsp"]["auth"]["password"]
    yield Mark("the tenant's password", password)
    yield Mark("the token for Vault", str(vault.token))
    kv = vault.secrets.kv.v2
    for name in kv.list_secrets("phalanx/sandbox", mount_point="secret")["data"]["keys"]:
        read = kv.read_secret_version(f"phalanx/sandbox/{name}", mount_point="secret", raise_on_deleted_version=True)
        yield from marks.of_vault({name: read["data"]["data"]})
