"""The policies are sufficient and do not let a token extend its permissions, according to a real OpenBao."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hvac
import hvac.exceptions
import pytest

from config.loader import load_file
from config.stack_config import StackConfig
from config.vault import Vault
from phalanx import environment, policies
from phalanx.environment import Environment
from probes import vault_access, vault_policy
from tests.openbao import OpenBao
from tests.unit.given_phalanx import source

ROOT = Path(__file__).parents[3]
PATH = "k8s_operator/roe"
READ, WRITE = policies.read_policy("kv-v2", PATH), policies.write_policy("kv-v2", PATH)
SETTINGS = Vault()


@pytest.fixture(scope="module")
def target() -> Environment:
    return source({"tap": {}, "gafaelfawr": {}}).environment


@pytest.fixture(scope="module")
def operator(empty_vault: OpenBao, target: Environment) -> hvac.Client:
    """Return a client with an operator's token, after it has created everything that a stack can create."""
    client = hvac.Client(url=empty_vault.url, token=empty_vault.token(vault_policy.operator(target, SETTINGS, "roe")))
    for path, body in CREATED:
        client.write_data(path, data=body)
    return client


CREATED: list[tuple[str, dict[str, Any]]] = [
    ("sys/mounts/kv-v2", {"type": "kv", "options": {"version": "2"}, "description": "d", "config": {}}),
    ("sys/mounts/kv-v2/tune", {"description": "e"}),
    ("sys/auth/approle", {"type": "approle", "description": "d", "config": {}}),
    ("sys/mounts/auth/approle/tune", {"description": "e"}),
    (f"sys/policies/acl/{PATH}/read", {"policy": READ}),
    (f"sys/policies/acl/{PATH}/write", {"policy": WRITE}),
    ("auth/approle/role/roe", {"token_policies": [f"{PATH}/read"], "token_ttl": 60, "bind_secret_id": True}),
    ("auth/approle/role/roe", {"token_ttl": 90}),
]
"""Requests of the provider, with the fields that it sends."""

TOKEN = {
    "policies": [f"{PATH}/write"],
    "no_parent": True,
    "display_name": "roe",
    "ttl": "1h",
    "num_uses": 0,
    "type": "",
}


def write(client: hvac.Client, path: str, **body: Any) -> Any:
    return client.write_data(path, data=body)


def test_operators_and_previews_can_read_what_was_created(
    empty_vault: OpenBao, target: Environment, operator: hvac.Client
) -> None:
    preview = hvac.Client(url=empty_vault.url, token=empty_vault.token(vault_policy.preview(target, SETTINGS, "roe")))
    for client in (operator, preview):
        for path in (
            *("sys/mounts/kv-v2", "kv-v2/config", "sys/mounts/auth/approle", "sys/mounts/auth/approle/tune"),
            *(f"sys/policies/acl/{PATH}/read", "auth/approle/role/roe", "auth/approle/role/roe/role-id"),
        ):
            assert client.adapter.get(f"/v1/{path}")["data"], path


def test_an_operator_manages_secret_ids_and_tokens(operator: hvac.Client) -> None:
    created = write(operator, "auth/approle/role/roe/secret-id", metadata="")["data"]
    accessor = {"secret_id_accessor": created["secret_id_accessor"]}
    assert write(operator, "auth/approle/role/roe/secret-id-accessor/lookup", **accessor)["data"]
    write(operator, "auth/approle/role/roe/secret-id-accessor/destroy", **accessor)
    token = write(operator, "auth/token/create", **TOKEN, renewable=True, entity_alias="")["auth"]
    assert write(operator, "auth/token/lookup-accessor", accessor=token["accessor"])["data"]["orphan"]
    write(operator, "auth/token/renew", token=token["client_token"], increment="3600s")
    write(operator, "auth/token/revoke-accessor", accessor=token["accessor"])


def test_a_preview_renews_the_write_token_but_creates_and_revokes_none(
    empty_vault: OpenBao, target: Environment, operator: hvac.Client
) -> None:
    token = write(operator, "auth/token/create", **TOKEN, renewable=True)["auth"]
    preview = hvac.Client(url=empty_vault.url, token=empty_vault.token(vault_policy.preview(target, SETTINGS, "roe")))
    # A refresh removes the token from the state if one of these fails (terraform-provider-vault: resource_token.go).
    assert write(preview, "auth/token/lookup-accessor", accessor=token["accessor"])["data"]
    assert write(preview, "auth/token/renew", token=token["client_token"], increment=7200)["auth"]
    for path, body in (("create", TOKEN), ("revoke-accessor", {"accessor": token["accessor"]})):
        with pytest.raises(hvac.exceptions.Forbidden):
            write(preview, f"auth/token/{path}", **body)


def test_an_operator_manages_the_secrets_of_the_environment(operator: hvac.Client) -> None:
    kv = operator.secrets.kv.v2
    for value in ("first", "second"):
        kv.create_or_update_secret(f"{PATH}/tap", {"key": value}, mount_point="kv-v2")
    assert kv.list_secrets(PATH, mount_point="kv-v2")["data"]["keys"] == ["tap"]
    assert kv.read_secret_metadata(f"{PATH}/tap", mount_point="kv-v2")["data"]["current_version"] == 2
    kv.delete_latest_version_of_secret(f"{PATH}/tap", mount_point="kv-v2")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("sys/mounts/other", {"type": "kv"}),
        ("sys/mounts/kv-v2", {"type": "transit"}),
        ("sys/auth/approle", {"type": "userpass"}),
        ("sys/policies/acl/other", {"policy": READ}),
        (f"sys/policies/acl/{PATH}/write", {"policy": 'path "*" { capabilities = ["sudo"] }'}),
        (f"sys/policies/acl/{PATH}/write", {"policy": f"{WRITE} "}),
        ("auth/approle/role/other", {"token_policies": [f"{PATH}/read"]}),
        ("auth/approle/role/roe", {"token_policies": ["other"]}),
        ("auth/approle/role/roe", {"TOKEN_POLICIES": ["other"]}),
        ("auth/approle/role/roe", {"policies": ["other"]}),
        ("auth/approle/role/roe/policies", {"token_policies": ["other"]}),
        ("auth/token/create", {"no_parent": True}),
        ("auth/token/create", {**TOKEN, "policies": ["other"]}),
        ("auth/token/create", {**TOKEN, "Policies": ["other"]}),
        ("auth/token/create", {**TOKEN, "policies": [f"{PATH}/write", "other"]}),
        ("auth/token/create-orphan", TOKEN),
        ("auth/token/roles/roe", {"allowed_policies": ["other"]}),
        ("kv-v2/data/k8s_operator/other/tap", {"data": {"key": "value"}}),
    ],
)
def test_a_token_cannot_extend_its_permissions(operator: hvac.Client, path: str, body: dict[str, Any]) -> None:
    with pytest.raises(hvac.exceptions.Forbidden):
        operator.write_data(path, data=body)


def test_other_environments_cannot_be_listed(operator: hvac.Client) -> None:
    for path in ("k8s_operator", "k8s_operator/other"):
        with pytest.raises(hvac.exceptions.Forbidden):
            operator.secrets.kv.v2.list_secrets(path, mount_point="kv-v2")


@pytest.mark.parametrize("preview", [True, False])
def test_the_preflight_accepts_the_policies(
    empty_vault: OpenBao, target: Environment, operator: hvac.Client, preview: bool
) -> None:
    assert list(vault_access.check(operator, target, SETTINGS, preview=preview)) == []
    reader = hvac.Client(url=empty_vault.url, token=empty_vault.token(vault_policy.preview(target, SETTINGS, "roe")))
    (problem,) = vault_access.check(reader, target, SETTINGS, preview=preview)
    assert problem.fatal is not preview


@pytest.mark.parametrize(
    ("file", "render", "option"),
    [
        ("docs/vault-operator-policy.hcl", vault_policy.operator, ""),
        (".github/vault-preview-policy.hcl", vault_policy.preview, " --preview"),
    ],
)
def test_the_committed_policies_are_up_to_date(
    file: str, render: Callable[[Environment, Vault, str], str], option: str
) -> None:
    found = environment.load(ROOT / "tests/conformance/data/lsst-uk", "roe")
    text = render(found, load_file(ROOT / "Pulumi.roe.yaml", StackConfig).vault, "roe")
    assert (ROOT / file).read_text() == text, f"python -m operations vault-policy -s roe{option} > {file}"


def test_what_was_created_can_be_deleted(operator: hvac.Client) -> None:
    for path in (f"sys/policies/acl/{PATH}/read", "auth/approle/role/roe", "sys/auth/approle", "sys/mounts/kv-v2"):
        operator.delete(path)
