"""Certificates and keys of kubeconfigs are written to private files only."""

import base64
from pathlib import Path

from sandbox.kubeconfig import with_files

KUBECONFIG = {
    "clusters": [{"name": "c", "cluster": {"server": "https://c.test", "certificate-authority-data": "Q0E="}}],
    "users": [{"name": "u", "user": {"client-certificate-data": "Q0VSVA==", "client-key-data": "S0VZ"}}],
}


def test_embedded_data_are_written_to_private_files(tmp_path: Path) -> None:
    directory = tmp_path / "files"
    given = with_files(KUBECONFIG, directory)
    assert given["users"][0]["user"].keys() == {"client-certificate", "client-key"}
    assert Path(given["users"][0]["user"]["client-key"]).read_text() == "KEY"
    assert Path(given["clusters"][0]["cluster"]["certificate-authority"]).read_text() == "CA"
    assert {oct(path.stat().st_mode & 0o777) for path in directory.iterdir()} == {"0o600"}
    assert directory.stat().st_mode & 0o777 == 0o700
    renewed = {**KUBECONFIG, "users": [{"name": "u", "user": {"client-key-data": base64.b64encode(b"NEW").decode()}}]}
    assert Path(with_files(renewed, directory)["users"][0]["user"]["client-key"]).read_text() == "NEW"
    assert len(list(directory.iterdir())) == 3


def test_the_given_document_is_not_changed(tmp_path: Path) -> None:
    with_files(KUBECONFIG, tmp_path)
    assert "client-key-data" in KUBECONFIG["users"][0]["user"]
