"""Secrets in Vault: permissions, and copies in the cluster."""

from datetime import UTC, datetime, timedelta
from typing import Any

import hvac
import hvac.exceptions
import pytest

from config.stack_config import StackConfig
from sandbox.ports import Port
from tests.sandbox.objects import Objects
from tests.sandbox.program import Program

READ_POLICY = """\
path "secret/data/phalanx/sandbox/+" {
  capabilities = ["read"]
}
path "secret/metadata/phalanx/sandbox/+" {
  capabilities = ["list", "read"]
}"""
"""phalanx, src/phalanx/data/vault-read-policy.hcl.jinja, for this environment."""


WRITE_POLICY = "\n".join(
    f'path "secret/{path}" {{\n  capabilities = [{capabilities}]\n}}'
    for path, capabilities in {
        "data/phalanx/sandbox": '"create", "delete", "read", "update"',
        "data/phalanx/sandbox/+": '"create", "delete", "read", "update"',
        "metadata/phalanx/sandbox": '"delete", "list", "read", "update"',
        "metadata/phalanx/sandbox/+": '"delete", "list", "read", "update"',
        "delete/phalanx/sandbox/+": '"update"',
        "destroy/phalanx/sandbox/+": '"update"',
        "undelete/phalanx/sandbox/+": '"update"',
    }.items()
)
"""phalanx, src/phalanx/data/vault-write-policy.hcl.jinja, for this environment."""


@pytest.fixture(scope="module")
def reader(objects: Objects) -> hvac.Client:
    """Return a client for Vault with the credentials of the cluster's operator."""
    ids = objects.secret("vault-credentials", "vault-secrets-operator")
    reader = hvac.Client(url=Port.VAULT.url)
    reader.auth.approle.login(role_id=ids["VAULT_ROLE_ID"], secret_id=ids["VAULT_SECRET_ID"])
    return reader


def test_the_read_policy_has_phalanxs_exact_text(vault: hvac.Client) -> None:
    read = vault.adapter.get("/v1/sys/policies/acl/phalanx/sandbox/read")
    assert read["data"]["policy"] == READ_POLICY


def test_the_write_token_passes_phalanxs_audit(vault: hvac.Client, vault_root: hvac.Client) -> None:
    """The checks of ``phalanx vault audit`` (_audit_write_token in src/phalanx/services/vault.py) succeed."""
    write: Any = vault.adapter.get("/v1/sys/policies/acl/phalanx/sandbox/write")
    assert write["data"]["policy"] == WRITE_POLICY
    listed: Any = vault_root.list("auth/token/accessors")
    found = [_token(vault_root, accessor) for accessor in listed["data"]["keys"]]
    # A killed run may leave another one, until it expires.
    tokens = [each for each in found if each and each["display_name"] == "token-sandbox"]
    assert tokens
    for token in tokens:
        assert set(token["policies"]) - {"default"} == {"phalanx/sandbox/write"}
        left = datetime.fromisoformat(token["expire_time"]) - datetime.now(UTC)
        assert timedelta(days=7) < left < timedelta(days=31)


def _token(root: hvac.Client, accessor: str) -> dict[str, Any] | None:
    try:
        data: dict[str, Any] = root.auth.token.lookup_accessor(accessor)["data"]
    except hvac.exceptions.InvalidRequest:
        return None  # it has expired in the meantime
    return data


def test_the_role_has_only_the_read_policy(vault: hvac.Client) -> None:
    role = vault.auth.approle.read_role("sandbox")["data"]
    assert role["token_policies"] == ["phalanx/sandbox/read"]
    assert role["token_type"] == "service"
    assert 0 < role["token_ttl"] <= role["token_max_ttl"]


def test_the_cluster_can_read_its_secrets(reader: hvac.Client) -> None:
    assert _in_vault(reader, "gafaelfawr")["bootstrap-token"].startswith("gt-")


@pytest.mark.parametrize("path", ["phalanx/elsewhere/gafaelfawr", "phalanx/sandbox", "other"])
def test_the_cluster_cannot_read_other_paths(reader: hvac.Client, path: str) -> None:
    with pytest.raises(hvac.exceptions.Forbidden):
        reader.secrets.kv.v2.read_secret_version(path, mount_point="secret", raise_on_deleted_version=True)


@pytest.mark.parametrize("path", ["", "phalanx", "phalanx/elsewhere"])
def test_the_cluster_cannot_list_other_environments(reader: hvac.Client, path: str) -> None:
    with pytest.raises(hvac.exceptions.Forbidden):
        reader.secrets.kv.v2.list_secrets(path, mount_point="secret")


@pytest.mark.parametrize(
    "path",
    [
        *("sys/policies/acl/phalanx/sandbox/read", "sys/mounts", "sys/auth", "auth/token/accessors"),
        *("auth/approle/role/sandbox", "auth/approle/role/sandbox/role-id"),
    ],
)
def test_the_cluster_cannot_read_permissions(reader: hvac.Client, path: str) -> None:
    with pytest.raises(hvac.exceptions.Forbidden):
        reader.adapter.get(f"/v1/{path}")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("secret/data/phalanx/sandbox/tap", {"data": {"a": "b"}}),
        ("secret/delete/phalanx/sandbox/tap", {"versions": [1]}),
        ("secret/metadata/phalanx/sandbox/tap", {"max_versions": 1}),
        ("auth/token/create", {"policies": ["phalanx/sandbox/read"]}),
        ("auth/token/create", {"no_parent": True}),
        ("auth/token/create-orphan", {}),
        ("auth/approle/role/sandbox/secret-id", {}),
        ("auth/approle/role/sandbox", {"token_policies": ["phalanx/sandbox/write"]}),
        ("sys/policies/acl/phalanx/sandbox/read", {"policy": READ_POLICY}),
    ],
)
def test_the_cluster_cannot_write(reader: hvac.Client, path: str, body: dict[str, Any]) -> None:
    with pytest.raises(hvac.exceptions.Forbidden):
        reader.write_data(path, data=body)


def test_the_cluster_cannot_delete(reader: hvac.Client) -> None:
    with pytest.raises(hvac.exceptions.Forbidden):
        reader.secrets.kv.v2.delete_metadata_and_all_versions("phalanx/sandbox/tap", mount_point="secret")


def test_the_clusters_token_lives_as_long_as_configured(reader: hvac.Client, settings: StackConfig) -> None:
    token = reader.auth.token.lookup_self()["data"]
    assert token["creation_ttl"] == settings.vault.approle.token_ttl
    assert 0 < token["ttl"] <= token["creation_ttl"]
    assert token["renewable"]
    assert (token["type"], token["orphan"], token.get("period")) == ("service", True, None)
    assert set(token["policies"]) == {"default", "phalanx/sandbox/read"}


def test_renewals_are_limited_by_the_configured_maximum(reader: hvac.Client, settings: StackConfig) -> None:
    longest = settings.vault.approle.token_max_ttl
    renewed = reader.auth.token.renew_self(increment=f"{longest + 3600}s")["auth"]
    assert 0 < renewed["lease_duration"] <= longest


def test_the_programs_token_is_not_a_root_token(vault: hvac.Client) -> None:
    token = vault.auth.token.lookup_self()["data"]
    assert set(token["policies"]) == {"default", "sandbox-operator"}
    assert token["ttl"] > 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("sys/policies/acl/sandbox-operator", {"policy": 'path "*" { capabilities = ["sudo"] }'}),
        ("sys/policies/acl/phalanx/sandbox/write", {"policy": 'path "*" { capabilities = ["sudo"] }'}),
        ("auth/token/create", {"policies": ["root"]}),
        ("auth/token/create", {"policies": ["sandbox-operator"], "no_parent": True}),
        ("auth/approle/role/sandbox", {"token_policies": ["sandbox-operator"]}),
        ("auth/approle/role/another", {"token_policies": ["phalanx/sandbox/read"]}),
        ("sys/mounts/another", {"type": "kv"}),
        ("secret/data/phalanx/elsewhere/tap", {"data": {"a": "b"}}),
    ],
)
def test_the_program_cannot_extend_its_permissions(vault: hvac.Client, path: str, body: dict[str, Any]) -> None:
    with pytest.raises(hvac.exceptions.Forbidden):
        vault.write_data(path, data=body)


def test_a_changed_policy_stops_the_program_until_it_is_deleted(
    program: Program, vault: hvac.Client, vault_root: hvac.Client
) -> None:
    path = "/v1/sys/policies/acl/phalanx/sandbox/read"
    vault_root.sys.create_or_update_acl_policy(
        "phalanx/sandbox/read", READ_POLICY.replace('["read"]', '["read", "list"]')
    )
    try:
        with pytest.raises(AssertionError, match="`vault policy delete phalanx/sandbox/read` and"):
            program.run("up")
    finally:
        # The commands in the message work with the program's own token.
        vault.adapter.delete(path)
    program.run("refresh")
    program.run("up")
    assert vault.adapter.get(path)["data"]["policy"] == READ_POLICY


def test_no_secret_is_empty(vault: hvac.Client) -> None:
    listed = vault.secrets.kv.v2.list_secrets("phalanx/sandbox", mount_point="secret")["data"]["keys"]
    assert {"argocd", "gafaelfawr", "nublado", "postgres", "pull-secret", "tap"} <= set(listed)
    for name in listed:
        values = _in_vault(vault, name)
        assert values
        assert [key for key, value in values.items() if not value] == []


def test_copies_are_equal_and_generated_values_are_not(vault: hvac.Client) -> None:
    gafaelfawr, postgres = _in_vault(vault, "gafaelfawr"), _in_vault(vault, "postgres")
    assert postgres["gafaelfawr_password"] == gafaelfawr["database-password"]
    assert len({postgres["root_password"], gafaelfawr["database-password"], gafaelfawr["redis-password"]}) == 3


def test_the_keys_of_tap_are_credentials_of_the_tenant(vault: hvac.Client, tenant: Any) -> None:
    tap = _in_vault(vault, "tap")
    found = tenant.identity.get(f"/users/{tenant.current_user_id}/credentials/OS-EC2").json()["credentials"]
    keys = {(each["access"], each["secret"]) for each in found}
    assert (tap["AWS_ACCESS_KEY_ID"], tap["AWS_SECRET_ACCESS_KEY"]) in keys


def test_the_clusters_secrets_match_vaults(vault: hvac.Client, objects: Objects) -> None:
    declared = objects.all("ricoberger.de/v1alpha1", "VaultSecret")
    plain = [each for each in declared if not each["spec"].get("templates")]
    assert plain
    for each in plain:
        name, namespace = each["metadata"]["name"], each["metadata"]["namespace"]
        expected = _in_vault(vault, each["spec"]["path"].removeprefix("secret/phalanx/sandbox/"))
        keys = each["spec"].get("keys") or expected
        held = objects.secret(name, namespace)
        assert held == {key: expected[key] for key in keys}, f"{namespace}/{name}"


def _in_vault(vault: hvac.Client, application: str) -> dict[str, str]:
    read = vault.secrets.kv.v2.read_secret_version(
        f"phalanx/sandbox/{application}", mount_point="secret", raise_on_deleted_version=True
    )
    values: dict[str, str] = read["data"]["data"]
    return values
