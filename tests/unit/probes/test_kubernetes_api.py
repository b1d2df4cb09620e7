import base64
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from probes.kubernetes_api import KubernetesApi, KubernetesError
from tests.serving import tls
from tests.unit.json_server import json_server

PODS = "/api/v1/namespaces/argocd/pods"
NOW = datetime.now(UTC)


class Authority:
    """A cluster's CA, which issues server and client certificates; all PEM."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
        self.certificate = self._sign(self._name, self._key, x509.BasicConstraints(ca=True, path_length=None))

    def issue(self, name: str) -> tuple[bytes, bytes]:
        """Return a certificate for a server or client on the loopback interface, with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        alternative = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
        return self._sign(subject, key, alternative), key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType) -> bytes:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).add_extension(extension, critical=False)
        builder = builder.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=1))
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@contextmanager
def api_server(authority: Authority, folder: Path) -> Iterator[str]:
    """Run an API that requires a client certificate of the CA and has one list of pods; yield its URL."""
    answers = {f"GET {PODS}?limit=5": (200, {"items": [{"kind": "Pod"}]}), "GET /forbidden": (403, {})}
    certificate, key = authority.issue("kube-apiserver")
    context = tls(certificate.decode(), key.decode(), folder)
    context.load_verify_locations(cadata=authority.certificate.decode())
    context.verify_mode = ssl.CERT_REQUIRED
    with json_server(answers, tls=context) as url:
        yield url


def kubeconfig(url: str, authority: Authority, client: tuple[bytes, bytes]) -> str:
    cluster = {"server": url, "certificate-authority-data": encoded(authority.certificate)}
    user = {"client-certificate-data": encoded(client[0]), "client-key-data": encoded(client[1])}
    return yaml.safe_dump(
        {
            "current-context": "default",
            "contexts": [{"name": "default", "context": {"cluster": "rsp", "user": "admin"}}],
            "clusters": [{"name": "rsp", "cluster": cluster}],
            "users": [{"name": "admin", "user": user}],
        }
    )


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def url(authority: Authority, tmp_path: Path) -> Iterator[str]:
    with api_server(authority, tmp_path) as address:
        yield address


def test_a_client_certificate_is_accepted(url: str, authority: Authority) -> None:
    api = KubernetesApi(kubeconfig(url, authority, authority.issue("admin")))
    assert api.items(PODS, limit="5") == [{"kind": "Pod"}]
    assert api.get("/api/v1/namespaces/argocd/pods/none") is None
    assert api.items("/apis/unknown/v1/objects") == []


def test_a_refusal_is_reported(url: str, authority: Authority) -> None:
    api = KubernetesApi(kubeconfig(url, authority, authority.issue("admin")))
    with pytest.raises(KubernetesError, match=r"at https://127.0.0.1:\d+ refuses GET /forbidden: 403"):
        api.get("/forbidden")


def test_an_api_of_another_authority_is_not_trusted(url: str) -> None:
    other = Authority()
    api = KubernetesApi(kubeconfig(url, other, other.issue("admin")))
    with pytest.raises(KubernetesError, match=r"does not answer: .*CERTIFICATE_VERIFY_FAILED"):
        api.get(PODS)


def test_an_unreachable_api_is_reported(authority: Authority) -> None:
    api = KubernetesApi(kubeconfig("https://127.0.0.1:1", authority, authority.issue("admin")))
    with pytest.raises(KubernetesError, match=r"at https://127.0.0.1:1 does not answer: .*refused"):
        api.get(PODS)


def test_no_credential_is_written_to_a_file(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    KubernetesApi(kubeconfig("https://127.0.0.1:1", authority, authority.issue("admin")))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    ["", "{}", "planted: [", "current-context: planted", "planted", "users: planted"],
)
def test_an_invalid_kubeconfig_is_refused_without_its_content(wrong: str) -> None:
    with pytest.raises(KubernetesError, match="kubeconfig cannot be used") as caught:
        KubernetesApi(wrong)
    assert_nothing_planted(caught.value)


def test_a_broken_key_is_refused_without_its_content(authority: Authority) -> None:
    client = (authority.issue("admin")[0], b"planted")
    with pytest.raises(KubernetesError, match="kubeconfig cannot be used") as caught:
        KubernetesApi(kubeconfig("https://127.0.0.1:1", authority, client))
    assert_nothing_planted(caught.value)


def assert_nothing_planted(error: Any) -> None:
    assert "planted" not in str(error)
    assert error.__suppress_context__
