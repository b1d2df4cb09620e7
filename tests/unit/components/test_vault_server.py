import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store

from components.vault_server import VaultServer
from program.vault_arguments import vault_server
from tests.unit.given_network import GivenNetwork, on_cloud
from tests.unit.recording import ProgramRunner, Recording
from tests.unit.sample import vault_stack


def make(run_program: ProgramRunner, **changes: Any) -> Recording:
    config = vault_stack(**{f"server__{key}": value for key, value in changes.items()})

    def program() -> None:
        server = VaultServer("vault", vault_server(config, GivenNetwork()), on_cloud())
        pulumi.export("address", server.address)
        pulumi.export("ca", server.ca_certificate)

    return run_program(program)


@pytest.fixture
def recording(run_program: ProgramRunner) -> Recording:
    return make(run_program)


def open_ports(recording: Recording) -> set[tuple[int, str]]:
    rules = [rule.inputs for rule in recording.of("SecGroupRule") if rule.inputs["direction"] == "ingress"]
    assert all(rule["portRangeMin"] == rule["portRangeMax"] and rule["protocol"] == "tcp" for rule in rules)
    return {(rule["portRangeMin"], rule["remoteIpPrefix"]) for rule in rules}


CLIENTS = {(8200, "192.0.2.0/28"), (8200, "203.0.113.9/32")}


def test_only_networks_of_clients_are_admitted(recording: Recording) -> None:
    assert open_ports(recording) == CLIENTS
    assert recording.one("SecGroup").inputs["deleteDefaultRules"] is True


def test_only_port_443_is_open_to_the_internet_and_only_for_acme(run_program: ProgramRunner) -> None:
    opened = open_ports(make(run_program, tls={"kind": "acme"}))
    assert {port for port, remote in opened if remote == "0.0.0.0/0"} == {443}


def test_the_server_may_connect_to_the_ports_of_its_urls(run_program: ProgramRunner) -> None:
    def ports(**changes: Any) -> list[int]:
        rules = [rule.inputs for rule in make(run_program, **changes).of("SecGroupRule")]
        return sorted(
            rule["portRangeMax"] for rule in rules if (rule["direction"], rule["protocol"]) == ("egress", "tcp")
        )

    def seal(address: str) -> dict[str, Any]:
        return {"kind": "transit", "address": address, "keyName": "rsp", "token": "planted-token"}

    usual = [53, 80, 443]
    assert ports() == usual
    assert ports(seal=seal("https://other.example.org"), tls={"kind": "acme"}) == usual
    assert ports(seal=seal("https://other.example.org:8200")) == [*usual, 8200]
    assert ports(
        package__source="https://mirror.example.org:8443/openbao.deb",
        tls={"kind": "acme", "directory": "https://ca.example.org:9000/acme/directory"},
        seal=seal("https://other.example.org:8443"),
    ) == [*usual, 8443, 9000]


def test_the_certificate_of_a_private_authority(run_program: ProgramRunner) -> None:
    recording = make(run_program, tls={"kind": "private"})
    assert open_ports(recording) == CLIENTS
    user_data = yaml.safe_load(recording.one("Instance").inputs["userData"])
    files = {Path(each["path"]).name: each["content"] for each in user_data["write_files"]}
    server, authority = x509.load_pem_x509_certificates(files["tls.crt"].encode())
    assert recording.exports["ca"] == authority.public_bytes(Encoding.PEM).decode()
    key = load_pem_private_key(files["tls.key"].encode(), password=None)
    assert key.public_key() == server.public_key()
    verifier = PolicyBuilder().store(Store([authority])).time(datetime.now(UTC))
    verifier.build_server_verifier(x509.DNSName("vault.example.org")).verify(server, [])
    assert json.loads(files["server.json"])["listener"][0]["tcp"]["tls_cert_file"] == "/etc/openbao/tls.crt"
    stashes = recording.of("Stash")
    assert len(stashes) == 2
    assert {each.veiled["input"] for each in stashes} == {"[secret]"}


def test_a_rotation_keeps_the_private_authority(run_program: ProgramRunner) -> None:
    triggers = []
    for rotation in ("initial", "november"):
        recording = make(run_program, tls={"kind": "private", "rotation": rotation})
        triggers.append([each.veiled_request["replacementTrigger"] for each in recording.of("Stash")])
    (authority, certificate), (authority_after, certificate_after) = triggers
    assert authority == authority_after
    assert certificate != certificate_after


def test_without_a_floating_ip_the_address_is_the_fixed_one(run_program: ProgramRunner) -> None:
    recording = make(run_program, floatingIp=False)
    assert recording.of("FloatingIp") == []
    assert open_ports(recording) == CLIENTS
    assert recording.exports["address"] == "10.20.0.11"


def test_data_and_address_outlive_the_server(recording: Recording) -> None:
    volume = recording.one("Volume")
    assert volume.protect
    assert volume.retained
    assert (volume.inputs["size"], volume.inputs["volumeType"]) == (20, "ceph-ssd")
    assert recording.one("FloatingIp").protect
    assert [each["uuid"] for each in recording.one("Instance").inputs["blockDevices"]] == ["image-id", "vault-data-id"]
    assert recording.one("FloatingIp").inputs["portId"] == "vault-port-id"


def test_the_user_data_is_secret_and_a_change_of_it_replaces_the_vm(recording: Recording) -> None:
    server = recording.one("Instance")
    assert "planted-administrator" in str(yaml.safe_load(server.inputs["userData"]))
    assert server.veiled["userData"] == "[secret]"
    assert server.ignored == {"imageId", "blockDevices[0].uuid"}
    for each in recording.resources:
        assert "planted" not in str(each.veiled), each.urn
