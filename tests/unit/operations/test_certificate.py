import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import typer
from typer.testing import CliRunner, Result

from operations import certificate
from phalanx import checkout
from phalanx.certificates import CertificateError, rfc3339
from phalanx.checkout import Checkout
from phalanx.errors import SecretsError
from phalanx.secrets import SecretKey
from probes import served_certificate, vault_secrets
from sandbox.site_certificate import issue
from tests.unit.phalanx.repository import SETTINGS, write
from tests.unit.sample import write_stack
from tests.unit.tls_server import tls_server

HOST = "rsp.example.org"
NOBODY = "127.0.0.1:1"


def issued(days: float = 60, host: str = HOST) -> tuple[str, str]:
    now = datetime.now(UTC)
    return issue(host, now - timedelta(days=100), now + timedelta(days=days))


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change to a project with a stack ``test`` whose certificate comes from Vault."""
    files = {"environments/values.yaml": SETTINGS, "environments/values-test.yaml": {}}
    path = write(tmp_path / "phalanx", {**files, "applications/ingress-nginx/values.yaml": {}})
    tree = Checkout(repository="https://example.org/phalanx", revision="main", commit="0" * 40, path=path)
    monkeypatch.setattr(checkout, "resolve", lambda *_, **__: tree)
    monkeypatch.chdir(tmp_path)
    configure(kind="vault")
    hold(issued(), monkeypatch)


def configure(**tls: str) -> None:
    write_stack(tls=tls, phalanx__environment="test")


def hold(pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Store a certificate in Vault."""
    held = {SecretKey("ingress-nginx", name): pem for name, pem in zip(("tls.crt", "tls.key"), pair, strict=True)}
    monkeypatch.setattr(vault_secrets, "read", lambda *_: held)


def trust(pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this machine trust a certificate's authority."""
    file = Path("authorities.pem")
    file.write_text(pair[0])
    monkeypatch.setenv("SSL_CERT_FILE", str(file))


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(certificate.main)
    return CliRunner().invoke(app, ["-s", "test", *arguments])


def report(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("--json", *arguments).output)
    return found


def problems(*arguments: str) -> list[str]:
    return [each["what"] for each in report(*arguments)["problems"]]


def test_a_valid_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = issued()
    hold(pair, monkeypatch)
    trust(pair, monkeypatch)
    with tls_server(*pair, tmp_path) as address:
        found = report("--connect", address)
        result = run("--connect", address)
    assert found["problems"] == []
    assert found["source"] == "vault"
    assert found["served"] == found["vault"]
    assert found["served"]["names"] == [HOST]
    assert result.exit_code == 0, result.exception or result.output
    assert f"{HOST}, served: expires {found['served']['expires']}, for {HOST}" in result.stdout


def test_a_certificate_that_expires_within_21_days_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = issued(days=20)
    hold(pair, monkeypatch)
    trust(pair, monkeypatch)
    with tls_server(*pair, tmp_path) as address:
        result = run("--connect", address)
    assert result.exit_code == 1
    assert "secret/phalanx/test/ingress-nginx" in result.stderr
    assert "in 19 days: renew it and set it with `pulumi config set --secret" in result.stderr


def test_a_renewed_certificate_that_is_not_served_yet_is_reported(tmp_path: Path) -> None:
    with tls_server(*issued(), tmp_path) as address:
        (problem,) = problems("--connect", address)
    assert "serves another certificate" in problem
    assert "describe vaultsecret ingress-certificate" in problem


def test_an_untrusted_authority_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = issued()
    hold(pair, monkeypatch)
    with tls_server(*pair, tmp_path) as address:
        (problem,) = problems("--connect", address)
    assert "is not trusted on this machine (self-signed certificate in certificate chain)" in problem


def test_a_name_that_cannot_exist_is_reported() -> None:
    (problem,) = problems("--connect", f"{'a' * 70}.example.org")
    assert "does not answer with TLS on port" in problem


def test_the_served_certificate_is_checked_if_it_comes_from_cert_manager(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(kind="letsencrypt", email="rsp@example.org")
    pair = issued(days=20)
    trust(pair, monkeypatch)
    with tls_server(*pair, tmp_path) as address:
        found = report("--connect", address)
    assert (found["source"], found["vault"]) == ("cert-manager", None)
    (problem,) = found["problems"]
    assert "kubectl -n argocd describe certificate" in problem["what"]


@pytest.mark.parametrize(
    ("days", "host", "expected"),
    [(-1, HOST, "has expired"), (60, "ingress.local", "serves a certificate for ingress.local")],
)
def test_an_invalid_served_certificate_is_reported(days: float, host: str, expected: str, tmp_path: Path) -> None:
    configure(kind="letsencrypt", email="rsp@example.org")
    with tls_server(*issued(days, host), tmp_path) as address:
        assert any(expected in each for each in problems("--connect", address))


def test_the_platform_does_not_answer() -> None:
    result = run("--connect", NOBODY)
    assert result.exit_code == 1
    assert f"https://{HOST}: 127.0.0.1 does not answer with TLS on port 1: Connection refused" in result.stderr


def test_the_served_certificate_is_reported_even_if_vault_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault_secrets, "read", Mock(side_effect=SecretsError("permission denied")))
    pair = issued()
    trust(pair, monkeypatch)
    with tls_server(*pair, tmp_path) as address:
        found = report("--connect", address)
        assert run("--connect", address, "--served-only").exit_code == 0
    assert [each["what"] for each in found["problems"]] == ["permission denied"]
    assert found["served"]["expires"]


def test_a_certificate_that_is_missing_in_vault_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_secrets, "read", lambda *_: {})
    found = problems("--connect", NOBODY)
    assert found[0].startswith("tls.crt: is missing; set it with")


def test_the_port_of_an_address_must_be_a_number() -> None:
    result = run("--connect", "203.0.113.1:https")
    assert result.exit_code == 2


def test_an_expired_certificate_is_fetched(tmp_path: Path) -> None:
    expired = issued(days=-1)
    with tls_server(*expired, tmp_path) as address:
        host, port = address.split(":")
        found = served_certificate.fetch(HOST, (host, int(port)))
        assert served_certificate.distrust(HOST, (host, int(port))) is not None
    assert rfc3339(found.expires) < rfc3339(datetime.now(UTC))
    with pytest.raises(CertificateError, match="does not answer with TLS"):
        served_certificate.fetch(HOST, (host, int(port)))
