"""Removal of unneeded secrets from a real OpenBao; the command line is tested in test_secrets_command."""

import hvac
import pytest

from config.vault import Vault
from operations import secrets_prune
from operations.secrets_prune import Removal
from phalanx.environment import Environment
from phalanx.errors import SecretsError
from phalanx.policies import write_policy
from phalanx.secrets import Plan, PlannedSecret, SecretKey, Static
from probes import vault_secrets
from probes.vault_kv import Folder, SecretVersion
from tests.openbao import OpenBao
from tests.unit.given_phalanx import source

READ = SecretKey("tap", "google_creds.json")
PLAN = Plan([PlannedSecret(key=READ, description="", origin=Static())])
HELD = [
    READ,
    SecretKey("tap", "old.key/with slash"),
    SecretKey("tap", "note"),
    SecretKey("gone", "a"),
    SecretKey("gone", "b"),
]
CONTENT: dict[str, dict[str, object]] = {
    "tap": {"google_creds.json": "read", "old.key/with slash": "unread", "note": "unread", "port": 443},
    "gone": {"a": "unread", "b": "unread"},
}


@pytest.fixture(scope="module")
def server(empty_vault: OpenBao) -> OpenBao:
    empty_vault.mount_kv("kv-v2")
    return empty_vault


@pytest.fixture
def bao(server: OpenBao, monkeypatch: pytest.MonkeyPatch) -> OpenBao:
    monkeypatch.setenv("VAULT_TOKEN", server.root_token)
    for name, data in CONTENT.items():
        server.root.secrets.kv.v2.create_or_update_secret(f"k8s_operator/roe/{name}", data, mount_point="kv-v2")
    return server


@pytest.fixture
def environment() -> Environment:
    return source({}).environment


def content(root: hvac.Client, name: str, version: int | None = None) -> object:
    answer = root.secrets.kv.v2.read_secret_version(
        f"k8s_operator/roe/{name}", version=version, mount_point="kv-v2", raise_on_deleted_version=False
    )
    return answer["data"]["data"]


def test_names_of_applications_and_keys() -> None:
    assert secrets_prune.choose(["tap/old.key/with slash"], PLAN, HELD) == [Removal("tap", ("old.key/with slash",))]
    assert secrets_prune.choose(["tap/note", "gone"], PLAN, HELD) == [Removal("gone", ()), Removal("tap", ("note",))]
    assert secrets_prune.choose(["gone/a"], PLAN, HELD) == [Removal("gone", ("a",))]


def test_all_keys_of_a_secret_are_the_whole_secret() -> None:
    assert secrets_prune.choose(["gone/a", "gone/b"], PLAN, HELD) == [Removal("gone", ())]
    assert secrets_prune.removals(PLAN.unneeded(HELD), HELD) == [
        Removal("gone", ()),
        Removal("tap", ("note", "old.key/with slash")),
    ]


def test_all_invalid_names_are_reported_together() -> None:
    with pytest.raises(SecretsError) as error:
        secrets_prune.choose(["tap", "tap/google_creds.json", "tap/notes", "gone"], PLAN, HELD)
    assert str(error.value).splitlines() == [
        "tap: cannot be removed, as the environment reads tap/google_creds.json",
        "tap/google_creds.json: cannot be removed, as the environment reads tap/google_creds.json",
        "tap/notes: Vault has no such secret; did you mean tap/note?",
    ]


def test_a_key_is_removed_and_others_are_kept(bao: OpenBao, environment: Environment) -> None:
    (message,) = secrets_prune.remove([Removal("tap", ("note",))], bao.url, environment)
    assert content(bao.root, "tap") == {key: value for key, value in CONTENT["tap"].items() if key != "note"}
    assert "Removed tap/note. " in message
    version = int(message.partition("-version=")[2].split()[0])
    assert content(bao.root, "tap", version) == CONTENT["tap"]


def test_a_removed_secret_can_be_restored(bao: OpenBao, environment: Environment) -> None:
    (message,) = secrets_prune.remove([Removal("gone", ())], bao.url, environment)
    assert content(bao.root, "gone") is None
    assert SecretKey("gone", "a") not in vault_secrets.read(bao.url, environment, Vault())
    assert "with the token of the output vaultWriteToken: `vault kv undelete -mount=kv-v2 -versions=" in message
    version = int(message.partition("-versions=")[2].split()[0])
    writer = hvac.Client(url=bao.url, token=bao.token(write_policy("kv-v2", "k8s_operator/roe")))
    writer.secrets.kv.v2.undelete_secret_versions("k8s_operator/roe/gone", [version], mount_point="kv-v2")
    assert content(bao.root, "gone") == CONTENT["gone"]


def test_a_concurrent_write_is_not_lost(
    bao: OpenBao, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, times = Folder.read, iter(range(10))

    def read_before_a_concurrent_write(folder: Folder, name: str) -> SecretVersion:
        found = read(folder, name)
        if next(times) == 0:
            data = {**CONTENT["tap"], "added": "meanwhile"}
            bao.root.secrets.kv.v2.create_or_update_secret("k8s_operator/roe/tap", data, mount_point="kv-v2")
        return found

    monkeypatch.setattr(Folder, "read", read_before_a_concurrent_write)
    list(secrets_prune.remove([Removal("tap", ("note",))], bao.url, environment))
    expected = {key: value for key, value in CONTENT["tap"].items() if key != "note"}
    assert content(bao.root, "tap") == {**expected, "added": "meanwhile"}


def test_a_missing_permission_is_reported(
    bao: OpenBao, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = 'path "kv-v2/data/*" { capabilities = ["read"] }'
    bao.root.sys.create_or_update_acl_policy(name="reader", policy=policy)
    monkeypatch.setenv("VAULT_TOKEN", bao.root.auth.token.create(policies=["reader"])["auth"]["client_token"])
    with pytest.raises(SecretsError, match="permission denied below kv-v2/k8s_operator/roe: "):
        list(secrets_prune.remove([Removal("tap", ("note",))], bao.url, environment))
    assert content(bao.root, "tap") == CONTENT["tap"]
