import base64
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from probes.kubernetes_api import KubernetesApi, KubernetesError
from sandbox.cluster import authority
from tests.serving import tls
from tests.unit.json_server import json_server

PODS = "/api/v1/namespaces/argocd/pods"


class Authority:
    """A cluster's CA, which issues server and client certificates; all PEM."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authority, pair = authority.Authority.ensure(folder, "kubernetes")
        self.certificate = pair.certificate.read_bytes()

    def issue(self, name: str, *hosts: str) -> tuple[bytes, bytes]:
        """Return a certificate for a client, or for a server with its addresses, and its key."""
        pair = self._authority.ensure_signed(self._folder, name, authority.Request(common_name=name, hosts=hosts))
        return pair.certificate.read_bytes(), pair.key.read_bytes()


@contextmanager
def api_server(trusted: Authority, folder: Path) -> Iterator[str]:
    """Run an API that requires a client certificate of the CA and has one list of pods; yield its URL."""
    answers = {f"GET {PODS}?limit=5": (200, {"items": [{"kind": "Pod"}]}), "GET /forbidden": (403, {})}
    certificate, key = trusted.issue("kube-apiserver", "127.0.0.1")
    context = tls(certificate.decode(), key.decode(), folder)
    context.load_verify_locations(cadata=trusted.certificate.decode())
    context.verify_mode = ssl.CERT_REQUIRED
    with json_server(answers, tls=context) as url:
        yield url


def kubeconfig(url: str, trusted: Authority, client: tuple[bytes, bytes]) -> str:
    cluster = {"server": url, "certificate-authority-data": encoded(trusted.certificate)}
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
def ca(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def url(ca: Authority, tmp_path: Path) -> Iterator[str]:
    with api_server(ca, tmp_path) as address:
        yield address


def test_a_client_certificate_is_accepted(url: str, ca: Authority) -> None:
    api = KubernetesApi(kubeconfig(url, ca, ca.issue("admin")))
    assert api.items(PODS, limit="5") == [{"kind": "Pod"}]
    assert api.get("/api/v1/namespaces/argocd/pods/none") is None
    assert api.items("/apis/unknown/v1/objects") == []


def test_a_refusal_is_reported(url: str, ca: Authority) -> None:
    api = KubernetesApi(kubeconfig(url, ca, ca.issue("admin")))
    with pytest.raises(KubernetesError, match=r"at https://127.0.0.1:\d+ refuses GET /forbidden: 403"):
        api.get("/forbidden")


def test_an_api_of_another_authority_is_not_trusted(url: str, tmp_path: Path) -> None:
    other = Authority(tmp_path)
    api = KubernetesApi(kubeconfig(url, other, other.issue("admin")))
    with pytest.raises(KubernetesError, match=r"does not answer: .*CERTIFICATE_VERIFY_FAILED"):
        api.get(PODS)


def test_an_unreachable_api_is_reported(ca: Authority) -> None:
    api = KubernetesApi(kubeconfig("https://127.0.0.1:1", ca, ca.issue("admin")))
    with pytest.raises(KubernetesError, match=r"at https://127.0.0.1:1 does not answer: .*refused"):
        api.get(PODS)


def test_no_credential_is_written_to_a_file(ca: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    KubernetesApi(kubeconfig("https://127.0.0.1:1", ca, ca.issue("admin")))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    ["", "{}", "planted: [", "current-context: planted", "planted", "users: planted"],
)
def test_an_invalid_kubeconfig_is_refused_without_its_content(wrong: str) -> None:
    with pytest.raises(KubernetesError, match="kubeconfig cannot be used") as caught:
        KubernetesApi(wrong)
    assert_nothing_planted(caught.value)


def test_a_broken_key_is_refused_without_its_content(ca: Authority) -> None:
    client = (ca.issue("admin")[0], b"planted")
    with pytest.raises(KubernetesError, match="kubeconfig cannot be used") as caught:
        KubernetesApi(kubeconfig("https://127.0.0.1:1", ca, client))
    assert_nothing_planted(caught.value)


def assert_nothing_planted(error: Any) -> None:
    assert "planted" not in str(error)
    assert error.__suppress_context__
