from typing import Any

import pulumi
import pulumi_openstack as openstack
import pytest
import yaml

from components import vault_ready
from components.vault_ready import Expectation
from components.vault_server import VaultServer
from program.arguments import vault_server
from tests.unit.given_network import GivenNetwork
from tests.unit.recording import ProgramRunner, Recording
from tests.unit.sample import environment, vault_server_data

URL = "https://vault.example.org:8200"


@pytest.fixture(autouse=True)
def waited(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Expectation, str]]:
    asked = []

    async def wait(expected: Expectation, address: str) -> str:
        asked.append((expected, address))
        return expected.url

    monkeypatch.setattr(vault_ready, "wait", wait)
    return asked


def make(run_program: ProgramRunner, protect: bool = True, **changes: Any) -> Recording:
    settings = environment(vault__deploy=vault_server_data(**changes), protect=protect)
    assert settings.vault.deploy
    given = settings.vault.deploy

    def program() -> None:
        provider = openstack.Provider("cloud", cloud="test-cloud")
        args = vault_server(settings, given, GivenNetwork(), URL, 'path "x" { capabilities = ["read"] }')
        server = VaultServer("vault", args, pulumi.ResourceOptions(providers=[provider]))
        pulumi.export("address", server.address)
        pulumi.export("url", server.url)

    return run_program(program)


@pytest.fixture
def recording(run_program: ProgramRunner) -> Recording:
    return make(run_program)


def open_ports(recording: Recording) -> set[tuple[int, str]]:
    rules = [rule.inputs for rule in recording.of("SecGroupRule") if rule.inputs["direction"] == "ingress"]
    assert all(rule["portRangeMin"] == rule["portRangeMax"] and rule["protocol"] == "tcp" for rule in rules)
    return {(rule["portRangeMin"], rule["remoteIpPrefix"]) for rule in rules}


def test_admits_the_cluster_and_named_networks_and_nobody_else(recording: Recording) -> None:
    # The router's address is where nodes come from that go by the floating IP.
    assert open_ports(recording) == {(8200, "10.20.0.0/24"), (8200, "192.0.2.0/28"), (8200, "203.0.113.9/32")}
    assert recording.one("SecGroup").inputs["deleteDefaultRules"] is True


def test_only_port_443_is_open_to_the_world_and_only_for_acme(run_program: ProgramRunner) -> None:
    opened = open_ports(make(run_program, tls={"kind": "acme"}))
    assert {port for port, remote in opened if remote == "0.0.0.0/0"} == {443}


def test_without_a_floating_ip_it_is_reached_from_within(run_program: ProgramRunner) -> None:
    recording = make(run_program, floatingIp=False)
    assert recording.of("FloatingIp") == []
    assert open_ports(recording) == {(8200, "10.20.0.0/24"), (8200, "192.0.2.0/28")}
    assert recording.exports["address"] == "10.20.0.11"


def test_data_and_address_outlive_the_server(recording: Recording) -> None:
    volume = recording.one("Volume")
    assert volume.protect
    assert volume.retained
    assert (volume.inputs["size"], volume.inputs["volumeType"]) == (20, "ceph-ssd")
    assert recording.one("FloatingIp").protect
    assert recording.one("VolumeAttach").inputs["volumeId"] == "vault-data-id"
    assert recording.one("FloatingIp").inputs["portId"] == "vault-port-id"


def test_protection_can_be_given_up_but_not_retention(run_program: ProgramRunner) -> None:
    volume = make(run_program, protect=False).one("Volume")
    assert not volume.protect
    assert volume.retained


def test_the_first_boot_is_secret_and_changes_replace_nothing(recording: Recording) -> None:
    server = recording.one("Instance")
    assert "planted-operator" in str(yaml.safe_load(server.inputs["userData"]))
    assert server.veiled["userData"] == "[secret]"
    assert server.ignored == {"imageName", "imageId", "userData"}
    for each in recording.resources:
        assert "planted" not in str(each.veiled), each.urn


def test_its_url_is_known_once_it_answers(recording: Recording, waited: list[tuple[Expectation, str]]) -> None:
    assert recording.exports["url"] == URL
    ((expected, address),) = waited
    assert expected == Expectation(url=URL, by_name=True, unsealed_by_people=False)
    assert address == recording.exports["address"]


def test_a_first_preview_does_not_know_the_url(run_program: ProgramRunner) -> None:
    recording = make(run_program.having(preview=True))
    assert recording.exports["url"] != URL
