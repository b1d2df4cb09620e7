import base64
import json
import shlex
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.vault_cloud_init import render
from program.vault_arguments import openbao
from tests.unit.sample import vault_stack, vault_stack_data

VOLUME = "5b1f3a52-9f9c-4d3c-9a55-0c6a86a3f6ad"

SHAMIR = {"seal": {"kind": "shamir"}, "adminPassword": None}
TRANSIT = {"seal": {"kind": "transit", "address": "https://v.example.org", "keyName": "rsp", "token": "planted-token"}}
ACME = {"tls": {"kind": "acme", "email": "ops@example.org"}}


def user_data(**changes: Any) -> str:
    return render(openbao(vault_stack(**{f"server__{key}": value for key, value in changes.items()})), VOLUME)


def files(**changes: Any) -> dict[str, dict[str, Any]]:
    return {file["path"]: file for file in yaml.safe_load(user_data(**changes))["write_files"]}


def configuration(**changes: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(files(**changes)["/etc/openbao/server.json"]["content"])
    return loaded


def requests(**changes: Any) -> dict[str, dict[str, Any]]:
    (block,) = configuration(**changes)["initialize"]
    return {name: request for each in block["rsp"]["request"] for name, request in each.items()}


@pytest.mark.parametrize("changes", [{}, SHAMIR, {**TRANSIT, **ACME}])
def test_files_with_secrets_are_readable_only_by_the_server(changes: dict[str, Any]) -> None:
    found = files(**changes)
    secret = {path for path, file in found.items() if "planted" in file["content"]}
    seal_key = "/etc/openbao/seal-current.key"
    secret |= {seal_key} & found.keys()
    assert secret
    for path in secret:
        assert (found[path]["permissions"], found[path]["owner"]) == ("0600", "openbao:openbao"), path


def test_self_initialization_creates_users_with_least_privilege() -> None:
    found = requests()
    users = {name.removesuffix("-user"): each["data"] for name, each in found.items() if name.endswith("-user")}
    assert set(users) == {"rsp-backup", "rsp-admin"}
    assert all(data["token_policies"] == [user] for user, data in users.items())
    snapshot = 'path "sys/storage/raft/snapshot" { capabilities = ["read"] }\n'
    assert found["rsp-backup-policy"]["data"]["policy"] == snapshot
    passwords = files()
    for user, data in users.items():
        assert passwords[data["password"]["path"]]["content"].startswith("planted-"), user


def test_with_a_shamir_seal_operators_initialize_the_server() -> None:
    assert "initialize" not in configuration(**SHAMIR)
    assert "seal" not in configuration(**SHAMIR)
    assert "rsp-admin" not in user_data(**SHAMIR)


def test_seals_are_configured() -> None:
    assert configuration()["seal"] == [
        {"static": {"current_key_id": "first", "current_key": "file:///etc/openbao/seal-current.key"}}
    ]
    assert configuration(**TRANSIT)["seal"][0]["transit"]["address"] == "https://v.example.org"
    key = vault_stack_data()["server"]["seal"]["key"]
    rotated = {"seal": {"kind": "static", "key": {**key, "id": "second"}, "previousKey": key}}
    assert configuration(**rotated)["seal"][0]["static"]["previous_key_id"] == "first"
    assert files(**rotated)["/etc/openbao/seal-previous.key"]["content"] == key["value"]


def test_all_data_are_on_the_volume() -> None:
    found = configuration(**ACME)
    assert found["storage"]["raft"]["path"].startswith("/srv/vault/")
    assert found["audit"][0]["file"]["log"]["options"]["file_path"].startswith("/srv/vault/")
    assert found["listener"][0]["tcp"]["tls_acme_cache_path"].startswith("/srv/vault/")
    (fstab,) = [each for each in yaml.safe_load(user_data())["write_files"] if each["path"] == "/etc/fstab"]
    assert fstab["content"].split()[:2] == ["/dev/rsp/vault", "/srv/vault"]
    unit = files()["/etc/systemd/system/openbao.service.d/rsp.conf"]["content"]
    assert "RequiresMountsFor=/srv/vault\n" in unit


def test_only_the_api_is_reachable_and_only_with_tls() -> None:
    tcp, unix = configuration()["listener"]
    assert tcp["tcp"]["address"] == "0.0.0.0:8200"
    assert tcp["tcp"]["cluster_address"].startswith("127.0.0.1:")
    assert "tls_disable" not in tcp["tcp"]
    assert unix["unix"]["socket_mode"] == "0600"


def test_acme_uses_only_the_tls_challenge() -> None:
    listener = configuration(**ACME)["listener"][0]["tcp"]
    assert listener["tls_acme_domains"] == ["vault.example.org"]
    assert listener["tls_acme_disable_http_challenge"] is True
    assert "tls_cert_file" not in listener
    unit = "/etc/systemd/system/openbao.service.d/rsp.conf"
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE" in files(**ACME)[unit]["content"]
    assert "CAP_NET_BIND_SERVICE" not in files()[unit]["content"]


def test_the_package_is_checked_before_it_is_installed() -> None:
    lines = files()["/usr/local/sbin/rsp-vault-install"]["content"].splitlines()
    check = next(number for number, line in enumerate(lines) if "sha256sum --check" in line)
    install = next(number for number, line in enumerate(lines) if "apt-get install" in line)
    assert check < install
    assert "set -eu" in lines
    assert ("ab" * 32) in lines[check]
    assert any("releases/download/v2.7.2/openbao_2.7.2_linux_amd64.deb" in line for line in lines)


def test_a_download_that_stalls_is_retried() -> None:
    script = files()["/usr/local/sbin/rsp-vault-install"]["content"].replace("\\\n", " ")
    (curl,) = [shlex.split(line) for line in script.splitlines() if line.startswith("curl ")]
    options = dict(pairwise(curl))
    assert int(options["--connect-timeout"]) <= 60
    assert int(options["--speed-limit"]) > 0
    assert int(options["--speed-time"]) <= 120
    assert int(options["--retry"]) > 0
    assert "--retry-all-errors" in curl


def test_no_password_is_on_a_command_line() -> None:
    backup = files()["/usr/local/sbin/rsp-vault-backup"]["content"]
    assert "password=@/etc/openbao/rsp-backup.password" in backup
    assert "planted" not in backup
    assert "planted" not in str(yaml.safe_load(user_data())["runcmd"])


_BAO = """\
#!/bin/sh
echo "$1 ${BAO_TOKEN:-}" >> "$LOG"
case "$1" in
  write) echo s.token ;;
  operator)
    for file; do :; done
    echo content > "$file"
    exit "$STATUS"
    ;;
esac
"""


@pytest.mark.parametrize(("status", "kept"), [(0, 2), (2, 1)])
def test_a_backup_leaves_neither_a_partial_file_nor_a_token(tmp_path: Path, status: int, kept: int) -> None:
    backups, log = tmp_path / "backup", tmp_path / "log"
    backups.mkdir()
    for name in ("20250101T000000Z.snap", "20250102T000000Z.snap.part"):
        (backups / name).write_text("old")
    (tmp_path / "bao").write_text(_BAO)
    (tmp_path / "bao").chmod(0o755)
    script = files()["/usr/local/sbin/rsp-vault-backup"]["content"].replace("/srv/vault", str(tmp_path))
    variables = {"PATH": f"{tmp_path}:/usr/bin:/bin", "LOG": str(log), "STATUS": str(status)}
    done = subprocess.run(["/bin/sh"], input=script, env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (status, "")
    assert len(list(backups.glob("*.snap"))) == len(list(backups.iterdir())) == kept
    assert log.read_text().splitlines() == ["write ", "operator s.token", "token s.token"]


def test_the_user_data_fit_novas_limit() -> None:
    certificate = "-----BEGIN CERTIFICATE-----\n" + ("A" * 64 + "\n") * 110 + "-----END CERTIFICATE-----\n"
    given = {"kind": "given", "certificate": certificate, "key": certificate}
    assert len(base64.b64encode(user_data(tls=given).encode())) < 65535
