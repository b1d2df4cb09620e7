"""The program of the site's own Vault: resources, preflight checks and outputs."""

import json
import runpy
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pulumi
import pytest

from probes import explanations, openstack_connection, vault_server_needs, vault_server_preflight
from probes.openstack_connection import LoginError
from probes.problem import Problem
from program import options
from program.vault_outputs import DESCRIPTIONS
from sandbox.site_certificate import issue
from tests import stack_config
from tests.unit.conftest import COMPUTED
from tests.unit.probes.fake_project import FakeProject, named
from tests.unit.program import test_policies, test_recovery
from tests.unit.program.conftest import OPENSTACK_ANSWERS
from tests.unit.recording import ProgramRunner, Recording
from tests.unit.sample import vault_stack, vault_stack_data

ROOT = Path(__file__).parents[3]
HOST = "vault.example.org"
NOW = datetime.now(UTC)


def given(host: str = HOST) -> dict[str, str]:
    certificate, key = issue(host, NOW - timedelta(days=1), NOW + timedelta(days=60))
    return {"kind": "given", "certificate": certificate, "key": key}


def as_config(data: Mapping[str, Any]) -> dict[str, str]:
    return stack_config.as_texts(data, "rsp-vault")


def run(
    config: Mapping[str, str],
    recording: Recording | None = None,
    *,
    preview: bool = False,
    stashed: Mapping[str, Any] | None = None,
) -> Recording:
    runner = ProgramRunner(
        computed=COMPUTED,
        invokes=OPENSTACK_ANSWERS,
        config=config,
        preview=preview,
        project="rsp-vault",
        stashed=stashed or {},
    )
    return runner(_program, recording)


def _program() -> None:
    runpy.run_path(str(ROOT / "vault/__main__.py"))


@pytest.fixture(autouse=True)
def cloud(monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    """Return an OpenStack project with all resources that the configurations name."""
    found = FakeProject()
    for module in (vault_server_preflight, openstack_connection):
        monkeypatch.setattr(module, "connect_as_provider", lambda *_: found)
    return found


@pytest.fixture
def recording() -> Recording:
    return run(stack_config.load(ROOT / "vault", "sandbox"))


def test_the_resources_are_a_network_and_a_server(recording: Recording) -> None:
    components = {each.type for each in recording.resources if not each.custom}
    assert components == {f"rsp:index:{name}" for name in ("ImmutableKeys", "Network", "VaultServer")}
    managed = [each for each in recording.resources if each.custom and not each.type.startswith("pulumi:providers:")]
    assert {each.type.partition(":")[0] for each in managed} == {"openstack", "pulumi"}


@pytest.mark.parametrize(
    "rule",
    [
        test_policies.test_all_resources_have_an_explicit_provider,
        test_policies.test_all_resources_belong_to_a_component,
        test_policies.test_data_and_addresses_are_protected,
        test_policies.test_no_version_is_latest,
        test_recovery.test_every_type_has_a_finder_or_a_repeatable_creation,
        test_recovery.test_every_creation_in_openstack_checks_for_duplicates,
    ],
)
def test_the_rules_for_all_resources_of_a_platform(rule: Callable[[Recording], None], recording: Recording) -> None:
    rule(recording)


def test_protection_can_be_disabled_but_not_retention() -> None:
    recording = run(as_config(vault_stack_data(server__tls=given(), protect=False)))
    assert [each.name for each in test_policies.held(recording) if each.protect] == []


def test_the_provider_has_the_region_of_the_checks() -> None:
    recording = run(as_config(vault_stack_data(server__tls=given(), cloud__region=None)))
    assert recording.one("openstack").inputs["region"] == "RegionOne"


def test_a_preview_has_the_same_resources_as_an_update(recording: Recording) -> None:
    previewed = run(stack_config.load(ROOT / "vault", "sandbox"), preview=True)
    assert {each.name for each in previewed.resources} == {each.name for each in recording.resources}


def test_all_outputs_are_documented(recording: Recording) -> None:
    assert recording.exports.keys() == DESCRIPTIONS.keys()
    assert recording.exports == {
        "vaultUrl": "https://vault.sandbox.test:8200",
        "vaultAddress": "203.0.113.16",
        "vaultCaCertificate": "",
    }


def test_names_in_openstack_differ_from_those_of_a_platform(recording: Recording) -> None:
    names = {each.inputs["name"] for each in recording.resources if str(each.inputs.get("name")).startswith("rsp-")}
    assert {"rsp-vault-test-network", "rsp-vault-test-vault", "rsp-vault-test-vault-data"} <= names
    assert all(name.startswith("rsp-vault-test-") for name in names)


def test_failures_are_explained(recording: Recording) -> None:
    explained = {each.type for each in recording.resources if each.request.hooks.on_error}
    assert explained == {each.type for each in recording.resources} & explanations.OPENSTACK.keys()
    assert {f"openstack:{kind}" for kind in ("compute/instance:Instance", "blockstorage/volume:Volume")} <= explained


def test_the_way_after_a_failed_creation_names_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = Mock(return_value=[])
    monkeypatch.setattr(options, "error_hooks", hooks)
    run(as_config(vault_stack_data(server__tls=given())))
    assert "`python -m operations recover -C vault -s test`" in hooks.call_args.args[-1]


def test_no_secret_is_in_plaintext() -> None:
    recording = run(as_config(vault_stack_data(server__tls=given())))
    assert "planted-administrator" in str(recording.one("Instance").inputs)
    assert "planted" not in json.dumps([[each.veiled_request for each in recording.resources], recording.exports])


def refused(**changes: Any) -> str:
    recording = Recording()
    with pytest.raises(pulumi.RunError) as caught:
        run(as_config(vault_stack_data(**{"server__tls": given(), **changes})), recording)
    assert recording.resources == []
    return str(caught.value)


def test_a_certificate_for_another_name_is_refused() -> None:
    assert refused(server__tls=given("other.example.org")) == (
        "rsp-vault:server.tls: tls.crt: is valid for other.example.org, expected vault.example.org "
        "(rsp-vault:host is vault.example.org)"
    )


def test_names_that_the_cloud_does_not_have_are_refused(cloud: FakeProject) -> None:
    cloud.images, cloud.flavors, cloud.volume_types, cloud.external = [], [], [], []
    assert refused(cloud__keypair="unknown").splitlines() == [
        "rsp-vault:network.externalNetwork: the cloud has no `external`; it has: none",
        (
            "rsp-vault:server.image: the cloud has no `debian-12`; it has: none; one that Glance does not list can be "
            "set by its ID"
        ),
        "rsp-vault:server.flavor: the cloud has no `m1.small`; it has: none",
        "rsp-vault:cloud.keypair: the cloud has no `unknown`; it has: operators",
        "rsp-vault:server.volume.type: the cloud has no `ceph-ssd`; it has: none",
    ]


def test_a_quota_that_is_too_small_is_refused(cloud: FakeProject) -> None:
    cloud.cores = 1
    cloud.networking_quota["floating_ips"] = {"limit": 4, "used": 4}
    cloud.absent_services = {"container-infra", "load-balancer"}  # which only a platform requires
    first, _, cores, addresses, *_, project, command = refused().splitlines()
    assert first == "quota of project `rsp`: is too small for this stack:"
    assert (cores.split()[-1], addresses.split()[-1]) == ("server.flavor", "server.floatingIp")
    assert project == "  for the site's Vault (stack test):"
    assert command.endswith("openstack quota set --cores 2 --floating-ips 5 project-id")


def test_the_present_usage_of_an_existing_vault_is_its_own(cloud: FakeProject) -> None:
    cloud.networking_quota["routers"] = {"limit": 1, "used": 1}
    assert "--routers 2" in refused()
    volume = {"size": 10, "volume_type": "ceph-ssd", "availability_zone": "nova"}
    cloud.volumes = named("rsp-vault-test-vault-data", **volume)
    run(as_config(vault_stack_data(server__tls=given())))


TRANSIT = {"kind": "transit", "address": "https://other.example.org:8200", "keyName": "unseal", "token": "planted"}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"server__floatingIp": False, "server__clients": ["192.0.2.0/28", "192.0.2.16/28", "192.0.2.32/28"]},
        {"server__tls": {"kind": "acme", "email": "operators@example.org"}, "server__seal": TRANSIT},
        {"server__package__source": "https://mirror.example.org:8443/openbao.deb"},
    ],
)
def test_the_quotas_are_those_of_what_is_created(changes: dict[str, Any]) -> None:
    settings = vault_stack_data(**{"server__tls": given(), **changes})
    recording = run(as_config(settings))
    needed = vault_server_needs.needs(vault_stack(**settings), {})
    for name, kind in {
        "instances": "Instance",
        "volumes": "Volume",
        "networks": "Network",
        "subnets": "Subnet",
        "routers": "Router",
        "security_groups": "SecGroup",
        "security_group_rules": "SecGroupRule",
        "floating_ips": "FloatingIp",
    }.items():
        created = [each for each in recording.resources if each.type.endswith(f":{kind}") and each.custom]
        assert needed[name] == len([each for each in created if each.type.startswith("openstack:")]), name


def test_an_unknown_cloud_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(_: object, project: str) -> None:
        raise LoginError(Problem(where=f"{project}:cloud", what="Cloud test-cloud was not found"))

    monkeypatch.setattr(vault_server_preflight, "connect_as_provider", connect)
    assert refused() == "rsp-vault:cloud: Cloud test-cloud was not found"


def test_an_invalid_configuration_is_reported() -> None:
    assert refused(server__clients=["0.0.0.0/0"]).startswith(
        "Pulumi.test.yaml: rsp-vault:server.clients: 0.0.0.0/0 would open Vault to a large part"
    )
