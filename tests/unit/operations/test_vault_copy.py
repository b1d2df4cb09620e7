"""Copies of secrets between two real servers."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import hvac
import pytest
from typer.testing import CliRunner, Result

from operations import secrets
from phalanx.errors import SecretsError
from probes.vault_kv import Folder, SecretVersion
from tests import openbao
from tests.openbao import OpenBao
from tests.unit.phalanx import phalanx_git
from tests.unit.phalanx.repository import SETTINGS
from tests.unit.sample import write_stack

MARK = "planted-7c1d"
"""Part of all values, so that a value in the output is detected."""
OLD: dict[str, dict[str, Any]] = {
    "gafaelfawr": {"session": f"{MARK}-1", "signing-key": f"{MARK}-2"},
    "tap": {"google": json.dumps({"key": MARK}), "limits": {MARK: [1, 2.5, True, None]}, "on": True},
    "deeper/still/nublado": {"hub": f"{MARK}-3"},
}
TARGET = "phalanx/test"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[OpenBao, OpenBao]]:
    old, new = tmp_path_factory.mktemp("old"), tmp_path_factory.mktemp("new")
    with openbao.server(old) as source, openbao.server(new) as target:
        yield source, target


@pytest.fixture
def old(servers: tuple[OpenBao, OpenBao], monkeypatch: pytest.MonkeyPatch) -> OpenBao:
    """Return a server with secrets at kv-v2/k8s_operator/roe (KV version 2) and kv/roe (KV version 1)."""
    source = servers[0]
    monkeypatch.setenv("VAULT_SOURCE_TOKEN", source.root_token)
    for mount, version in (("kv-v2", "2"), ("kv", "1")):
        remount(source, mount, version)
    for name, data in OLD.items():
        put(source, f"k8s_operator/roe/{name}", data, mount="kv-v2")
        source.root.secrets.kv.v1.create_or_update_secret(f"roe/{name}", data, mount_point="kv")
    return source


@pytest.fixture
def new(servers: tuple[OpenBao, OpenBao], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenBao:
    """Return a server with an empty engine, and change to a project with a stack ``test`` that uses it."""
    target = servers[1]
    monkeypatch.setenv("VAULT_TOKEN", target.root_token)
    remount(target, "secret", "2")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    phalanx = {"environments/values.yaml": SETTINGS | {"applications": {}}, "environments/values-test.yaml": {}}
    phalanx_git.init(tmp_path / "phalanx", phalanx)
    configure(target.url)
    return target


def remount(server: OpenBao, path: str, version: str) -> None:
    server.root.sys.disable_secrets_engine(path)
    server.root.sys.enable_secrets_engine("kv", path=path, options={"version": version})
    while version == "2":
        # A new engine of version 2 first refuses requests as it is being upgraded.
        with suppress(hvac.exceptions.InvalidRequest):
            server.root.secrets.kv.v2.read_configuration(mount_point=path)
            return


def configure(address: str) -> None:
    phalanx = {"repository": f"file://{Path.cwd() / 'phalanx'}", "environment": "test"}
    write_stack(phalanx=phalanx, vault__address=address)


def put(server: OpenBao, path: str, data: Mapping[str, Any], mount: str = "secret") -> None:
    server.root.secrets.kv.v2.create_or_update_secret(path, dict(data), mount_point=mount)


def held(server: OpenBao, name: str) -> Any:
    answer = server.root.secrets.kv.v2.read_secret_version(
        f"{TARGET}/{name}", mount_point="secret", raise_on_deleted_version=False
    )
    return answer["data"]["data"]


def names(server: OpenBao) -> list[str]:
    answer: Any = server.root.list(f"secret/metadata/{TARGET}")
    return answer["data"]["keys"] if answer else []


def written(server: OpenBao, name: str) -> int:
    answer = server.root.secrets.kv.v2.read_secret_metadata(f"{TARGET}/{name}", mount_point="secret")
    return int(answer["data"]["current_version"])


def run(old: OpenBao, *arguments: str, path: str = "kv-v2/k8s_operator/roe", answer: str | None = None) -> Result:
    command = ["copy", "-s", "test", "--from", old.url, "--from-path", path, *arguments]
    result = CliRunner().invoke(secrets.app, command, input=answer)
    assert MARK not in f"{result.output}{result.exception}"
    return result


def refused(old: OpenBao, *arguments: str, path: str = "kv-v2/k8s_operator/roe") -> str:
    result = run(old, "--yes", *arguments, path=path)
    assert result.exit_code == 1
    assert isinstance(result.exception, SecretsError), result
    return str(result.exception)


@pytest.mark.parametrize("path", ["kv-v2/k8s_operator/roe", "kv/roe"])
def test_values_keep_their_types_and_a_second_run_writes_nothing(old: OpenBao, new: OpenBao, path: str) -> None:
    result = run(old, "--yes", path=path)
    assert result.exit_code == 0, result
    assert "Verified: secret/phalanx/test of" in result.output
    assert {name: held(new, name) for name in OLD} == OLD
    assert held(new, "tap")["on"] is True
    assert run(old, "--yes", path=path).exit_code == 0
    assert [written(new, name) for name in OLD] == [1, 1, 1]


def test_nothing_is_written_without_confirmation(old: OpenBao, new: OpenBao) -> None:
    assert run(old, "--dry-run").exit_code == 0
    declined = run(old, answer="n\n")
    assert declined.exit_code == 1
    assert "Write 3 secrets to secret/phalanx/test of" in declined.output
    assert names(new) == []
    assert run(old, answer="y\n").exit_code == 0
    assert held(new, "gafaelfawr") == OLD["gafaelfawr"]


def test_differing_values_and_other_keys_of_the_target_are_kept(old: OpenBao, new: OpenBao) -> None:
    put(new, f"{TARGET}/gafaelfawr", {"session": f"{MARK}-newer", "ours": MARK})
    shown = run(old, "--dry-run", "--json")
    (compared,) = [one for one in json.loads(shown.stdout)["secrets"] if one["name"] == "gafaelfawr"]
    assert (compared["new"], compared["same"], compared["differs"]) == (["signing-key"], [], ["session"])
    assert "  gafaelfawr/session: has another value, which was kept (to overwrite" in refused(old)
    assert held(new, "gafaelfawr") == {"session": f"{MARK}-newer", "ours": MARK, "signing-key": f"{MARK}-2"}
    assert run(old, "--yes", "--overwrite").exit_code == 0
    assert held(new, "gafaelfawr") == {**OLD["gafaelfawr"], "ours": MARK}


def test_true_is_not_one(old: OpenBao, new: OpenBao) -> None:
    put(new, f"{TARGET}/tap", {**OLD["tap"], "on": 1})
    assert "tap/on: has another value" in refused(old)


def test_a_key_that_looks_like_markup_is_shown(old: OpenBao, new: OpenBao) -> None:
    put(old, "k8s_operator/roe/tap", {**OLD["tap"], "a[/b]": MARK}, mount="kv-v2")
    put(new, f"{TARGET}/tap", {"a[/b]": 1})
    assert "a[/b]" in run(old, "--dry-run").stdout


def test_custom_metadata_are_copied_unless_the_target_has_its_own(old: OpenBao, new: OpenBao) -> None:
    def note(server: OpenBao, path: str, owner: str) -> None:
        server.root.adapter.post(f"/v1/{path}", json={"custom_metadata": {"owner": owner}, "max_versions": 7})

    note(old, "kv-v2/metadata/k8s_operator/roe/tap", "archive")
    note(old, "kv-v2/metadata/k8s_operator/roe/gafaelfawr", "archive")
    note(new, f"secret/metadata/{TARGET}/gafaelfawr", "people here")
    new.root.adapter.post(f"/v1/secret/metadata/{TARGET}/tap", json={"delete_version_after": "100h"})
    assert run(old, "--yes").exit_code == 0

    def noted(name: str) -> Any:
        return new.root.secrets.kv.v2.read_secret_metadata(f"{TARGET}/{name}", mount_point="secret")["data"]

    assert noted("tap")["custom_metadata"] == {"owner": "archive"}
    assert noted("tap")["delete_version_after"] == "100h0m0s"
    assert noted("gafaelfawr")["custom_metadata"] == {"owner": "people here"}


def test_secrets_that_are_deleted_at_the_source_are_reported(old: OpenBao, new: OpenBao) -> None:
    for name in ("deleted", "destroyed"):
        put(old, f"k8s_operator/roe/{name}", {"key": MARK}, mount="kv-v2")
    kv = old.root.secrets.kv.v2
    kv.delete_latest_version_of_secret("k8s_operator/roe/deleted", mount_point="kv-v2")
    kv.destroy_secret_versions("k8s_operator/roe/destroyed", versions=[1], mount_point="kv-v2")
    result = run(old, "--yes")
    assert result.exit_code == 0, result
    assert result.output.count("deleted at the source") == 2
    assert "has all 3 secrets" in result.output
    assert sorted(names(new)) == ["deeper/", "gafaelfawr", "tap"]


def test_secrets_that_are_deleted_at_the_target_are_written_again(old: OpenBao, new: OpenBao) -> None:
    kv = new.root.secrets.kv.v2
    for name in ("tap", "gafaelfawr"):
        put(new, f"{TARGET}/{name}", {"key": MARK})
    kv.delete_latest_version_of_secret(f"{TARGET}/tap", mount_point="secret")
    kv.destroy_secret_versions(f"{TARGET}/gafaelfawr", versions=[1], mount_point="secret")
    assert run(old, "--yes").exit_code == 0
    assert held(new, "tap") == OLD["tap"]
    assert held(new, "gafaelfawr") == OLD["gafaelfawr"]


def test_concurrent_writes_are_not_lost(old: OpenBao, new: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
    concurrent = [{"added": MARK}, {"added": MARK, "session": f"{MARK}-newer"}]
    write_to_vault = Folder.write

    def write_later(folder: Folder, name: str, data: Mapping[str, Any], *, replacing: SecretVersion) -> None:
        if name == "gafaelfawr" and concurrent:
            put(new, f"{TARGET}/{name}", concurrent.pop(0))
        write_to_vault(folder, name, data, replacing=replacing)

    monkeypatch.setattr(Folder, "write", write_later)
    assert "gafaelfawr/session: has another value" in refused(old)
    assert concurrent == []
    assert held(new, "gafaelfawr") == {"added": MARK, "session": f"{MARK}-newer", "signing-key": f"{MARK}-2"}


def test_an_interrupted_copy_is_continued(old: OpenBao, new: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
    write_to_vault = Folder.write

    def write_one(folder: Folder, name: str, data: Mapping[str, Any], *, replacing: SecretVersion) -> None:
        if name == "gafaelfawr":
            raise hvac.exceptions.VaultDown
        write_to_vault(folder, name, data, replacing=replacing)

    with monkeypatch.context() as interrupted:
        interrupted.setattr(Folder, "write", write_one)
        message = refused(old)
    assert "gafaelfawr: Vault at" in message
    assert "is sealed" in message
    assert "1 of 3 secrets are written; run the same command again to continue." in message
    result = run(old, "--yes")
    assert result.exit_code == 0
    assert [written(new, name) for name in OLD] == [1, 1, 1]


def test_another_path_of_the_same_vault_needs_one_token(new: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAULT_SOURCE_TOKEN", raising=False)
    put(new, "phalanx/elder/tap", OLD["tap"])
    assert run(new, "--yes", path="secret/phalanx/elder").exit_code == 0
    assert held(new, "tap") == OLD["tap"]
    assert "are the stack's own Vault and path" in refused(new, path="secret/phalanx/test/")


OPERATOR = """
path "secret/data/phalanx/test/+" { capabilities = ["create", "read", "update"] }
path "secret/metadata/phalanx/test" { capabilities = ["list"] }
"""
READER = """
path "kv-v2/data/k8s_operator/roe/*" { capabilities = ["read"] }
path "kv-v2/metadata/k8s_operator/roe/*" { capabilities = ["list"] }
path "kv-v2/metadata/k8s_operator/roe" { capabilities = ["list"] }
"""


def test_least_privilege_suffices(old: OpenBao, new: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
    old.root.secrets.kv.v2.delete_metadata_and_all_versions(
        "k8s_operator/roe/deeper/still/nublado", mount_point="kv-v2"
    )
    monkeypatch.setenv("VAULT_SOURCE_TOKEN", old.token(READER))
    monkeypatch.setenv("VAULT_TOKEN", new.token(OPERATOR))
    assert run(old, "--yes").exit_code == 0
    old.root.adapter.post("/v1/kv-v2/metadata/k8s_operator/roe/tap", json={"custom_metadata": {"owner": "archive"}})
    put(old, "k8s_operator/roe/vo-cutouts", {"key": MARK}, mount="kv-v2")
    assert "  tap: its custom metadata are missing" in refused(old)
    assert held(new, "vo-cutouts") == {"key": MARK}


class TestFailures:
    """Error messages."""

    def test_the_token_of_the_target_never_goes_to_the_source(
        self, old: OpenBao, new: OpenBao, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("VAULT_SOURCE_TOKEN")
        (Path.home() / ".vault-token").write_text(new.root_token)
        result = run(old, "--yes")
        assert "no token for Vault: set VAULT_SOURCE_TOKEN" in str(result.exception)

    @pytest.mark.usefixtures("new")
    def test_the_source_is_unreachable(self, old: OpenBao) -> None:
        message = refused(replace(old, url="http://127.0.0.1:1"))
        assert message.startswith("Vault at http://127.0.0.1:1: does not answer (Connection refused): check --from")

    @pytest.mark.usefixtures("new")
    def test_a_token_is_refused(self, old: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_SOURCE_TOKEN", "s.wrong")
        assert "refuses the token in VAULT_SOURCE_TOKEN" in refused(old)

    @pytest.mark.usefixtures("new")
    def test_a_path_does_not_exist(self, old: OpenBao) -> None:
        assert "has no engine for the path nothing/here" in refused(old, path="nothing/here")
        assert "No secret exists below kv-v2/k8s_operator/roa" in refused(old, path="kv-v2/k8s_operator/roa")

    @pytest.mark.usefixtures("new")
    def test_an_engine_of_another_type(self, old: OpenBao) -> None:
        assert "is in an engine of type cubbyhole, expected KV" in refused(old, path="cubbyhole/roe")

    @pytest.mark.usefixtures("new")
    def test_a_token_that_may_not_list(self, old: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("VAULT_SOURCE_TOKEN", old.token('path "kv-v2/data/*" { capabilities = ["read"] }'))
        message = "permission denied below kv-v2/k8s_operator/roe: the token in VAULT_SOURCE_TOKEN has expired"
        assert message in refused(old)

    def test_the_target_is_kv_version_1(self, old: OpenBao, new: OpenBao) -> None:
        remount(new, "secret", "1")
        message = "is KV version 1, Phalanx requires version 2: upgrade it with `vault kv enable-versioning secret`"
        assert message in refused(old)

    def test_a_vault_is_sealed(self, old: OpenBao, new: OpenBao) -> None:
        new.root.sys.seal()
        try:
            assert f"Vault at {new.url}: is sealed" in refused(old)
        finally:
            new.root.sys.submit_unseal_key(new.unseal_key)


def test_a_lost_value_is_detected_by_verification(old: OpenBao, new: OpenBao, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Folder, "write", lambda *_, **__: None)
    assert "  tap/google: missing" in refused(old)
    assert names(new) == []
