from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from phalanx import certificates, static_secrets
from phalanx.certificates import Certificate
from phalanx.secrets import SecretKey
from sandbox import site_certificate

HOST = "rsp.sandbox.test"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of the certificate's file, which does not exist yet."""
    file = tmp_path / "home" / "static-secrets.yaml"
    monkeypatch.setattr(site_certificate, "FILE", file)
    return file


def given(file: Path) -> Certificate:
    values = {at: value.get_secret_value() for at, value in static_secrets.load(file).given().items()}
    certificate, key = (values[SecretKey("ingress-nginx", name)] for name in ("tls.crt", "tls.key"))
    return certificates.check(certificate, key, HOST, datetime.now(UTC))


def test_a_certificate_for_the_platform_is_written_to_a_private_file(file: Path) -> None:
    site_certificate.up()
    assert file.stat().st_mode & 0o777 == 0o600
    assert given(file).expires > datetime.now(UTC) + timedelta(days=80)


def test_a_valid_certificate_is_kept(file: Path) -> None:
    site_certificate.up()
    before = file.read_text()
    site_certificate.up()
    assert file.read_text() == before


@pytest.mark.parametrize(("host", "days"), [(HOST, 29), ("elsewhere.sandbox.test", 90)])
def test_a_certificate_that_expires_soon_or_is_for_another_host_is_replaced(
    file: Path, monkeypatch: pytest.MonkeyPatch, host: str, days: int
) -> None:
    now = datetime.now(UTC)
    unfit = site_certificate.issue(host, now - timedelta(days=1), now + timedelta(days=days))
    monkeypatch.setattr(site_certificate, "issue", lambda *_: unfit)
    site_certificate.up()
    monkeypatch.undo()
    monkeypatch.setattr(site_certificate, "FILE", file)
    site_certificate.up()
    assert given(file).expires > now + timedelta(days=80)


@pytest.mark.parametrize("content", ["", "applications: {}", "[damaged"])
def test_a_damaged_file_is_replaced(file: Path, content: str) -> None:
    file.parent.mkdir()
    file.write_text(content)
    file.chmod(0o600)
    site_certificate.up()
    assert given(file).covers(HOST)
