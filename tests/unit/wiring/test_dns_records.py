import pytest

from config.stack_config import StackConfig
from tests.unit.sample import environment
from wiring.dns_records import Alias, challenge_alias, lines

HOST = "rsp.example.org"
ADDRESS = f"{HOST}. IN A 203.0.113.16"


def letsencrypt(**challenge: str) -> StackConfig:
    return environment(tls={"kind": "letsencrypt", "email": "rsp@example.org", "challenge": challenge})


@pytest.mark.parametrize("zone", ["example.org", "rsp.example.org", "_acme-challenge.rsp.example.org"])
def test_a_zone_that_contains_the_challenge_needs_no_alias(zone: str) -> None:
    assert challenge_alias(HOST, letsencrypt(kind="designate", zone=zone)) is None


@pytest.mark.parametrize("zone", ["acme.example.org", "example.com", "sp.example.org"])
def test_another_zone_needs_an_alias_with_a_name_of_its_own(zone: str) -> None:
    alias = challenge_alias(HOST, letsencrypt(kind="designate", zone=zone))
    assert alias == Alias("_acme-challenge.rsp.example.org", f"rsp.example.org.{zone}")
    assert lines(HOST, "203.0.113.16", alias) == [
        ADDRESS,
        f"_acme-challenge.rsp.example.org. IN CNAME rsp.example.org.{zone}.",
    ]


@pytest.mark.parametrize("config", [environment(), environment(tls={"kind": "vault"}), letsencrypt(kind="http01")])
def test_other_certificates_need_only_the_address(config: StackConfig) -> None:
    assert lines(HOST, "203.0.113.16", challenge_alias(HOST, config)) == [ADDRESS]
