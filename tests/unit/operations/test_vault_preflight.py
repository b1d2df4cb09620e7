from pathlib import Path
from typing import Any

import pytest

from config.vault import Ownership
from operations.problem import Problem
from operations.vault_preflight import check
from tests.unit.operations.json_server import json_server

OPEN = {"initialized": True, "sealed": False}
KV_2 = {"data": {"type": "kv", "options": {"version": "2"}}}


def look(
    *,
    seal: dict[str, bool] | None = None,
    token: tuple[int, Any] = (200, {"data": {"ttl": 0}}),
    mount: tuple[int, Any] = (200, KV_2),
    ownership: Ownership = Ownership.CREATE,
) -> list[Problem]:
    answers = {
        "GET /v1/sys/seal-status": (200, seal or OPEN),
        "GET /v1/auth/token/lookup-self": token,
        "GET /v1/sys/internal/ui/mounts/secret": mount,
    }
    with json_server(answers) as url:
        return list(check(url, "secret", ownership))


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "hvs.of-the-test")
    # hvac would take the token of ~/.vault-token where none is given.
    monkeypatch.setenv("HOME", str(tmp_path))


def told(problems: list[Problem]) -> str:
    assert len(problems) == 1, problems
    return str(problems[0])


def test_nothing_to_say_about_a_good_vault() -> None:
    assert look() == []
    assert look(ownership=Ownership.EXISTING) == []


def test_sealed() -> None:
    assert "is sealed: unseal it with" in told(look(seal={"initialized": True, "sealed": True}))


def test_not_initialised() -> None:
    assert "is not initialised" in told(look(seal={"initialized": False, "sealed": True}))


def test_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAULT_TOKEN")
    assert "set VAULT_TOKEN" in told(look())


def test_a_refused_token_is_not_repeated() -> None:
    message = told(look(token=(403, {"errors": ["permission denied"]})))
    assert "refuses the token in VAULT_TOKEN" in message
    assert "hvs.of-the-test" not in message


def test_a_token_that_ends_soon_is_a_warning() -> None:
    (problem,) = look(token=(200, {"data": {"ttl": 600}}))
    assert not problem.fatal
    assert "ends in 10 minutes" in problem.what


@pytest.mark.parametrize(
    ("mount", "message"),
    [
        ({"type": "kv", "options": {"version": "1"}}, "is KV version 1, Phalanx needs version 2"),
        ({"type": "kv", "options": None}, "is KV version 1, Phalanx needs version 2"),
        ({"type": "pki", "options": None}, "is of type pki"),
    ],
)
def test_a_mount_of_another_kind(mount: dict[str, Any], message: str) -> None:
    assert message in told(look(mount=(200, {"data": mount})))


def test_a_mount_that_is_to_exist_and_does_not() -> None:
    forbidden = (403, {"errors": ["preflight capability check returned 403"]})
    assert look(mount=forbidden) == []
    (problem,) = look(mount=forbidden, ownership=Ownership.EXISTING)
    assert problem.where == "rsp:vault.mount"
    assert "or say `create`" in problem.what


def test_unreachable() -> None:
    with json_server({}) as url:
        pass
    message = told(list(check(url, "secret", Ownership.CREATE)))
    assert message == (
        f"Vault at {url}: does not answer (Connection refused): check rsp:vault.address, the network and that it runs"
    )


def test_an_error_of_vault_is_passed_on() -> None:
    assert "answers with an error" in told(look(token=(500, {"errors": ["storage is full"]})))
