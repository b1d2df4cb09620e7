"""DNS records that the platform's name needs."""

from typing import NamedTuple

from config.stack_config import StackConfig
from config.tls import Designate, LetsEncrypt


class Alias(NamedTuple):
    """A CNAME record; names have no final dot."""

    name: str
    target: str


def challenge_alias(host: str, config: StackConfig) -> Alias | None:
    """Return the record that leads cert-manager from the challenge's name to its zone; None if that is not needed.

    Source: RFC 8555, section 8.4; cert-manager follows the record (``cnameStrategy: Follow``).

    Args:
        host: The platform's name.
        config: The stack configuration.
    """
    tls = config.tls
    if not isinstance(tls, LetsEncrypt) or not isinstance(tls.challenge, Designate):
        return None
    name, zone = f"_acme-challenge.{host}", tls.challenge.zone
    # The whole name is part of the target, as several platforms may share the zone.
    return None if contains(zone, name) else Alias(name, f"{host}.{zone}")


def contains(zone: str, name: str) -> bool:
    """Return whether a name is that of a zone, or below it."""
    return name == zone or name.endswith(f".{zone}")


def lines(host: str, address: str, alias: Alias | None) -> list[str]:
    """Return the records as lines of a zone file (RFC 1035, section 5.1).

    Args:
        host: The platform's name.
        address: Its IPv4 address.
        alias: The record of the ACME challenge.
    """
    return [f"{host}. IN A {address}", *([f"{alias.name}. IN CNAME {alias.target}."] if alias else [])]
