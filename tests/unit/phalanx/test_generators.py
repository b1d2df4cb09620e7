import base64
import json
import re
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import bcrypt
import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given
from hypothesis import strategies as st

from phalanx.generators import GeneratorType, OidcClient, generate, oidc_clients

FORMS = {
    GeneratorType.PASSWORD: r"[0-9a-f]{64}",
    GeneratorType.GAFAELFAWR_TOKEN: r"gt-[\w-]{22}\.[\w-]{22}",
    GeneratorType.FERNET_KEY: r"[\w-]{43}=",
}


@pytest.mark.parametrize("generator", FORMS)
def test_random_values_have_the_right_format_and_differ(generator: GeneratorType) -> None:
    values = {generate(generator) for _ in range(200)}
    assert len(values) == 200
    for value in values:
        assert re.fullmatch(FORMS[generator], value)


def test_a_token_is_two_times_sixteen_bytes() -> None:
    key, secret = generate(GeneratorType.GAFAELFAWR_TOKEN).removeprefix("gt-").split(".")
    assert len(base64.urlsafe_b64decode(key + "==")) == len(base64.urlsafe_b64decode(secret + "==")) == 16


def test_a_fernet_key_encrypts() -> None:
    fernet = Fernet(generate(GeneratorType.FERNET_KEY))
    assert fernet.decrypt(fernet.encrypt(b"session")) == b"session"


def test_an_rsa_key_is_pkcs8_of_2048_bits_without_a_passphrase() -> None:
    pem = generate(GeneratorType.RSA_PRIVATE_KEY)
    assert pem.startswith("-----BEGIN PRIVATE KEY-----\n")
    key = load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, RSAPrivateKey)
    assert (key.key_size, key.public_key().public_numbers().e) == (2048, 65537)


def test_a_hash_with_fifteen_rounds_matches_its_source_only(monkeypatch: pytest.MonkeyPatch) -> None:
    # The salt has the number of rounds: with the fewest, the hash is the same function, but takes no seconds.
    gensalt = Mock(return_value=bcrypt.gensalt(4))
    monkeypatch.setattr(bcrypt, "gensalt", gensalt)
    value = generate(GeneratorType.BCRYPT_PASSWORD_HASH, "password")
    gensalt.assert_called_once_with(rounds=15)
    assert re.fullmatch(r"\$2b\$04\$[./A-Za-z0-9]{53}", value)
    assert bcrypt.checkpw(b"password", value.encode())
    assert not bcrypt.checkpw(b"passwort", value.encode())


def test_a_password_too_long_for_bcrypt_is_rejected_without_quoting_it() -> None:
    with pytest.raises(ValueError, match="more than 72 bytes") as caught:
        generate(GeneratorType.BCRYPT_PASSWORD_HASH, "hunter2" * 20)
    assert "hunter2" not in str(caught.value)


def test_mtime_is_the_current_time_in_utc() -> None:
    value = datetime.strptime(generate(GeneratorType.MTIME, "password"), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert abs(datetime.now(UTC) - value) < timedelta(seconds=5)


@pytest.mark.parametrize("generator", [one for one in GeneratorType if one.needs_source])
@pytest.mark.parametrize("source", [None, ""])
def test_a_derived_value_requires_its_source(generator: GeneratorType, source: str | None) -> None:
    with pytest.raises(ValueError, match=f"{generator} requires the value of its source"):
        generate(generator, source)


def test_oidc_clients_are_not_generated_without_clients() -> None:
    with pytest.raises(ValueError, match="oidc-clients is generated from the clients"):
        generate(GeneratorType.OIDC_CLIENTS)


CLIENTS = st.dictionaries(
    st.text(max_size=5), st.builds(OidcClient, id=st.text(), secret=st.text(), return_uri=st.text()), max_size=4
)


@given(CLIENTS)
def test_clients_are_a_json_list_ordered_by_name(clients: dict[str, OidcClient]) -> None:
    assert json.loads(oidc_clients(clients)) == [
        {"id": clients[name].id, "secret": clients[name].secret, "return_uri": clients[name].return_uri}
        for name in sorted(clients)
    ]


def test_no_clients_are_an_empty_list() -> None:
    assert oidc_clients({}) == "[]"


def test_only_clients_are_always_generated() -> None:
    assert [one for one in GeneratorType if one.always_generated] == [GeneratorType.OIDC_CLIENTS]
