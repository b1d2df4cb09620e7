"""Certificates are signed by Magnum's CA, match their requests, and are renewed if required."""

import ipaddress
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from sandbox.cluster import authority
from sandbox.cluster.authority import Authority, KeyPair, Request, ensure_signing_key

SERVER = Request(common_name="kube-apiserver", hosts=("127.0.0.1", "kubernetes.default.svc"))
CLIENT = Request(common_name="admin", organization="system:masters")


def certificate(pair: KeyPair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate.read_bytes())


def usage(pair: KeyPair) -> list[x509.ObjectIdentifier]:
    return list(certificate(pair).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_client_certificate_has_user_and_group(tmp_path: Path) -> None:
    signer, _ = Authority.ensure(tmp_path, "ca")
    pair = signer.ensure_signed(tmp_path, "admin", CLIENT)
    assert certificate(pair).subject.rfc4514_string() == "CN=admin,O=system:masters"
    assert usage(pair) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert signer.has_signed(certificate(pair))


def test_server_certificate_has_its_hosts_and_is_not_for_clients(tmp_path: Path) -> None:
    signer, _ = Authority.ensure(tmp_path, "ca")
    pair = signer.ensure_signed(tmp_path, "server", SERVER)
    names = certificate(pair).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("127.0.0.1")]
    assert names.get_values_for_type(x509.DNSName) == ["kubernetes.default.svc"]
    assert usage(pair) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_existing_files_are_kept(tmp_path: Path) -> None:
    signer, own = Authority.ensure(tmp_path, "ca")
    pair = signer.ensure_signed(tmp_path, "server", SERVER)
    before = own.certificate.read_bytes(), pair.certificate.read_bytes(), ensure_signing_key(tmp_path, "tokens")
    signer, own = Authority.ensure(tmp_path, "ca")
    pair = signer.ensure_signed(tmp_path, "server", SERVER)
    assert before == (
        own.certificate.read_bytes(),
        pair.certificate.read_bytes(),
        ensure_signing_key(tmp_path, "tokens"),
    )


def test_another_authority_replaces_the_certificate(tmp_path: Path) -> None:
    first, _ = Authority.ensure(tmp_path, "ca")
    second, _ = Authority.ensure(tmp_path, "rotated-ca")
    first.ensure_signed(tmp_path, "admin", CLIENT)
    pair = second.ensure_signed(tmp_path, "admin", CLIENT)
    assert second.has_signed(certificate(pair))
    assert not first.has_signed(certificate(pair))


def test_another_host_replaces_the_certificate(tmp_path: Path) -> None:
    signer, _ = Authority.ensure(tmp_path, "ca")
    old = certificate(signer.ensure_signed(tmp_path, "server", SERVER))
    new = certificate(
        signer.ensure_signed(tmp_path, "server", Request(common_name="kube-apiserver", hosts=("127.0.0.2",)))
    )
    assert old.serial_number != new.serial_number


def test_certificate_about_to_expire_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signer, _ = Authority.ensure(tmp_path, "ca")
    monkeypatch.setattr(authority, "LIFETIME", authority.RENEW_BEFORE - timedelta(hours=1))
    old = certificate(signer.ensure_signed(tmp_path, "admin", CLIENT))
    monkeypatch.undo()
    new = certificate(signer.ensure_signed(tmp_path, "admin", CLIENT))
    assert new.not_valid_after_utc - old.not_valid_after_utc > timedelta(days=300)


def test_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    signer, own = Authority.ensure(tmp_path, "ca")
    pair = signer.ensure_signed(tmp_path, "admin", CLIENT)
    private, _ = ensure_signing_key(tmp_path, "tokens")
    assert {path.stat().st_mode & 0o777 for path in (own.key, pair.key, private)} == {0o600}
