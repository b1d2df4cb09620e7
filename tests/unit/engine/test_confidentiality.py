"""No secret stands in clear in the state, in a report or in a shown output."""

import json
import stat

import pulumi
import pytest

from sandbox.engine import secrets
from sandbox.engine.errors import EngineError
from sandbox.engine.state import State
from sandbox.engine.values import Asset, Secret, from_wire, mask, reveal, to_wire
from tests.unit.engine.conftest import Stack
from tests.unit.engine.service import Provider, Thing

MARK = "marked-5f1c9d"


def program() -> None:
    class Group(pulumi.ComponentResource):
        def __init__(self, value: pulumi.Output[str]) -> None:
            super().__init__("demo:index:Group", "group", {"password": value})
            self.register_outputs({"password": value, "list": [value]})

    secret = pulumi.Output.secret(MARK)
    provider = Provider("p", token=secret)
    thing = Thing("a", secret=secret, color={"deep": [secret]}, opts=pulumi.ResourceOptions(provider=provider))
    Thing("b", size=thing.secret, opts=pulumi.ResourceOptions(replacement_trigger=secret))
    Group(secret)
    pulumi.export("password", thing.secret)
    pulumi.export("nested", {"color": thing.color})


def test_no_secret_in_the_state_nor_in_reports(stack: Stack) -> None:
    preview = stack.preview(program)
    report = stack.up(program)
    assert report.counts == {"create": 3}
    assert MARK not in stack.file.read_text()
    for each in (preview, report):
        assert MARK not in json.dumps(each.as_json())
        assert "[secret]" in json.dumps(each.as_json())
    assert stack.recorded("a").outputs["secret"] == Secret(MARK)
    assert stat.S_IMODE(stack.file.stat().st_mode) == 0o600


def test_outputs_are_masked_unless_revealed(stack: Stack) -> None:
    stack.up(program)
    assert MARK not in json.dumps(mask(stack.outputs()))
    assert reveal(stack.outputs())["password"] == MARK


def test_interrupted_creation_is_recorded_without_secrets(stack: Stack) -> None:
    stack.service.crash.add("a")
    stack.up(program)
    assert len(State.open(stack.file).pending()) == 1
    assert MARK not in stack.file.read_text()


def test_value_that_becomes_secret_is_sealed_without_a_change(stack: Stack) -> None:
    stack.up(lambda: Thing("a", secret=MARK))
    assert MARK in stack.file.read_text()
    assert stack.up(lambda: Thing("a", secret=pulumi.Output.secret(MARK))).counts == {"same": 1}
    assert MARK not in stack.file.read_text()


def test_wrong_or_missing_passphrase_is_told(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    stack.up(program)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "wrong")
    with pytest.raises(EngineError, match="incorrect passphrase"):
        stack.outputs()
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    with pytest.raises(EngineError, match="set PULUMI_CONFIG_PASSPHRASE"):
        stack.outputs()


def test_damaged_state_is_told(stack: Stack) -> None:
    stack.file.write_text('{"version": 1, "resources"')
    with pytest.raises(EngineError, match="cannot read the stack's state"):
        stack.outputs()
    stack.file.write_text('{"version": 99}')
    with pytest.raises(EngineError, match="another version"):
        stack.outputs()


def test_reads_what_pulumi_itself_has_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The salt of pulumi/pulumi's own test (`pkg/secrets/passphrase/manager_test.go`)."""
    monkeypatch.setattr(secrets, "_ROUNDS", 1_000_000)
    salt = "v1:fozI5u6B030=:v1:F+6ZduKKd8G0/V7L:PGMFeIzwobWRKmEAzUdaQHqC5mMRIQ=="
    crypter = secrets.Crypter.open("password", salt)
    assert crypter.decrypt(crypter.encrypt("text")) == "text"
    with pytest.raises(EngineError, match="incorrect passphrase"):
        secrets.Crypter.open("passwort", salt)


def test_values_survive_the_wire() -> None:
    values = {
        "secret": Secret({"deep": [1, 2.5, "x", True]}),
        "asset": Asset(sha256="982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1", text="text"),
        "plain": [None, {"a": 0}],
    }
    assert from_wire(to_wire(values)) == values
