"""The control plane's settings come from the description by Magnum's driver."""

import re
import tempfile
from pathlib import Path

import pytest
from pydantic import SecretStr

from sandbox import tools
from sandbox.cluster import access, cloud_controller, control_plane, port_block
from sandbox.cluster.authority import Authority
from sandbox.cluster.description import Description, Trust
from sandbox.cluster.directory import ClusterDirectory
from sandbox.cluster.kube import Kube
from sandbox.errors import SandboxError
from sandbox.ports import CLUSTER_BLOCK, CLUSTER_PORTS, Listener
from tests.unit.sandbox.test_cluster_nodes import description

TRUST = Trust(
    auth_url="http://127.0.0.1:5000/v3",
    region="RegionOne",
    user_id="trustee",
    password=SecretStr("hunter2"),
    trust_id="trust",
)


def test_available_version_is_accepted() -> None:
    control_plane.check_version(description(kubernetes_version=f"v{tools.VERSIONS['kube-apiserver']}"))


def test_other_version_is_rejected_with_the_available_one() -> None:
    available = re.escape(f"v{tools.VERSIONS['kube-apiserver']}")
    with pytest.raises(SandboxError, match=rf"no Kubernetes v1\.30\.0, only {available}: .*kube_version"):
        control_plane.check_version(description(kubernetes_version="v1.30.0"))


def test_cloud_config_has_the_options_of_load_balancers() -> None:
    text = cloud_controller.cloud_config(description(), TRUST)
    assert {"lb-provider=ovn", "lb-method=SOURCE_IP_PORT", "create-monitor=false"} <= set(text.splitlines())
    assert {"subnet-id=s", "floating-network-id=e", "internal-network-name=net"} <= set(text.splitlines())
    assert {"user-id=trustee", "password=hunter2", "trust-id=trust"} <= set(text.splitlines())


def test_trustees_password_is_not_in_the_representation() -> None:
    assert "hunter2" not in repr(description().model_copy(update={"trust": TRUST}))


def test_invalid_description_is_reported_with_its_keys(tmp_path: Path) -> None:
    (tmp_path / "cluster.json").write_text('{"uuid": "x", "surprise": 1}')
    with pytest.raises(SandboxError, match=r"cluster\.json: .*surprise"):
        Description.load(tmp_path)


def test_missing_description_is_reported_with_its_author(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="Magnum's driver"):
        Description.load(tmp_path)


def test_each_cluster_keeps_a_block_of_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_block, "listeners", lambda _: [])
    first, second = tmp_path / "first", tmp_path / "second"
    assert port_block.first_port(first) == CLUSTER_PORTS.start
    assert port_block.first_port(second) == CLUSTER_PORTS.start + CLUSTER_BLOCK
    assert port_block.first_port(first) == CLUSTER_PORTS.start


def test_block_with_a_port_in_use_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = Listener(port=CLUSTER_PORTS.start + 7, pid=1, name="stranger")
    monkeypatch.setattr(port_block, "listeners", lambda _: [stranger])
    assert port_block.first_port(tmp_path / "cluster") == CLUSTER_PORTS.start + CLUSTER_BLOCK


def test_offsets_fit_into_a_block() -> None:
    offsets = [*port_block.Offset.__members__.values()]
    assert len(set(offsets)) == len(offsets)
    assert max(offsets) < CLUSTER_BLOCK


def test_certificates_and_kubeconfigs_are_created_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_block, "listeners", lambda _: [])
    path = tmp_path / "cluster"
    path.mkdir()
    (path / "cluster.json").write_text(description().model_dump_json())
    Authority.ensure(path, "ca")
    directory = ClusterDirectory(path)
    control_plane.ensure_certificates(directory)
    before = {file: file.read_bytes() for file in directory.pki.iterdir()}
    control_plane.ensure_certificates(directory)
    assert {file: file.read_bytes() for file in directory.pki.iterdir()} == before
    assert {directory.kubeconfig(user) for user in control_plane.USERS} <= before.keys()
    assert all(file.stat().st_mode & 0o077 == 0 for file in before)
    # A client reads the files, without a copy of them in a temporary directory.
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    Kube(directory.kubeconfig("admin"))
    assert list(scratch.iterdir()) == []


def test_kubeconfig_with_a_token_refers_to_its_file(tmp_path: Path) -> None:
    _, authority = Authority.ensure(tmp_path, "ca")
    token = tmp_path / "token"
    token.write_text("secret-token")
    text = access.write_kubeconfig(
        tmp_path / "kubeconfig", "https://127.0.0.1:20000", authority.certificate, token, "argocd"
    ).read_text()
    assert "secret-token" not in text
    assert f"tokenFile: {token}" in text
    assert "namespace: argocd" in text
