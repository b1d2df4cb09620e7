"""The site's own Vault, deployed by its project on the sandbox's OpenStack, and a whole platform that uses it.

No VM boots in the sandbox, so OpenBao runs on loopback, configured by the user data that Nova has for the server. The
platform is the sandbox's own, which is moved to this Vault for the tests of this module.
"""

import base64
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import hvac
import hvac.exceptions
import openstack
import pytest
from openstack.connection import Connection
from pulumi import automation
from pydantic import SecretStr

from config.names import VAULT_PROJECT, cloud_name
from sandbox import paths
from sandbox.ports import Port
from tests.sandbox import branches
from tests.sandbox.configuration import vary
from tests.sandbox.objects import Objects
from tests.sandbox.program import Program
from tests.sandbox.vault_vm import HOST, VaultVm

STACK = "sandbox"
PROJECT = paths.CHECKOUT / "vault"
SERVER = cloud_name(STACK, "vault", VAULT_PROJECT)
ADMIN, BACKUP, ALICE = "planted-administrator-1", "planted-backup-1", "planted-operator-1"
MOVED = ("--refresh", "--run-program")
"""Options of `pulumi up` after a change of Vault: they refresh with the new one."""
CLIENTS = {"192.0.2.0/28", "203.0.113.9/32"}


class Deployed(NamedTuple):
    """The stack of the Vault, and its server."""

    vm: VaultVm
    outputs: Mapping[str, Any]
    preview: Mapping[automation.OpType, int]
    """Number of resources by operation, in a preview right after `up`."""
    state: str
    """All files of the stack in the backend."""


class Platform(NamedTuple):
    """The sandbox's platform, deployed with that Vault."""

    program: Program
    operator: hvac.Client
    """Client of the Vault with an operator's token."""


@pytest.fixture(scope="module")
def deployed(tenant: Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    server = {
        "tls": {"kind": "private", "email": None},
        "adminPassword": SecretStr(ADMIN),
        "backupPassword": SecretStr(BACKUP),
    }
    changes = {"host": HOST, "server": server, "protect": False}
    file = str(
        vary(tmp_path_factory.mktemp("vault") / "stack.yaml", changes, PROJECT / "Pulumi.sandbox.yaml", VAULT_PROJECT)
    )
    # In the sandbox's backend, so that the next run can clean up after an interrupted one.
    stack = automation.create_or_select_stack(STACK, work_dir=str(PROJECT))
    _remove(stack, tenant, file)
    with ExitStack() as cleanup:
        cleanup.callback(_remove, stack, tenant, file)
        outputs = {name: each.value for name, each in stack.up(config_file=file).outputs.items()}
        preview = stack.preview(config_file=file).change_summary
        root = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="bao")))
        # Not port 8200, which the sandbox's Vault uses.
        vm = VaultVm(_user_data(), root, authority=outputs["vaultCaCertificate"])
        cleanup.callback(vm.stop)
        vm.start()
        kept = paths.STACKS.rglob(f"{VAULT_PROJECT}/**/{STACK}*")
        state = "\n".join(each.read_text() for each in kept if each.is_file())
        yield Deployed(vm, outputs, preview, state)


@pytest.fixture(scope="module")
def platform(deployed: Deployed, program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Move the sandbox's platform to the Vault, which has none of its secrets yet, and back afterwards."""
    vm, folder = deployed.vm, tmp_path_factory.mktemp("platform")
    vm.create_operator(vm.token("rsp-admin", ADMIN), STACK, program.operate("vault-policy"), "alice", ALICE)
    token = vm.token("alice", ALICE)
    url = branches.replace("environments/values-sandbox.yaml", Port.VAULT.url, vm.url)
    with branches.branch(folder, "vault-server", url, "Use the site's own Vault") as revision:
        ca_file = os.path.relpath(vm.certificate, paths.CHECKOUT)
        changes = {"phalanx": {"revision": revision}, "vault": {"caFile": ca_file}}
        moved = Program(STACK, vary(folder / "Pulumi.sandbox.yaml", changes), {"VAULT_TOKEN": token})
        try:
            moved.run("up", *MOVED)
            yield Platform(moved, vm.client(token))
        finally:
            program.run("up", *MOVED)


def _remove(stack: automation.Stack, tenant: Connection, config_file: str) -> None:
    """Destroy the stack, and delete its data volume, which is retained."""
    stack.destroy(config_file=config_file)
    for volume in tenant.block_storage.volumes(name=f"{SERVER}-data"):
        tenant.block_storage.delete_volume(volume.id)


def _user_data() -> str:
    with openstack.connect(cloud="admin") as admin:
        (server,) = admin.compute.servers(name=f"^{SERVER}$", all_projects=True)
        return base64.b64decode(server.user_data).decode()


def test_one_update_is_sufficient(deployed: Deployed) -> None:
    assert deployed.preview.keys() == {automation.OpType.SAME}
    assert deployed.outputs["vaultUrl"] == f"https://{HOST}:8200"


def test_vault_ready_succeeds(deployed: Deployed) -> None:
    command = [sys.executable, "-m", "operations", "vault-ready", deployed.vm.url, "--address", "127.0.0.1"]
    done = subprocess.run(
        [*command, "--timeout", "30", "--ca-file", deployed.vm.certificate],
        cwd=paths.CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, f"{deployed.vm.url} is ready\n"), done.stderr


def test_only_its_clients_are_admitted(deployed: Deployed, tenant: Connection) -> None:
    network = tenant.network
    group = network.find_security_group(SERVER, ignore_missing=False)
    ingress = {
        (rule.protocol, rule.port_range_min, rule.port_range_max, rule.remote_ip_prefix)
        for rule in network.security_group_rules(security_group_id=group.id, direction="ingress")
    }
    assert ingress == {("tcp", 8200, 8200, remote) for remote in CLIENTS}
    (server,) = tenant.compute.servers(name=f"^{SERVER}$")
    (port,) = network.ports(device_id=server.id)
    assert port.security_group_ids == [group.id]
    assert [each["ip_address"] for each in port.fixed_ips] == ["10.30.0.10"]
    (address,) = network.ips(port_id=port.id)
    assert address.floating_ip_address == deployed.outputs["vaultAddress"]


@pytest.mark.usefixtures("deployed")
def test_the_volume_is_attached(tenant: Connection) -> None:
    (volume,) = tenant.block_storage.volumes(name=f"{SERVER}-data")
    (server,) = tenant.compute.servers(name=f"^{SERVER}$")
    assert (volume.status, volume.size, volume.volume_type) == ("in-use", 10, "ceph-ssd")
    assert [each["server_id"] for each in volume.attachments] == [server.id]


def test_the_state_has_no_secret_in_plaintext(deployed: Deployed) -> None:
    assert "vault-server" in deployed.state
    for secret in (ADMIN, BACKUP, "PRIVATE KEY"):
        assert secret not in deployed.state


def test_an_operator_deploys_a_platform(platform: Platform, objects: Objects) -> None:
    assert platform.program.changes("preview") == {}
    states = {
        name: (each["status"]["sync"]["status"], each["status"]["health"]["status"])
        for name, each in objects.applications().items()
    }
    assert len(states) > 10
    assert set(states.values()) == {("Synced", "Healthy")}, states


@pytest.mark.usefixtures("platform")
def test_the_cluster_has_the_secrets_of_this_vault(deployed: Deployed, objects: Objects) -> None:
    ids = objects.secret("vault-credentials", "vault-secrets-operator")
    cluster = deployed.vm.client()
    cluster.auth.approle.login(role_id=ids["VAULT_ROLE_ID"], secret_id=ids["VAULT_SECRET_ID"])
    held: Any = cluster.read("secret/data/phalanx/sandbox/postgres")
    assert objects.secret("postgres", "postgres") == held["data"]["data"]
    failed = [
        (each["metadata"]["name"], condition["message"])
        for each in objects.all("ricoberger.de/v1alpha1", "VaultSecret")
        for condition in each["status"]["conditions"]
        if condition["status"] != "True"
    ]
    assert failed == []


@pytest.mark.usefixtures("platform")
def test_the_cluster_trusts_the_authority_of_this_vault(deployed: Deployed, objects: Objects) -> None:
    operator = objects.one("apps/v1", "Deployment", "vault-secrets-operator", "vault-secrets-operator")
    (container,) = operator["spec"]["template"]["spec"]["containers"]
    variables = {each["name"]: each.get("value") for each in container["env"]}
    assert variables["VAULT_ADDRESS"] == deployed.vm.url
    assert variables["VAULT_CACERT_BYTES"] == deployed.outputs["vaultCaCertificate"]


@pytest.mark.parametrize(
    "path", ["sys/policies/acl/rsp-operator-sandbox", "auth/userpass/users/alice", "secret/data/phalanx/other/tap"]
)
def test_an_operator_cannot_read_other_paths(platform: Platform, path: str) -> None:
    with pytest.raises(hvac.exceptions.Forbidden):
        platform.operator.read(path)
