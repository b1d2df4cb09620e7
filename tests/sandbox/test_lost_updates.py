"""A secret that another client changes during an update is not overwritten, with the real engine and provider."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pulumi
import pulumi_vault as vault
import pytest
from pulumi import ResourceOptions

from config.vault import Vault
from phalanx.secret_inputs import SecretInputs
from phalanx.secrets import Literal, Plan, PlannedSecret, SecretKey
from program.lost_updates import refuse_lost_updates
from program.preparation import Prepared
from program.providers import vault_provider
from sandbox import environment
from tests.openbao import OpenBao, server
from tests.sandbox.small_stack import failure, small_stack

NOTE, OURS = SecretKey("tap", "note"), SecretKey("tap", "ours")
ENVIRONMENT = SimpleNamespace(vault_mount="secret", vault_path="rsp", vault_path_prefix="secret/rsp")


@pytest.fixture
def bao(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenBao]:
    """Yield a Vault with a secret that another client has written."""
    monkeypatch.setenv("PATH", environment.variables()["PATH"])
    with server(tmp_path) as started:
        monkeypatch.setenv("VAULT_TOKEN", started.root_token)
        started.mount_kv("secret")
        write(started, "planted-first")
        yield started


def write(bao: OpenBao, note: str) -> None:
    bao.root.secrets.kv.v2.create_or_update_secret("rsp/tap", {"note": note}, mount_point="secret")


def stored(bao: OpenBao) -> dict[str, str]:
    answer = bao.root.secrets.kv.v2.read_secret_version("rsp/tap", mount_point="secret", raise_on_deleted_version=True)
    return dict(answer["data"]["data"])


def test_a_concurrent_change_is_kept(bao: OpenBao, tmp_path: Path) -> None:
    read, ours = "planted-first", "1"

    def program() -> None:
        secrets = SecretInputs(
            plan=Plan([PlannedSecret(key=OURS, description="", origin=Literal(ours))]),
            static={},
            configured=frozenset(),
            existing={NOTE: read},
            oidc_clients="[]",
        )
        prepared = SimpleNamespace(
            secrets=secrets,
            vault_url=bao.url,
            source=SimpleNamespace(environment=ENVIRONMENT),
            config=SimpleNamespace(vault=Vault()),
        )
        vault.kv.SecretV2(
            "secrets-tap",
            mount="secret",
            name="rsp/tap",
            data_json=pulumi.Output.secret(json.dumps({"note": read, "ours": ours})),
            disable_read=True,
            opts=ResourceOptions(
                provider=vault_provider(bao.url),
                transformations=[refuse_lost_updates(cast("Prepared", prepared))],
                retain_on_delete=True,
            ),
        )

    with small_stack("lost-updates", program, tmp_path, VAULT_TOKEN=bao.root_token) as stack:
        stack.up()
        assert stored(bao) == {"note": "planted-first", "ours": "1"}
        ours = "2"
        write(bao, "planted-second")
        output = failure(stack)
        assert "tap: another client has changed note in Vault since this program read it" in output
        assert "planted-second" not in output
        assert stored(bao) == {"note": "planted-second"}
        read = "planted-second"
        stack.up()
        assert stored(bao) == {"note": "planted-second", "ours": "2"}
