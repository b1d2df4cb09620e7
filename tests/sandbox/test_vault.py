"""The secrets in Vault: who may read them, and that the cluster has what Vault has."""

import base64
from typing import Any

import hvac
import hvac.exceptions
import pytest

from sandbox.ports import Port
from tests.sandbox.objects import Objects

READ_POLICY = """\
path "secret/data/phalanx/sandbox/+" {
  capabilities = ["read"]
}
path "secret/metadata/phalanx/sandbox/+" {
  capabilities = ["list", "read"]
}"""
"""phalanx, src/phalanx/data/vault-read-policy.hcl.jinja, for this environment."""


@pytest.fixture(scope="module")
def reader(objects: Objects) -> hvac.Client:
    """Vault with the very ids that the operator in the cluster has."""
    ids = _decoded(objects.one("v1", "Secret", "vault-credentials", "vault-secrets-operator"))
    reader = hvac.Client(url=Port.VAULT.url)
    reader.auth.approle.login(role_id=ids["VAULT_ROLE_ID"], secret_id=ids["VAULT_SECRET_ID"])
    return reader


def test_the_read_policy_is_word_for_word_phalanxs(vault: hvac.Client) -> None:
    read = vault.adapter.get("/v1/sys/policies/acl/phalanx/sandbox/read")
    assert read["data"]["policy"] == READ_POLICY


def test_the_role_has_the_read_policy_alone(vault: hvac.Client) -> None:
    role = vault.auth.approle.read_role("sandbox")["data"]
    assert role["token_policies"] == ["phalanx/sandbox/read"]
    assert role["token_type"] == "service"
    assert 0 < role["token_ttl"] <= role["token_max_ttl"]


def test_the_cluster_may_read_its_secrets(reader: hvac.Client) -> None:
    assert _in_vault(reader, "gafaelfawr")["bootstrap-token"].startswith("gt-")


@pytest.mark.parametrize("path", ["phalanx/elsewhere/gafaelfawr", "phalanx/sandbox", "other"])
def test_the_cluster_may_read_nothing_else(reader: hvac.Client, path: str) -> None:
    with pytest.raises(hvac.exceptions.Forbidden):
        reader.secrets.kv.v2.read_secret_version(path, mount_point="secret", raise_on_deleted_version=True)


def test_the_cluster_may_write_nothing(reader: hvac.Client) -> None:
    with pytest.raises(hvac.exceptions.Forbidden):
        reader.secrets.kv.v2.create_or_update_secret("phalanx/sandbox/tap", {"a": "b"}, mount_point="secret")
    with pytest.raises(hvac.exceptions.Forbidden):
        reader.adapter.get("/v1/sys/policies/acl/phalanx/sandbox/read")
    with pytest.raises(hvac.exceptions.Forbidden):
        reader.secrets.kv.v2.delete_metadata_and_all_versions("phalanx/sandbox/tap", mount_point="secret")


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


def test_the_clusters_secrets_are_vaults_key_by_key(vault: hvac.Client, objects: Objects) -> None:
    declared = objects.all("ricoberger.de/v1alpha1", "VaultSecret")
    plain = [each for each in declared if not each["spec"].get("templates")]
    assert plain
    for each in plain:
        name, namespace = each["metadata"]["name"], each["metadata"]["namespace"]
        expected = _in_vault(vault, each["spec"]["path"].removeprefix("secret/phalanx/sandbox/"))
        keys = each["spec"].get("keys") or expected
        held = _decoded(objects.one("v1", "Secret", name, namespace))
        assert held == {key: expected[key] for key in keys}, f"{namespace}/{name}"


def _decoded(secret: dict[str, Any]) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


def _in_vault(vault: hvac.Client, application: str) -> dict[str, str]:
    read = vault.secrets.kv.v2.read_secret_version(
        f"phalanx/sandbox/{application}", mount_point="secret", raise_on_deleted_version=True
    )
    values: dict[str, str] = read["data"]["data"]
    return values
