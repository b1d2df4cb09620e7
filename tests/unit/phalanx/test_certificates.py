import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization

from phalanx import certificates
from phalanx.certificates import CertificateError
from sandbox.site_certificate import issue

HOST = "rsp.example.org"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
BEGINS, ENDS = NOW - timedelta(days=30), NOW + timedelta(days=60)

CHAIN, KEY = issue(HOST, BEGINS, ENDS)
OTHER_CHAIN, OTHER_KEY = issue(HOST, BEGINS, ENDS)
OWN, AUTHORITY = (f"{each}-----END CERTIFICATE-----\n" for each in CHAIN.split("-----END CERTIFICATE-----\n")[:2])


def encrypted(pem: str) -> str:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    encryption = serialization.BestAvailableEncryption(b"passphrase")
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption).decode()


def problems(chain: str, key: str, host: str = HOST, now: datetime = NOW) -> list[str]:
    with pytest.raises(CertificateError) as raised:
        certificates.check(chain, key, host, now)
    return list(raised.value.problems)


def test_a_valid_certificate_is_parsed() -> None:
    found = certificates.check(CHAIN, KEY, HOST, NOW)
    assert certificates.rfc3339(found.expires) == "2026-07-31T12:00:00Z"
    assert found.names == (HOST,)
    assert found.is_same(certificates.parse(OWN))
    assert not found.is_same(certificates.parse(OTHER_CHAIN))


def test_a_missing_issuer_is_detected() -> None:
    assert certificates.parse(OWN).lacks_issuer
    assert not certificates.parse(CHAIN).lacks_issuer
    assert not certificates.parse(AUTHORITY).lacks_issuer  # it is its own issuer


def test_the_chain_expires_with_its_first_certificate_to_expire() -> None:
    late = certificates.parse(issue(HOST, BEGINS, ENDS + timedelta(days=900))[0])
    early = certificates.parse(CHAIN)
    assert certificates.Certificate([late.chain[0], early.chain[1]]).expires == ENDS


@pytest.mark.parametrize(
    ("name", "host", "covered"),
    [
        ("rsp.example.org", "RSP.example.org", True),
        ("*.example.org", "rsp.example.org", True),
        ("*.example.org", "nb.rsp.example.org", False),
        ("*.example.org", "example.org", False),
        ("example.org", "rsp.example.org", False),
        ("*.org", "rsp.example.org", False),
    ],
)
def test_a_wildcard_matches_one_label(name: str, host: str, covered: bool) -> None:
    assert certificates.parse(issue(name, BEGINS, ENDS)[0]).covers(host) is covered


BROKEN: dict[str, tuple[str, str, str]] = {
    "no certificate": ("", KEY, "tls.crt: is missing"),
    "something else": ("not PEM", KEY, "tls.crt: is not PEM"),
    "one line": (CHAIN.replace("\n", " "), KEY, "tls.crt: has lost its line breaks"),
    "escaped line breaks": (CHAIN.replace("\n", "\\n"), KEY, "tls.crt: has lost its line breaks"),
    "base64 for 1Password": (base64.b64encode(CHAIN.encode()).decode(), KEY, "tls.crt: is encoded in base64"),
    "damaged certificate": (CHAIN.replace("MII", "MIJ"), KEY, "tls.crt: contains no valid certificate"),
    "no key": (CHAIN, "", "tls.key: is missing"),
    "key in one line": (CHAIN, KEY.replace("\n", ""), "tls.key: has lost its line breaks"),
    "encrypted key": (CHAIN, encrypted(KEY), "tls.key: is encrypted"),
    "damaged key": (CHAIN, KEY.replace("MIG", "MIH"), "tls.key: contains no valid private key"),
    "certificate instead of the key": (CHAIN, CHAIN, "tls.key: contains no private key; is it the certificate?"),
    "another key": (CHAIN, OTHER_KEY, f"tls.key: does not match the certificate in tls.crt (CN={HOST})"),
    "authority of another": (OWN + OTHER_CHAIN, KEY, f"tls.crt: CN={HOST} is followed by CN={HOST}, which has not"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_defect_is_reported_in_one_message(case: str) -> None:
    chain, key, expected = BROKEN[case]
    (problem,) = problems(chain, key)
    assert problem.startswith(expected)
    assert KEY.splitlines()[1] not in problem


def test_the_order_of_the_chain_is_checked() -> None:
    assert any("tls.crt: certificates are in the wrong order" in each for each in problems(AUTHORITY + OWN, KEY))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (ENDS, "expired on 2026-07-31T12:00:00Z: renew it"),
        (BEGINS - timedelta(seconds=1), "is not valid before 2026-05-02T12:00:00Z"),
    ],
)
def test_the_validity_period_is_checked(now: datetime, expected: str) -> None:
    found = problems(CHAIN, KEY, now=now)
    assert len(found) == 2  # the authority's certificate as well
    assert expected in found[0]


def test_all_problems_are_reported_together() -> None:
    found = problems(CHAIN, OTHER_KEY, host="elsewhere.example.org", now=ENDS)
    assert "tls.crt: is valid for rsp.example.org, expected elsewhere.example.org" in found
    assert len(found) == 4


@pytest.mark.parametrize("break_key", [lambda key: key[:-30], lambda key: key.replace("\n", " ")])
def test_no_message_contains_the_key(break_key: Callable[[str], str]) -> None:
    secret = KEY.splitlines()[1]
    assert not [each for each in problems(CHAIN, break_key(KEY)) if secret[:20] in each]
