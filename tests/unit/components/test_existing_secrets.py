import json
from collections.abc import Mapping
from typing import Any

import pulumi_vault as vault
import pytest

from components import existing_secrets
from components.existing_secrets import VaultError
from phalanx.secrets import SecretKey
from tests.unit.components.given_phalanx import source
from tests.unit.recording import InvokeAnswer, ProgramRunner
from tests.unit.refused import Refused

LIST = "vault:kv/getSecretsListV2:getSecretsListV2"
GET = "vault:kv/getSecretV2:getSecretV2"


def read(run_program: ProgramRunner, answers: Mapping[str, InvokeAnswer]) -> dict[SecretKey, str]:
    found: dict[SecretKey, str] = {}

    def program() -> None:
        provider = vault.Provider("vault", address="https://vault.example.org")
        found.update(existing_secrets.read(source({}).environment, "https://vault.example.org", provider))

    run_program.having(invokes=answers)(program)
    return found


def holding(secrets: Mapping[str, Any]) -> Mapping[str, InvokeAnswer]:
    def get(arguments: dict[str, Any]) -> Mapping[str, Any]:
        assert arguments["mount"] == "kv-v2"
        return {"dataJson": json.dumps(secrets[arguments["name"].removeprefix("k8s_operator/roe/")])}

    return {LIST: {"names": [*secrets, "folder/"]}, GET: get}


def test_reads_every_key_of_every_secret(run_program: ProgramRunner) -> None:
    assert read(run_program, holding({"argocd": {"admin.password": "hash"}, "mobu": {"a": "1", "b": "2"}})) == {
        SecretKey("argocd", "admin.password"): "hash",
        SecretKey("mobu", "a"): "1",
        SecretKey("mobu", "b"): "2",
    }


def test_a_deleted_secret_holds_nothing_and_a_number_is_kept_as_text(run_program: ProgramRunner) -> None:
    assert read(run_program, holding({"argocd": None, "mobu": {"port": 443}})) == {SecretKey("mobu", "port"): "443"}


def refusing(text: str) -> Mapping[str, InvokeAnswer]:
    def refuse(_arguments: dict[str, Any]) -> Mapping[str, Any]:
        raise Refused(text)

    return {LIST: refuse}


def test_an_environment_without_secrets_is_no_error(run_program: ProgramRunner) -> None:
    assert read(run_program, refusing('no secrets found at "kv-v2/metadata/k8s_operator/roe"')) == {}


def test_a_refusal_is_told_with_what_to_look_at(run_program: ProgramRunner) -> None:
    with pytest.raises(
        VaultError, match=r"(?s)vault.example.org does not let us read kv-v2/k8s_operator/roe.*VAULT_TOKEN"
    ):
        read(run_program, refusing("permission denied"))
