from pathlib import Path
from typing import Any

import pytest

from config.vault import Vault
from phalanx.environment import Environment
from phalanx.errors import SecretsError
from phalanx.secrets import SecretKey
from probes import vault_client, vault_secrets
from probes.vault_secrets import Contents
from tests.unit.given_phalanx import source
from tests.unit.json_server import json_server

LIST = "LIST /v1/kv-v2/metadata/k8s_operator/roe"
PATH = "/v1/kv-v2/data/k8s_operator/roe"


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "token-of-the-test")


@pytest.fixture
def environment() -> Environment:
    return source({}).environment


def listing(*names: str) -> tuple[int, Any]:
    return 200, {"data": {"keys": list(names)}}


def secret(data: Any) -> tuple[int, Any]:
    return 200, {"data": {"data": data, "metadata": {}}}


def test_all_keys_of_all_secrets_are_read(environment: Environment) -> None:
    answers = {
        LIST: listing("argocd", "folder/", "mobu"),
        f"GET {PATH}/argocd": secret({"admin.password": "hash"}),
        f"GET {PATH}/mobu": secret({"hook": "url", "port": 443}),
    }
    with json_server(answers) as url:
        assert vault_secrets.read(url, environment, Vault()) == {
            SecretKey("argocd", "admin.password"): "hash",
            SecretKey("mobu", "hook"): "url",
            SecretKey("mobu", "port"): "443",
        }


def test_a_deleted_secret_has_no_values(environment: Environment) -> None:
    with json_server({LIST: listing("argocd"), f"GET {PATH}/argocd": secret(None)}) as url:
        assert vault_secrets.read(url, environment, Vault()) == {}


def test_an_environment_may_have_no_secrets(environment: Environment) -> None:
    with json_server({}) as url:
        assert vault_secrets.read(url, environment, Vault()) == {}


def test_a_refusal_is_reported_with_path_and_policy(environment: Environment) -> None:
    answers = {LIST: listing("argocd"), f"GET {PATH}/argocd": (403, {"errors": ["permission denied"]})}
    with json_server(answers) as url, pytest.raises(SecretsError) as error:
        vault_secrets.read(url, environment, Vault())
    assert "permission denied below kv-v2/k8s_operator/roe: the token in VAULT_TOKEN has expired" in str(error.value)
    assert "(`python -m operations vault-policy -s STACK` prints the one that it requires)" in str(error.value)
    assert "token-of-the-test" not in str(error.value)


def contents(environment: Environment, **answers: Any) -> Contents:
    """Return the contents of a Vault with these engines, auth methods and answers."""
    mounts = {kind: {path: {"type": "any"} for path in answers.pop(kind, ())} for kind in ("secret", "auth")}
    served = {"GET /v1/sys/internal/ui/mounts": (200, {"data": mounts}), **answers.pop("more", {})}
    with json_server(served) as url:
        return vault_secrets.contents(url, environment, Vault())


def test_mount_auth_method_and_role_are_found(environment: Environment) -> None:
    role = {"GET /v1/auth/approle/role/roe": (200, {"data": {"token_type": "service"}})}
    found = contents(environment, secret=("cubbyhole/", "kv-v2/"), auth=("approle/",), more=role)
    assert (found.has_mount, found.has_auth_method, found.has_role) == (True, True, True)
    found = contents(environment, secret=("cubbyhole/",), auth=("token/",))
    assert (found.has_mount, found.has_auth_method, found.has_role) == (False, False, False)


def test_the_contents_include_the_secrets(environment: Environment) -> None:
    answers = {LIST: listing("argocd"), f"GET {PATH}/argocd": secret({"key": "value"})}
    assert contents(environment, more=answers).secrets == {SecretKey("argocd", "key"): "value"}


def test_one_connection_reads_the_contents(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    connected: list[str] = []
    connect = vault_client.connect

    def count(address: str, ca_file: Path | None) -> Any:
        connected.append(address)
        return connect(address, ca_file)

    monkeypatch.setattr(vault_client, "connect", count)
    contents(environment, more={LIST: listing("argocd"), f"GET {PATH}/argocd": secret({"key": "value"})})
    assert len(connected) == 1
