"""Reasons why a Vault cannot be used yet, mostly with a real OpenBao."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from probes import vault_ready
from probes.vault_ready import Obstacle
from tests import openbao
from tests.openbao import OpenBao
from tests.unit.json_server import json_server

Resolve = Callable[..., None]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Return a function that sets the addresses to which all names resolve."""

    def to(*addresses: str) -> None:
        def getaddrinfo(*_: object) -> list[object]:
            if not addresses:
                raise socket.gaierror
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in addresses]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return to


def obstacle(url: str, address: str | None = None) -> Obstacle:
    found = vault_ready.check(url, address)
    assert found
    return found


def test_an_unsealed_vault_is_ready(empty_vault: OpenBao) -> None:
    assert vault_ready.check(empty_vault.url) is None
    assert vault_ready.check(empty_vault.url, "127.0.0.1") is None


def test_a_vault_with_a_shamir_seal_requires_operators(tmp_path: Path) -> None:
    with openbao.uninitialized(tmp_path) as url:
        new = obstacle(url)
        assert "bao operator init" in new.what
        bao = openbao.initialize(url)
        bao.root.sys.seal()
        sealed = obstacle(url)
    assert "bao operator unseal" in sealed.what
    assert not new.temporary
    assert not sealed.temporary


@pytest.mark.parametrize(("status", "state"), [(501, "is not initialized"), (503, "is sealed")])
def test_a_vault_with_an_automatic_seal_is_a_temporary_obstacle(status: int, state: str) -> None:
    answers = {"GET /v1/sys/health": (status, {}), "GET /v1/sys/seal-status": (200, {"type": "static"})}
    with json_server(answers) as url:
        found = obstacle(url)
    assert found.temporary
    assert state in found.what


def test_an_unexpected_status_is_reported() -> None:
    with json_server({"GET /v1/sys/health": (429, {})}) as url:
        assert obstacle(url) == Obstacle(what=f"{url} responds with status 429")


@pytest.mark.parametrize(
    ("addresses", "state"),
    [
        ((), "has no address in the DNS"),
        (("198.51.100.7",), "resolves to 198.51.100.7"),
        (("198.51.100.7", "203.0.113.16"), "resolves to 198.51.100.7, 203.0.113.16"),
    ],
)
def test_a_wrong_dns_record_is_detected_before_any_connection(
    resolve: Resolve, monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...], state: str
) -> None:
    monkeypatch.delattr(vault_ready, "_check_health")
    resolve(*addresses)
    found = obstacle("https://vault.example.org:8200", "203.0.113.16")
    assert found.temporary
    assert found.what.startswith(f"vault.example.org {state}: create an A record with 203.0.113.16")


def test_a_server_that_does_not_answer_is_a_temporary_obstacle() -> None:
    with json_server({}) as url:
        pass
    found = obstacle(url)
    assert found.temporary
    assert f"{url} does not answer (ConnectionError): this machine must be in rsp-vault:server.clients" in found.what


def test_an_untrusted_certificate_is_reported(private_vault: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = obstacle(private_vault.url)
    assert "certificate that is not trusted" in refused.what
    assert "name the file of its certificate with --ca-file" in refused.what
    authority = str(private_vault.ca_file)
    assert vault_ready.check(private_vault.url, ca_file=Path(authority)) is None
    monkeypatch.setenv("VAULT_CACERT", authority)
    assert vault_ready.check(private_vault.url) is None
