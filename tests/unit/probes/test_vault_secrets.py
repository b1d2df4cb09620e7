from typing import Any

import pytest

from config.vault import AppRole
from phalanx.environment import Environment
from phalanx.errors import SecretsError
from phalanx.secrets import SecretKey
from probes import vault_secrets
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
        assert vault_secrets.read(url, environment) == {
            SecretKey("argocd", "admin.password"): "hash",
            SecretKey("mobu", "hook"): "url",
            SecretKey("mobu", "port"): "443",
        }


def test_a_deleted_secret_has_no_values(environment: Environment) -> None:
    with json_server({LIST: listing("argocd"), f"GET {PATH}/argocd": secret(None)}) as url:
        assert vault_secrets.read(url, environment) == {}


def test_an_environment_may_have_no_secrets(environment: Environment) -> None:
    with json_server({}) as url:
        assert vault_secrets.read(url, environment) == {}


def test_a_refusal_is_reported_with_path_and_policy(environment: Environment) -> None:
    answers = {LIST: listing("argocd"), f"GET {PATH}/argocd": (403, {"errors": ["permission denied"]})}
    with json_server(answers) as url, pytest.raises(SecretsError) as error:
        vault_secrets.read(url, environment)
    assert "does not allow this token to read kv-v2/k8s_operator/roe" in str(error.value)
    assert "VAULT_TOKEN requires the policy that `python -m operations vault-policy` prints" in str(error.value)
    assert "token-of-the-test" not in str(error.value)


def test_the_mount_is_found(environment: Environment) -> None:
    def mounts(*paths: str) -> dict[str, tuple[int, object]]:
        found = {path: {"type": "kv"} for path in paths}
        return {"GET /v1/sys/internal/ui/mounts": (200, {"data": {"secret": found, "auth": {}}})}

    with json_server(mounts("cubbyhole/", "kv-v2/")) as url:
        assert vault_secrets.has_mount(url, environment)
    with json_server(mounts("cubbyhole/")) as url:
        assert not vault_secrets.has_mount(url, environment)


def test_the_role_is_found(environment: Environment) -> None:
    answers = {"GET /v1/auth/approle/role/roe": (200, {"data": {"token_type": "service"}})}
    with json_server(answers) as url:
        assert vault_secrets.has_role(url, environment, AppRole())
    with json_server({}) as url:
        assert not vault_secrets.has_role(url, environment, AppRole())
