"""Each kind of value that cannot be right in the Vault project is refused with its key."""

from typing import Any

import pytest

from tests.unit.config.refusals import refusals
from tests.unit.sample import vault_stack


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        ("host", "203.0.113.9", "is an IP address: must be a host name in lower case"),
        ("host", "vault_1.example.org", "is not valid: must be a host name"),
        ("host", f"{'a' * 64}.example.org", "is not valid: must be a host name"),
        ("server.backups", 10**6, "must be at most 1000 (got 1000000)"),
        ("server.address", 8, "must be an IPv4 address, such as 10.20.0.10 (got 8). Expected: "),
        ("server.clients", ["192.0.2.0/28", "192.0.2.0/28"], "repeats 192.0.2.0/28: remove the repetition"),
        ("server.package.version", "2.7.2; reboot", "is not valid: must be a release, such as 2.7.2"),
        ("server.package.sha256", "AB" * 32, "is not valid: must be 64 hexadecimal digits in lower case"),
        ("server.package.source", "https://m.example.org/a'; reboot; '", "one that is not allowed in a URL"),
        ("server.package.source", "https://m.example.org/$(reboot)", "one that is not allowed in a URL"),
        ("server.package.source", "http://m.example.org/a.deb", "has the scheme http in place of https"),
        ("server.package.source", "ftp://m.example.org/a.deb", "has the scheme ftp in place of https"),
    ],
)
def test_a_wrong_value_of_a_vault_is_refused_with_its_key(at: str, value: Any, reason: str) -> None:
    (line,) = refusals({at.replace(".", "__"): value}, vault_stack)
    assert line.startswith(f"Pulumi.test.yaml: rsp-vault:{at}: ")
    assert reason in line


TRANSIT = {"kind": "transit", "address": "https://v.example.org", "keyName": "rsp", "token": "planted-token"}


@pytest.mark.parametrize(
    ("at", "value", "key", "reason"),
    [
        ("seal", {**TRANSIT, "address": "http://v.example.org"}, "seal.address", "has the scheme http in place"),
        ("seal", {**TRANSIT, "mount": "transit/../sys"}, "seal.mount", "is not valid: must be letters"),
        ("seal", {**TRANSIT, "keyName": 'a"b'}, "seal.keyName", "is not valid: must be letters"),
        ("seal", {**TRANSIT, "token": "planted\nplanted"}, "seal.token", "contains a line break"),
        ("tls", {"kind": "acme", "email": "none"}, "tls.email", "is not valid: must be an email address"),
        ("tls", {"kind": "acme", "directory": "http://a.example.org"}, "tls.directory", "has the scheme http in place"),
        ("backupPassword", "planted-pass-word ", "backupPassword", "begins or ends with a blank"),
        ("backupPassword", " " * 20, "backupPassword", "must not be blank"),
        ("backupPassword", 123456789012, "backupPassword", "must be text: put it in quotes"),
        ("adminPassword", "planted\0password", "adminPassword", "contains a NUL character"),
    ],
)
def test_a_secret_and_what_is_beside_it_is_refused_without_the_value(
    at: str, value: Any, key: str, reason: str
) -> None:
    (line,) = refusals({f"server__{at}": value}, vault_stack)
    assert line.startswith(f"Pulumi.test.yaml: rsp-vault:server.{key}: ")
    assert reason in line
    assert "planted" not in line
    assert "123456789012" not in line
