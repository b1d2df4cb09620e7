"""The simulated vault-secrets-operator logs in as the real one does."""

from types import SimpleNamespace

import pytest

from sandbox.cluster import vault_reader, vault_secrets
from sandbox.cluster.vault_reader import ReadError, VaultReader
from tests.openbao import OpenBao

PATH = "secret/sandbox/tap"
LEASE = 3600
"""Seconds for which a token is valid."""


@pytest.fixture(scope="module")
def bao(empty_vault: OpenBao) -> OpenBao:
    """Return a Vault with a secret, and with an AppRole that can read it."""
    root = empty_vault.root
    empty_vault.mount_kv("secret")
    root.secrets.kv.v2.create_or_update_secret("sandbox/tap", {"key": "value"}, mount_point="secret")
    root.sys.create_or_update_acl_policy("reader", 'path "secret/data/*" { capabilities = ["read"] }')
    root.sys.enable_auth_method("approle")
    root.auth.approle.create_or_update_approle("operator", token_policies=["reader"], token_ttl=f"{LEASE}s")
    return empty_vault


@pytest.fixture
def variables(bao: OpenBao) -> dict[str, str]:
    """Return the variables of the operator's Pod."""
    approle = bao.root.auth.approle
    return {
        "VAULT_ADDRESS": bao.url,
        "VAULT_AUTH_METHOD": "approle",
        "VAULT_ROLE_ID": approle.read_role_id("operator")["data"]["role_id"],
        "VAULT_SECRET_ID": approle.generate_secret_id("operator")["data"]["secret_id"],
    }


def test_a_rejected_token_is_replaced_only_when_its_lease_is_half_over(
    bao: OpenBao, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(vault_reader, "time", SimpleNamespace(monotonic=lambda: now))
    reader = VaultReader(variables)
    assert reader.read(PATH) == {"key": b"value"}
    bao.root.sys.revoke_prefix("auth/approle")
    for passed in (0, LEASE / 2 - 1):
        now = 1000 + passed
        with pytest.raises(ReadError, match="permission denied"):
            reader.read(PATH)
    now = 1000 + LEASE / 2
    assert reader.read(PATH) == {"key": b"value"}


def test_the_first_login_is_repeated_like_the_start_of_a_container(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right, waited = variables["VAULT_SECRET_ID"], []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            variables["VAULT_SECRET_ID"] = right

    monkeypatch.setattr(vault_secrets, "time", SimpleNamespace(sleep=sleep))
    variables["VAULT_SECRET_ID"] = "wrong"
    assert vault_secrets.logged_in(variables).read(PATH) == {"key": b"value"}
    assert waited == [vault_secrets.RESTART_SECONDS] * 2
