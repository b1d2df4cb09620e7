"""Warnings of the preflight, with a real OpenBao; fatal problems: test_unsuitable_vault.py."""

import hvac
import pytest

from config.vault import Vault
from phalanx import policies
from phalanx.environment import Environment
from probes import vault_preflight, vault_secrets
from probes.problem import Problem
from tests.openbao import OpenBao
from tests.unit.given_phalanx import source
from tests.unit.json_server import json_server

ROLE = "auth/approle/role/roe"
SETTINGS = Vault.model_validate({"mount": "existing", "approle": {"ownership": "existing"}}, by_name=True)
WRITTEN = {
    "token_policies": ["k8s_operator/roe/read"],
    "token_type": "service",
    "token_ttl": 3600,
    "token_max_ttl": 32 * 24 * 3600,
}
"""The role as the program writes it."""


@pytest.fixture(scope="module")
def server(empty_vault: OpenBao) -> OpenBao:
    empty_vault.root.sys.enable_auth_method("approle")
    empty_vault.mount_kv("kv-v2")
    return empty_vault


@pytest.fixture
def environment() -> Environment:
    return source({}).environment


@pytest.fixture
def bao(server: OpenBao, monkeypatch: pytest.MonkeyPatch) -> OpenBao:
    monkeypatch.setenv("VAULT_TOKEN", server.root_token)
    server.root.delete(ROLE)
    server.root.sys.create_or_update_acl_policy(
        "k8s_operator/roe/read", policies.read_policy("kv-v2", "k8s_operator/roe")
    )
    return server


def check(bao: OpenBao, environment: Environment) -> list[Problem]:
    return list(vault_preflight.check(bao.url, environment, SETTINGS, "roe"))


def only_warning(bao: OpenBao, environment: Environment) -> str:
    (problem,) = check(bao, environment)
    assert not problem.fatal
    return str(problem)


def test_a_suitable_vault_causes_no_warnings(bao: OpenBao, environment: Environment) -> None:
    assert check(bao, environment) == []
    bao.root.write_data(ROLE, data=WRITTEN)
    assert check(bao, environment) == []


def test_a_token_that_expires_soon(
    bao: OpenBao,
    environment: Environment,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", bao.token('path "*" { capabilities = ["read"] }', ttl="650s"))
    first, *_ = check(bao, environment)
    assert not first.fatal
    assert first.what == "the token in VAULT_TOKEN expires in 10 minutes: run `vault token renew` first"


def test_settings_of_a_role_that_are_overwritten(bao: OpenBao, environment: Environment) -> None:
    bao.root.write_data(ROLE, data={**WRITTEN, "token_policies": ["archive"], "token_ttl": 60})
    assert only_warning(bao, environment) == (
        "Vault's role auth/approle/role/roe (warning): has settings that this stack overwrites: "
        "token_policies ['archive'] -> ['k8s_operator/roe/read'], token_ttl 60 -> 3600 "
        "(if they were changed outside of Pulumi, only with `pulumi up --refresh`)"
    )


def test_settings_of_a_role_that_are_kept(bao: OpenBao, environment: Environment) -> None:
    bao.root.write_data(ROLE, data={**WRITTEN, "token_num_uses": 1, "secret_id_bound_cidrs": ["192.0.2.0/24"]})
    message = only_warning(bao, environment)
    assert "settings that this stack does not manage and keeps: " in message
    assert "token_num_uses 1" in message
    assert "secret_id_bound_cidrs ['192.0.2.0/24']" in message


def test_a_missing_policy_of_an_existing_role(bao: OpenBao, environment: Environment) -> None:
    bao.root.write_data(ROLE, data=WRITTEN)
    bao.root.sys.delete_acl_policy("k8s_operator/roe/read")
    assert only_warning(bao, environment) == (
        "Vault's policy k8s_operator/roe/read (warning): does not exist, but the role roe requires it: create "
        "it again with `pulumi up --refresh -s roe` (without a refresh, the state may still contain it)"
    )


def test_a_standby_whose_cluster_has_no_leader(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    """The responses are those of OpenBao's internal/http/handler.go, as a real cluster is slow to lose its leader."""
    monkeypatch.setenv("VAULT_TOKEN", "s.of-the-test")
    answers = {
        "GET /v1/sys/seal-status": (200, {"initialized": True, "sealed": False}),
        "GET /v1/auth/token/lookup-self": (
            500,
            {"errors": ["local node not active but active cluster node not found"]},
        ),
    }
    with json_server(answers) as url:
        (problem,) = vault_preflight.check(url, environment, SETTINGS, "roe")
    assert problem.fatal
    assert str(problem).startswith(f"Vault at {url}: is a standby, and its cluster has no active node")


def test_an_error_of_vault_is_reported(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "s.of-the-test")
    answers = {
        "GET /v1/sys/seal-status": (200, {"initialized": True, "sealed": False}),
        "GET /v1/auth/token/lookup-self": (500, {"errors": ["storage is full"]}),
    }
    with json_server(answers) as url:
        (problem,) = vault_preflight.check(url, environment, SETTINGS, "roe")
    assert problem.what == "responds with an error: storage is full"


def test_the_secrets_may_be_in_a_namespace(
    server: OpenBao, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state of the seal is that of the server, which Vault does not report in a namespace."""
    server.root.sys.create_namespace("rsp")
    inside = hvac.Client(url=server.url, token=server.root_token, namespace="rsp")
    inside.sys.enable_auth_method("approle")
    inside.sys.enable_secrets_engine("kv", path="kv-v2", options={"version": "2"})
    token = inside.auth.token.create(policies=["default"], no_parent=True)["auth"]["client_token"]
    monkeypatch.setenv("VAULT_TOKEN", token)
    monkeypatch.setenv("VAULT_NAMESPACE", "rsp")
    found = list(vault_preflight.check(server.url, environment, SETTINGS, "roe"))
    assert [each for each in found if "lacks capabilities" not in each.what] == []
    monkeypatch.setenv("VAULT_TOKEN", server.root_token)
    assert list(vault_preflight.check(server.url, environment, SETTINGS, "roe")) == []
    assert vault_secrets.contents(server.url, environment, SETTINGS).has_mount
    inside.sys.disable_secrets_engine("kv-v2")
    assert not vault_secrets.contents(server.url, environment, SETTINGS).has_mount
    monkeypatch.delenv("VAULT_NAMESPACE")
    assert vault_secrets.contents(server.url, environment, SETTINGS).has_mount
