"""The site's own Vault: a real OpenBao with the configuration in the user data of its VM."""

import base64
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hvac
import hvac.exceptions
import pytest
import requests

from components.vault_cloud_init import render
from probes import vault_ready
from program.vault_arguments import openbao
from sandbox.site_certificate import issue
from tests.sandbox.vault_vm import HOST, VaultVm
from tests.unit.sample import vault_stack, vault_stack_data

# For the requests of these tests; test_vault_deployment tests the policy of an environment.
POLICY = """\
path "sys/mounts/secret" { capabilities = ["read", "update"] }
path "secret/config" { capabilities = ["read"] }
path "secret/data/*" { capabilities = ["create", "read", "update"] }
"""
PASSWORDS = {user: f"planted-{user}-{secrets.token_hex(8)}" for user in ("alice", "rsp-backup", "rsp-admin")}
PLANTED = f"planted-value-{secrets.token_hex(8)}"
NOW = datetime.now(UTC)
CERTIFICATE = issue(HOST, NOW - timedelta(minutes=1), NOW + timedelta(days=1))
SHAMIR = {"seal": {"kind": "shamir"}, "adminPassword": None}

NewServer = Callable[..., VaultVm]


def user_data(**changes: Any) -> str:
    values = {
        "tls": {"kind": "given", "certificate": CERTIFICATE[0], "key": CERTIFICATE[1]},
        "backupPassword": PASSWORDS["rsp-backup"],
        "adminPassword": PASSWORDS["rsp-admin"],
        "backups": 2,
        **changes,
    }
    config = vault_stack(host=HOST, **{f"server__{key}": value for key, value in values.items()})
    return render(openbao(config), "volume")


@pytest.fixture(scope="module")
def new_server() -> Iterator[NewServer]:
    """Return a function that creates a server, which is stopped after the tests."""
    with ExitStack() as stack:

        def create(**changes: Any) -> VaultVm:
            root = stack.enter_context(tempfile.TemporaryDirectory(prefix="bao"))
            server = VaultVm(user_data(**changes), Path(root))
            stack.callback(server.stop)
            return server

        yield create


@pytest.fixture(scope="module")
def server(new_server: NewServer) -> VaultVm:
    """Return a server after its first start, with one secret."""
    created = new_server()
    created.start()
    created.create_operator(
        created.token("rsp-admin", PASSWORDS["rsp-admin"]), "test", POLICY, "alice", PASSWORDS["alice"]
    )
    operator = created.login("alice", PASSWORDS["alice"])
    operator.write_data("sys/mounts/secret", data={"type": "kv", "options": {"version": "2"}})
    write(operator)
    return created


def write(operator: hvac.Client) -> None:
    for _ in range(50):
        try:
            operator.write_data("secret/data/phalanx/tap", data={"data": {"pgpassword": PLANTED}})
        except hvac.exceptions.InvalidRequest:
            continue  # a new KV engine refuses requests for a moment
        return


def value(client: hvac.Client) -> str:
    answer: Any = client.read("secret/data/phalanx/tap")
    return str(answer["data"]["data"]["pgpassword"])


def test_the_server_is_ready(server: VaultVm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_CACERT", server.certificate)
    assert vault_ready.check(server.url, "127.0.0.1") is None


def test_the_given_certificate_is_served_and_plain_http_refused(server: VaultVm) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{server.url}/v1/sys/health", verify="/etc/ssl/certs/ca-certificates.crt", timeout=5)
    assert requests.get(server.url.replace("https", "http"), timeout=5).status_code == requests.codes.bad_request


def test_an_operator_has_only_the_permissions_of_its_policy(server: VaultVm) -> None:
    operator = server.login("alice", PASSWORDS["alice"])
    assert value(operator) == PLANTED
    for path in ("sys/storage/raft/snapshot", "sys/policies/acl/rsp-operator-test", "auth/userpass/users/rsp-admin"):
        with pytest.raises(hvac.exceptions.Forbidden):
            operator.read(path)
    token: Any = operator.lookup_token()
    assert 7200 < token["data"]["ttl"] <= 14400


def test_the_backup_user_cannot_read_secrets(server: VaultVm) -> None:
    with pytest.raises(hvac.exceptions.Forbidden):
        value(server.login("rsp-backup", PASSWORDS["rsp-backup"]))


def test_no_root_token_remains(server: VaultVm) -> None:
    admin = server.login("rsp-admin", PASSWORDS["rsp-admin"])
    accessors: Any = admin.list("auth/token/accessors")
    tokens: list[Any] = [admin.lookup_token(each, accessor=True) for each in accessors["data"]["keys"]]
    assert tokens
    assert not any("root" in each["data"]["policies"] for each in tokens)


def test_requests_are_audited_without_secret_values(server: VaultVm) -> None:
    audit = server.audit_log
    assert '"path":"auth/userpass/login/alice"' in audit
    assert '"path":"secret/data/phalanx/tap"' in audit
    assert "hmac-sha256:" in audit
    for secret in (PLANTED, *PASSWORDS.values()):
        assert secret not in audit
        assert secret not in server.log


def test_files_with_secrets_are_readable_only_by_their_owner(server: VaultVm) -> None:
    for path in (server.root / "etc").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    assert (server.root / "data/audit/audit.log").stat().st_mode & 0o077 == 0


def test_the_server_unseals_itself_after_a_restart(server: VaultVm) -> None:
    server.stop()
    server.start()
    assert value(server.login("alice", PASSWORDS["alice"])) == PLANTED


def test_a_failed_backup_leaves_neither_a_file_nor_a_token(server: VaultVm) -> None:
    admin = server.login("rsp-admin", PASSWORDS["rsp-admin"])
    before: Any = admin.list("auth/token/accessors")
    server.run_script("/usr/local/sbin/rsp-vault-backup", largest_file=512, status=2)
    assert not list((server.root / "data/backup").iterdir())
    after: Any = admin.list("auth/token/accessors")
    assert {*after["data"]["keys"]} == {*before["data"]["keys"]}


def test_a_backup_is_restored_into_a_new_server(server: VaultVm) -> None:
    backups = server.root / "data/backup"
    for day in (1, 2):
        (backups / f"2025010{day}T000000Z.snap").write_text("old")
    server.run_script("/usr/local/sbin/rsp-vault-backup")
    kept = sorted(each.name for each in backups.iterdir())
    assert len(kept) == 2
    assert kept[0] == "20250102T000000Z.snap"
    assert PLANTED.encode() not in (backups / kept[1]).read_bytes()

    snapshot = server.replace_with_volume(user_data()) / "backup" / kept[1]
    server.start()
    admin = server.login("rsp-admin", PASSWORDS["rsp-admin"])
    mounts: Any = admin.read("sys/mounts")
    assert "secret/" not in mounts["data"]
    server.command("operator", "raft", "snapshot", "restore", "-force", str(snapshot), token=str(admin.token))
    server.stop()
    server.start()
    assert value(server.login("alice", PASSWORDS["alice"])) == PLANTED


def test_the_seal_key_can_be_replaced(new_server: NewServer) -> None:
    old = vault_stack_data()["server"]["seal"]["key"]
    new = {"id": "second", "value": base64.b64encode(secrets.token_bytes(32)).decode()}
    server = new_server()
    server.start()
    server.stop()
    server.install(user_data(seal={"kind": "static", "previousKey": old, "key": new}))
    server.start()
    # The old key is required until the root key has been rotated.
    server.login("rsp-admin", PASSWORDS["rsp-admin"]).write_data("sys/rotate/root", data={})
    server.stop()
    server.install(user_data(seal={"kind": "static", "key": new}))
    server.start()
    assert server.login("rsp-admin", PASSWORDS["rsp-admin"]).token


def test_operators_initialize_and_unseal_a_server_with_a_shamir_seal(
    new_server: NewServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = new_server(**SHAMIR)
    server.start(status=501)
    monkeypatch.setenv("VAULT_CACERT", server.certificate)
    new = vault_ready.check(server.url)
    client = server.client()
    keys: Any = client.sys.initialize(secret_shares=3, secret_threshold=2)
    sealed = vault_ready.check(server.url)
    assert new
    assert sealed
    assert not new.temporary
    assert not sealed.temporary
    for key in keys["keys"][:2]:
        client.sys.submit_unseal_key(key)
    server.wait_for(200)
    assert '"path":"sys/audit/test"' in server.audit_log


def test_another_vault_unseals_the_server(server: VaultVm, new_server: NewServer) -> None:
    admin = server.login("rsp-admin", PASSWORDS["rsp-admin"])
    admin.write_data("sys/mounts/transit", data={"type": "transit"})
    admin.write_data("transit/keys/rsp", data={})
    rules = "".join(f'path "transit/{verb}/rsp" {{ capabilities = ["update"] }}\n' for verb in ("encrypt", "decrypt"))
    admin.write_data("sys/policies/acl/seal", data={"policy": rules})
    token: Any = admin.write_data("auth/token/create-orphan", data={"policies": ["seal"], "period": "24h"})
    seal = {
        "kind": "transit",
        "address": server.url,
        "keyName": "rsp",
        "token": token["auth"]["client_token"],
    }
    other = new_server(seal=seal)
    trust = {"BAO_CACERT": server.certificate}
    other.start(env=trust)
    other.stop()
    other.start(env=trust)
    assert other.login("rsp-admin", PASSWORDS["rsp-admin"]).token
