"""A Vault of our own on the sandbox's OpenStack: all that surrounds the server, and what it runs, played beside it.

No VM boots in the sandbox. Once Nova has the server, this test takes the user data that Nova would hand it, and runs
the OpenBao that they describe on loopback, while the program waits for it.
"""

import base64
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import openstack
import pulumi
import pulumi_vault
import pytest
from openstack.connection import Connection
from pulumi import automation

from components.network import Network
from config.names import cloud_name
from config.stack_config import StackConfig
from phalanx.environment import Environment as PhalanxEnvironment
from probes import own_vault
from probes.own_vault import Presence
from program import arguments
from program.providers import openstack_provider
from program.vault import open_vault
from sandbox import environment as sandbox_environment
from sandbox import paths
from sandbox.cloud import up as cloud
from sandbox.progress import Phases
from tests.sandbox.vault_vm import HOST, VaultVm, free_ports, self_signed
from tests.unit.sample import environment, vault_server_data

STACK = "own-vault"
SERVER = cloud_name(STACK, "vault")
OPERATOR, ADMIN, BACKUP = "planted-operator-1", "planted-administrator-1", "planted-backup-1"
CERTIFICATE, KEY = self_signed(HOST)
POLICY = """\
path "auth/token/lookup-self" { capabilities = ["read"] }
path "sys/mounts" { capabilities = ["read"] }
path "sys/mounts/own" { capabilities = ["create", "read", "update", "delete"] }
path "own/*" { capabilities = ["create", "read", "update", "delete"] }
"""


class Deployed(NamedTuple):
    """The small stack, and what its server runs."""

    settings: StackConfig
    tenant: Connection
    vm: VaultVm
    again: Mapping[automation.OpType, int]
    """What a preview right after `up` would do, by operation."""
    state: str
    """All that the backend keeps."""


@pytest.fixture(scope="module")
def tenant() -> Iterator[Connection]:
    with Phases() as phases:
        cloud.up(phases)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox_environment.variables().items():
            patch.setenv(name, value)
        # The program opens its own Vault by its password.
        patch.delenv("VAULT_TOKEN")
        with openstack.connect(cloud="rsp") as connection:
            yield connection


@pytest.fixture(scope="module")
def deployed(tenant: Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    (port,) = free_ports(1)
    settings = environment(
        cloud={"name": "rsp", "region": "RegionOne"},
        network={"externalNetwork": "external", "cidr": "10.30.0.0/24"},
        nfs__address="10.30.0.10",
        vault={
            # As through a tunnel: there is no name in the DNS, and no packet leaves the machine.
            "address": f"https://{HOST}:{port}",
            "deploy": vault_server_data(
                address="10.30.0.11",
                tls={"kind": "given", "certificate": CERTIFICATE, "key": KEY},
                operatorPassword=OPERATOR,
                adminPassword=ADMIN,
                backupPassword=BACKUP,
            ),
        },
        protect=False,
    )
    # In the sandbox's backend, so that the next run knows what an interrupted one has left.
    stack = automation.create_or_select_stack(STACK, project_name="rsp", program=lambda: _program(settings))
    _remove(stack, tenant)
    authority = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.write_text(CERTIFICATE)
    with tempfile.TemporaryDirectory(prefix="bao") as root, pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAULT_CACERT", str(authority))
        assert own_vault.presence(settings, STACK) is Presence.ABSENT
        boot = _Boot(Path(root), port)
        boot.start()
        try:
            stack.up()
            again = stack.preview().change_summary
            boot.join(60)
            assert boot.vm, "no server with user data came up"
            kept = "\n".join(file.read_text() for file in paths.STACKS.rglob(f"{STACK}*") if file.is_file())
            yield Deployed(settings, tenant, boot.vm, again, kept)
        finally:
            boot.given_up.set()
            _remove(stack, tenant)
            stack.workspace.remove_stack(STACK)
            if boot.vm:
                boot.vm.stop()


def _remove(stack: automation.Stack, tenant: Connection) -> None:
    """Destroy the stack, and delete the data volume that it leaves."""
    stack.destroy()
    for volume in tenant.block_storage.volumes(name=f"{SERVER}-data"):
        tenant.block_storage.delete_volume(volume.id)


class _Boot(threading.Thread):
    """The VM: it starts what its user data say once Nova has it and the volume is attached."""

    def __init__(self, root: Path, port: int) -> None:
        super().__init__(daemon=True)
        self.vm: VaultVm | None = None
        self.given_up = threading.Event()
        self._root, self._port = root, port

    def run(self) -> None:
        with openstack.connect(cloud="admin") as admin:
            while not self.given_up.is_set():
                for server in admin.compute.servers(name=f"^{SERVER}$", all_projects=True):
                    volumes = list(admin.compute.volume_attachments(server))
                    if server.status == "ACTIVE" and volumes and server.user_data:
                        vm = VaultVm(base64.b64decode(server.user_data).decode(), self._root, self._port)
                        vm.start()
                        self.vm = vm
                        return
                time.sleep(1)


def _program(settings: StackConfig) -> None:
    options = pulumi.ResourceOptions(providers=[openstack_provider(settings.cloud)])
    network = Network("network", arguments.network(settings), options)
    target = PhalanxEnvironment.model_validate(
        {
            "name": "own",
            "fqdn": "rsp.example.org",
            "appOfAppsName": "apps",
            "vaultUrl": f"https://{HOST}:8200",
            "vaultPathPrefix": "own/phalanx",
            "repoUrl": "",
            "targetRevision": "",
            "applications": {},
        },
    )
    vault = open_vault(settings, target, network, POLICY, options)
    child = pulumi.ResourceOptions(provider=vault.provider)
    mount = pulumi_vault.Mount("own", path="own", type="kv", options={"version": "2"}, opts=child)
    pulumi_vault.kv.SecretV2("secret", mount=mount.path, name="tap", data_json='{"key": "planted-value"}', opts=child)
    pulumi.export("vaultAddress", vault.address)


def test_one_run_makes_the_server_waits_for_it_and_writes_to_it(deployed: Deployed) -> None:
    assert deployed.again.keys() == {automation.OpType.SAME}
    operator = deployed.vm.login("rsp-operator", OPERATOR)
    answer: Any = operator.read("own/data/tap")
    assert answer["data"]["data"] == {"key": "planted-value"}


def test_openstack_tells_a_server_that_is_there(deployed: Deployed) -> None:
    assert own_vault.presence(deployed.settings, STACK) is Presence.THERE


def test_only_its_clients_reach_it(deployed: Deployed) -> None:
    network = deployed.tenant.network
    group = network.find_security_group(SERVER, ignore_missing=False)
    (router,) = network.routers(name=cloud_name(STACK, "network"))
    outside = router.external_gateway_info["external_fixed_ips"][0]["ip_address"]
    ingress = {
        (rule.protocol, rule.port_range_min, rule.port_range_max, rule.remote_ip_prefix)
        for rule in network.security_group_rules(security_group_id=group.id, direction="ingress")
    }
    assert ingress == {("tcp", 8200, 8200, remote) for remote in ("10.30.0.0/24", "192.0.2.0/28", f"{outside}/32")}
    (server,) = deployed.tenant.compute.servers(name=f"^{SERVER}$")
    (port,) = network.ports(device_id=server.id)
    assert port.security_group_ids == [group.id]
    assert [each["ip_address"] for each in port.fixed_ips] == ["10.30.0.11"]
    assert len(list(network.ips(port_id=port.id))) == 1


def test_its_volume_is_attached(deployed: Deployed) -> None:
    (volume,) = deployed.tenant.block_storage.volumes(name=f"{SERVER}-data")
    (server,) = deployed.tenant.compute.servers(name=f"^{SERVER}$")
    assert (volume.status, volume.size, volume.volume_type) == ("in-use", 20, "ceph-ssd")
    assert [each["server_id"] for each in volume.attachments] == [server.id]


def test_the_state_has_no_secret_in_clear(deployed: Deployed) -> None:
    assert "vault-server" in deployed.state
    for secret in (OPERATOR, ADMIN, BACKUP, "planted-value", KEY.splitlines()[1]):
        assert secret not in deployed.state
