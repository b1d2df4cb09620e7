from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pulumi import ResourceHookArgs

from phalanx.secret_inputs import SecretInputs
from phalanx.secrets import Literal, Plan, PlannedSecret, SecretKey, Static
from probes import vault_secrets
from program.lost_updates import LostUpdateError, comparison
from program.preparation import Prepared
from tests.unit.program.conftest import StackRunner
from tests.unit.program.hooks import run_hook

OURS, THEIRS, NOTE = (SecretKey("tap", name) for name in ("kind", "google_creds.json", "note"))
SECRETS = SecretInputs(
    plan=Plan(
        [
            PlannedSecret(key=OURS, description="", origin=Literal("S3")),
            PlannedSecret(key=THEIRS, description="", origin=Static()),
        ]
    ),
    static={THEIRS: "planted"},
    configured=frozenset(),
    existing={OURS: "GCS", THEIRS: "planted", NOTE: "planted"},
    oidc_clients="[]",
)
READ = {"kind": "GCS", "google_creds.json": "planted", "note": "planted"}
"""Values in Vault when the program started."""


@dataclass
class Write:
    """Writes a secret while Vault has some values."""

    monkeypatch: pytest.MonkeyPatch

    def __call__(self, present: dict[str, str]) -> None:
        def read(address: str, environment: Any, settings: Any, application: str) -> dict[str, str]:
            assert (address, environment, settings) == ("https://vault.test", "environment", "vault")
            assert application == "tap"
            return present

        self.monkeypatch.setattr(vault_secrets, "read_application", read)
        stack = SimpleNamespace(
            secrets=SECRETS,
            vault_url="https://vault.test",
            source=SimpleNamespace(environment="environment"),
            config=SimpleNamespace(vault="vault"),
        )
        args = ResourceHookArgs(urn="urn", id="id", name="secrets-tap", type="", new_inputs={"name": "rsp/roe/tap"})
        run_hook(comparison(cast("Prepared", stack)), args)


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch) -> Write:
    return Write(monkeypatch)


@pytest.mark.parametrize("present", [READ, {**READ, "kind": "changed by hand"}])
def test_a_secret_is_written_if_the_keys_of_other_clients_are_as_read(write: Write, present: dict[str, str]) -> None:
    write(present)


@pytest.mark.parametrize(
    ("present", "changed"),
    [
        ({**READ, "note": "new"}, "note"),
        ({**READ, "added": "new"}, "added"),
        ({"kind": "GCS", "google_creds.json": "new"}, "google_creds.json, note"),
        ({}, "google_creds.json, note"),
    ],
)
def test_a_change_of_another_client_is_not_overwritten(write: Write, present: dict[str, str], changed: str) -> None:
    with pytest.raises(LostUpdateError) as caught:
        write(present)
    assert f"tap: another client has changed {changed} in Vault" in str(caught.value)
    assert "planted" not in str(caught.value)


def test_each_write_of_a_secret_is_guarded(run_stack: StackRunner) -> None:
    secrets = run_stack("roe").of("SecretV2")
    assert secrets
    for secret in secrets:
        hooks = secret.request.hooks
        assert list(hooks.before_create) == list(hooks.before_update) == ["no-lost-updates"], secret.urn
