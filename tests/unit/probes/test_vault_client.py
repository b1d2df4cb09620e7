import pytest

from probes import vault_client
from probes.vault_client import VaultTokenError

TOKEN = "hvs.planted-5f1c9d"


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", TOKEN)


@pytest.mark.parametrize("address", ["https://vault.example.org", "http://127.0.0.1:8200", "http://localhost:8200"])
def test_encrypted_and_loopback_addresses_are_accepted(address: str) -> None:
    assert vault_client.connect(address).url == address


@pytest.mark.parametrize("address", ["http://vault.example.org", "http://192.0.2.1:8200", "vault.example.org:8200"])
def test_unencrypted_addresses_are_refused(address: str) -> None:
    with pytest.raises(VaultTokenError, match="unencrypted: configure a certificate"):
        vault_client.connect(address)


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f" {TOKEN}", f"{TOKEN} x", f"{TOKEN}ö", f"{TOKEN}→"])
def test_an_invalid_token_is_not_repeated_in_the_message(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", token)
    with pytest.raises(VaultTokenError) as caught:
        vault_client.connect("https://vault.example.org")
    assert str(caught.value) == (
        "VAULT_TOKEN contains a space, a line break or a character that is not ASCII: set it to the token alone"
    )
    assert "planted" not in repr(caught.value)


def test_the_second_vault_has_a_namespace_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_NAMESPACE", "rsp")
    monkeypatch.setenv("VAULT_SOURCE_TOKEN", TOKEN)
    address = "https://vault.example.org"
    assert vault_client.connect(address).adapter.namespace == "rsp"
    assert vault_client.connect(address, variable="VAULT_SOURCE_TOKEN").adapter.namespace is None
    monkeypatch.setenv("VAULT_SOURCE_NAMESPACE", "old")
    assert vault_client.connect(address, variable="VAULT_SOURCE_TOKEN").adapter.namespace == "old"
