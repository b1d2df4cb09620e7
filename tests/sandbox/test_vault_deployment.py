"""The site's own Vault, deployed by its project on the sandbox's OpenStack, and a platform's secrets in it.

No VM boots in the sandbox, so OpenBao runs on loopback, configured by the user data that Nova has for the server.
"""

import base64
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import hvac
import hvac.exceptions
import openstack
import pulumi
import pytest
from openstack.connection import Connection
from pulumi import automation
from pydantic import SecretStr

from components.object_store import ObjectStore
from components.secret_store import SecretStore
from config.loader import load_file
from config.names import VAULT_PROJECT, cloud_name
from config.stack_config import StackConfig
from phalanx import source
from phalanx.source import PhalanxSource
from probes import vault_policy, vault_preflight, vault_secrets
from probes.openstack_connection import Location
from program import platform_arguments, secret_gathering
from program.checks import Checked
from program.providers import vault_provider
from sandbox import environment, paths
from sandbox.cloud import up as cloud
from sandbox.progress import Phases
from tests.sandbox.configuration import vary
from tests.sandbox.small_stack import small_stack
from tests.sandbox.vault_vm import HOST, VaultVm, self_signed
from wiring import requirements
from wiring.application_values import application_values

STACK = "sandbox"
PROJECT = paths.CHECKOUT / "vault"
SERVER = cloud_name(STACK, "vault", VAULT_PROJECT)
ADMIN, BACKUP, ALICE = "planted-administrator-1", "planted-backup-1", "planted-operator-1"
GIVEN = "planted-credentials"
CERTIFICATE, KEY = self_signed(HOST)
CLIENTS = {"192.0.2.0/28", "203.0.113.9/32"}


class Deployed(NamedTuple):
    """The stack of the Vault, and its server."""

    vm: VaultVm
    outputs: Mapping[str, Any]
    preview: Mapping[automation.OpType, int]
    """Number of resources by operation, in a preview right after `up`."""
    state: str
    """All files of the stack in the backend."""


class Written(NamedTuple):
    """A platform's secrets in that Vault."""

    operator: hvac.Client
    """Client of the Vault with an operator's token."""
    outputs: automation.OutputMap
    preview: Mapping[automation.OpType, int]


@pytest.fixture(scope="module")
def tenant() -> Iterator[Connection]:
    with Phases() as phases:
        cloud.up(phases)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.variables().items():
            patch.setenv(name, value)
        # It is a token of the sandbox's Vault.
        patch.delenv("VAULT_TOKEN")
        with openstack.connect(cloud="rsp") as connection:
            yield connection


@pytest.fixture(scope="module")
def deployed(tenant: Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    server = {
        "tls": {"kind": "given", "certificate": CERTIFICATE, "key": SecretStr(KEY), "email": None},
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
        vm = VaultVm(_user_data(), Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="bao"))))
        patch = cleanup.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("VAULT_CACERT", vm.certificate)
        # hvac reads the variable when it is imported.
        patch.setattr("hvac.v1.VAULT_CACERT", vm.certificate)
        cleanup.callback(vm.stop)
        vm.start()
        kept = paths.STACKS.rglob(f"{VAULT_PROJECT}/**/{STACK}*")
        state = "\n".join(each.read_text() for each in kept if each.is_file())
        yield Deployed(vm, outputs, preview, state)


def _remove(stack: automation.Stack, tenant: Connection, config_file: str) -> None:
    """Destroy the stack, and delete its data volume, which is retained."""
    stack.destroy(config_file=config_file)
    for volume in tenant.block_storage.volumes(name=f"{SERVER}-data"):
        tenant.block_storage.delete_volume(volume.id)


def _user_data() -> str:
    with openstack.connect(cloud="admin") as admin:
        (server,) = admin.compute.servers(name=f"^{SERVER}$", all_projects=True)
        return base64.b64decode(server.user_data).decode()


@pytest.fixture(scope="module")
def written(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    """Write the secrets of the sandbox's platform with an operator's token."""
    vm, folder = deployed.vm, tmp_path_factory.mktemp("platform")
    # Not port 8200, which the sandbox's Vault uses.
    changes = {
        "vault": {"address": vm.url},
        "secrets": {"applications": {"tap": {"google_creds.json": GIVEN}}},
        "protect": False,
    }
    config = load_file(vary(folder / "Pulumi.sandbox.yaml", changes), StackConfig)
    phalanx = source.load(
        *source.locate(config.phalanx.repository, config.phalanx.revision, config.phalanx.environment),
        application_values(config),
        requirements.of(config),
    )
    policy = vault_policy.operator(phalanx.environment, config.vault, STACK)
    vm.create_operator(vm.token("rsp-admin", ADMIN), STACK, policy, "alice", ALICE)
    with pytest.MonkeyPatch.context() as patch:
        token = vm.token("alice", ALICE)
        patch.setenv("VAULT_TOKEN", token)
        assert list(vault_preflight.check(vm.url, phalanx.environment, config.vault, STACK)) == []
        variables = {"VAULT_TOKEN": token, "VAULT_CACERT": vm.certificate}
        with small_stack(STACK, lambda: _program(config, phalanx), folder, **variables) as stack:
            outputs = stack.up().outputs
            preview = stack.preview().change_summary
            yield Written(vm.client(token), outputs, preview)


def _program(config: StackConfig, phalanx: PhalanxSource) -> None:
    """Create the platform's secrets in the same way as its program."""
    address = config.vault.reached_at(phalanx.environment.vault_url)
    found = vault_secrets.contents(address, phalanx.environment, config.vault.approle)
    checked = Checked(
        config=config,
        source=phalanx,
        vault_url=address,
        in_vault=found,
        secrets=secret_gathering.gather(config, phalanx, found.secrets),
        certificate=None,
        location=Location("project-id", "RegionOne"),
    )
    store = cast("ObjectStore", SimpleNamespace(access_key="planted-access", secret_key="planted-secret"))
    args = platform_arguments.secret_store(checked, store)
    secrets = SecretStore("secrets", args, pulumi.ResourceOptions(providers=[vault_provider(address)]))
    pulumi.export("roleId", secrets.role_id)
    pulumi.export("secretId", secrets.secret_id)


def test_one_update_is_sufficient(deployed: Deployed) -> None:
    assert deployed.preview.keys() == {automation.OpType.SAME}
    assert deployed.outputs["vaultUrl"] == f"https://{HOST}:8200"


def test_vault_ready_succeeds(deployed: Deployed) -> None:
    command = [sys.executable, "-m", "operations", "vault-ready", deployed.vm.url, "--address", "127.0.0.1"]
    done = subprocess.run(
        [*command, "--timeout", "30"], cwd=paths.CHECKOUT, capture_output=True, text=True, check=False
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
    for secret in (ADMIN, BACKUP, KEY.splitlines()[1]):
        assert secret not in deployed.state


def test_an_operator_writes_the_secrets_of_a_platform(written: Written) -> None:
    assert written.preview.keys() == {automation.OpType.SAME}
    tap: Any = written.operator.read("secret/data/phalanx/sandbox/tap")
    assert tap["data"]["data"]["google_creds.json"] == GIVEN
    assert tap["data"]["data"]["AWS_SECRET_ACCESS_KEY"] == "planted-secret"
    postgres: Any = written.operator.read("secret/data/phalanx/sandbox/postgres")
    assert len(postgres["data"]["data"]["gafaelfawr_password"]) == 64


def test_the_cluster_reads_the_secrets(written: Written, deployed: Deployed) -> None:
    cluster = deployed.vm.client()
    ids = {name: written.outputs[name].value for name in ("roleId", "secretId")}
    cluster.auth.approle.login(role_id=ids["roleId"], secret_id=ids["secretId"])
    tap: Any = cluster.read("secret/data/phalanx/sandbox/tap")
    assert tap["data"]["data"]["google_creds.json"] == GIVEN


@pytest.mark.parametrize(
    "path", ["sys/policies/acl/rsp-operator-sandbox", "auth/userpass/users/alice", "secret/data/phalanx/other/tap"]
)
def test_an_operator_cannot_read_other_paths(written: Written, path: str) -> None:
    with pytest.raises(hvac.exceptions.Forbidden):
        written.operator.read(path)
