"""DNS, HTTPS, certificates and Vault."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from phalanx.errors import PhalanxError
from probes.health import load_balancer, platform, vault
from probes.health.finding import Finding, State, critical
from probes.health.kubernetes import judge_expiry
from probes.health.root_causes import explain
from sandbox.site_certificate import issue
from tests.unit.json_server import json_server
from tests.unit.tls_server import tls_server
from tests.unit.web_server import web_server

HOST = "rsp.example.org"
NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("found", "state", "message"),
    [
        ({"203.0.113.16"}, State.OK, f"{HOST} resolves to 203.0.113.16"),
        ({"203.0.113.99"}, State.CRITICAL, f"{HOST} resolves to 203.0.113.99, expected 203.0.113.16"),
        (set(), State.CRITICAL, f"{HOST} has no address in the DNS"),
        (
            {"203.0.113.16", "203.0.113.99"},
            State.WARNING,
            f"{HOST} resolves to 203.0.113.16, 203.0.113.99: some clients do not use 203.0.113.16",
        ),
    ],
)
def test_the_dns_record_must_have_the_address(found: set[str], state: State, message: str) -> None:
    finding = platform.judge_dns(HOST, found, "203.0.113.16")
    assert (finding.state, finding.message) == (state, message)
    if state is not State.OK:
        assert "set the A record of rsp.example.org to 203.0.113.16" in finding.remedy


def test_without_an_address_the_load_balancer_explains_the_dns() -> None:
    finding = platform.judge_dns(HOST, {"203.0.113.16"}, None)
    assert finding.state is State.UNKNOWN
    found = explain([critical(load_balancer.INGRESS, "its floating IP does not exist"), finding])
    assert found[1].explained_by == load_balancer.INGRESS


def test_a_wrong_dns_record_explains_that_nothing_answers() -> None:
    dns = platform.judge_dns(HOST, {"203.0.113.99"}, "203.0.113.16")
    # A port that nothing listens on.
    found = explain([dns, *platform.https(HOST, ("127.0.0.1", 1))])
    assert [each.subject for each in found if each.is_root] == [platform.DNS]


def checked(
    tmp_path: Path, *, host: str = HOST, ends: timedelta = timedelta(days=60), status: int = 200
) -> dict[str, Finding]:
    now = datetime.now(UTC)
    certificate, key = issue(host, now - timedelta(days=90), now + ends)
    with web_server(certificate, key, tmp_path, status) as address:
        return {each.subject: each for each in platform.https(HOST, address)}


def test_a_platform_that_answers_is_in_order(tmp_path: Path) -> None:
    found = checked(tmp_path)
    assert found[platform.HTTPS].message == f"https://{HOST}/ responds with status 200"
    assert found[platform.CERTIFICATE].state is State.OK
    # The certificate of this test has an authority that no machine knows.
    assert found["trust in the certificate"].state is State.WARNING


@pytest.mark.parametrize(("status", "state"), [(404, State.OK), (503, State.CRITICAL)])
def test_a_status_of_the_server_is_judged(tmp_path: Path, status: int, state: State) -> None:
    assert checked(tmp_path, status=status)[platform.HTTPS].state is state


@pytest.mark.parametrize(
    ("variation", "message"),
    [
        ({"host": "other.example.org"}, f"{HOST} serves a certificate for other.example.org"),
        ({"ends": timedelta(days=-2)}, "expired on "),
    ],
)
def test_a_wrong_or_expired_certificate_is_critical(tmp_path: Path, variation: dict[str, Any], message: str) -> None:
    found = checked(tmp_path, **variation)[platform.CERTIFICATE]
    assert found.state is State.CRITICAL
    assert found.message.startswith(message)


@pytest.mark.parametrize(
    ("left", "state", "message"),
    [
        (timedelta(days=60), State.OK, "60 days left, until 2027-01-25T00:00:00Z"),
        (timedelta(days=20), State.WARNING, "20 days left, until 2026-12-16T00:00:00Z"),
        (timedelta(days=1), State.WARNING, "1 day left, until 2026-11-27T00:00:00Z"),
        (timedelta(0), State.CRITICAL, "expired on 2026-11-26T00:00:00Z"),
    ],
)
def test_an_expiry_is_a_warning_three_weeks_before(left: timedelta, state: State, message: str) -> None:
    found = judge_expiry("x", NOW + left, NOW, "renew it")
    assert (found.state, found.message) == (state, message)


@pytest.mark.parametrize(
    ("seal", "state", "message"),
    [
        ({"initialized": True, "sealed": False, "version": "2.7.2"}, State.OK, "{url} is unsealed, 2.7.2"),
        (
            {"initialized": True, "sealed": True, "progress": 1, "t": 3},
            State.CRITICAL,
            "{url} is sealed; 1 of 3 unseal keys given",
        ),
        ({"initialized": False, "sealed": True}, State.CRITICAL, "{url} is not initialized"),
    ],
)
def test_the_seal_of_vault_is_reported_without_a_token(seal: dict[str, Any], state: State, message: str) -> None:
    with json_server({"GET /v1/sys/seal-status": (200, seal)}) as url:
        (found,) = vault.vault(url)
        assert (found.state, found.message) == (state, message.format(url=url))


@pytest.mark.parametrize(("days", "state"), [(60, State.OK), (9, State.WARNING), (-1, State.CRITICAL)])
def test_the_certificate_of_vault_is_reported_before_all_platforms_lose_it(
    days: int, state: State, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    chain, key = issue("vault.example.org", now - timedelta(90), now + timedelta(days))
    with tls_server(chain, key, tmp_path) as address:
        (found,) = vault.certificate(f"https://{address}")
    assert (found.subject, found.state) == ("certificate of Vault", state)
    assert found.expires is not None
    assert list(vault.certificate("http://127.0.0.1:1")) == []
    with pytest.raises(PhalanxError, match="does not answer with TLS"):
        list(vault.certificate("https://127.0.0.1:1"))


def test_a_vault_that_does_not_answer_raises() -> None:
    with pytest.raises(PhalanxError, match=r"http://127\.0\.0\.1:1 does not answer \(Connection refused\)"):
        list(vault.vault("http://127.0.0.1:1"))


def test_vault_explains_secrets_that_are_not_copied() -> None:
    def declared(name: str, status: str) -> dict[str, Any]:
        condition = {"type": "Ready", "status": status, "reason": "Failed", "message": "Vault is sealed"}
        return {"metadata": {"namespace": name, "name": "secret"}, "status": {"conditions": [condition]}}

    assert vault.judge_copies([declared("tap", "True")]).state is State.OK
    finding = vault.judge_copies([declared("tap", "True"), declared("portal", "False")])
    assert finding.message == "1 of 2 are not up to date\nportal/secret: Failed: Vault is sealed"
    found = explain([critical(vault.VAULT, "is sealed"), finding])
    assert found[1].explained_by == vault.VAULT
    assert "password" not in json.dumps(vars(finding))
