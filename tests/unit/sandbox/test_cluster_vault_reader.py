"""The simulated vault-secrets-operator reads a Vault with a certificate of a private CA as the real one does."""

from pathlib import Path

import pytest

from sandbox.cluster.vault_reader import ReadError, VaultReader
from tests.openbao import OpenBao


def test_the_authority_is_read_from_the_environment(private_vault: OpenBao) -> None:
    bao = private_vault
    bao.mount_kv("secret")
    bao.root.secrets.kv.v2.create_or_update_secret("sandbox/tap", {"key": "value"}, mount_point="secret")
    environment = {"VAULT_ADDRESS": bao.url, "VAULT_TOKEN": bao.root_token}
    with pytest.raises(ReadError, match=r"certificate verify failed"):
        VaultReader(environment).read("secret/sandbox/tap")
    trusting = VaultReader({**environment, "VAULT_CACERT_BYTES": Path(str(bao.ca_file)).read_text()})
    assert trusting.read("secret/sandbox/tap") == {"key": b"value"}
