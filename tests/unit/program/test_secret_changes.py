from typing import Any

import pulumi
import pytest

from components.secret_store import warn_of_edited
from phalanx import secret_changes
from phalanx.secret_inputs import SecretInputs
from phalanx.secrets import SecretKey
from program.secret_changes import log
from program.secret_inputs import gather
from tests.unit.given_phalanx import source
from tests.unit.sample import environment

PASSWORD = {"generate": {"type": "password"}}
DEFINITIONS: dict[str, dict[str, Any]] = {
    "argocd": {"dex.clientSecret": {}, "server.secretkey": PASSWORD},
    "gafaelfawr": {
        "database-password": PASSWORD,
        "oidc-server-secrets": {"generate": {"type": "oidc-clients"}},
        "github-client-secret": {},
    },
    "postgres": {"gafaelfawr_password": {"copy": {"application": "gafaelfawr", "key": "database-password"}}},
    "tap": {"kind": {"value": "S3"}},
}
IN_PLACE = {
    "argocd/dex.clientSecret": "planted-dex",
    "argocd/server.secretkey": "planted-key",
    "gafaelfawr/database-password": "planted-password",
    "gafaelfawr/oidc-server-secrets": "[]",
    "gafaelfawr/github-client-secret": "planted-github",
    "postgres/gafaelfawr_password": "planted-password",
    "tap/kind": "S3",
    "tap/AWS_ACCESS_KEY_ID": "planted-access",
    "tap/AWS_SECRET_ACCESS_KEY": "planted-secret",
    "pull-secret/.dockerconfigjson": '{"auths": {}}',
}


def inputs(changes: dict[str, str | None], **configured: Any) -> SecretInputs:
    held = {**IN_PLACE, **changes}
    existing = {SecretKey(*name.split("/", 1)): value for name, value in held.items() if value is not None}
    return gather(environment(secrets={"applications": configured}), source(DEFINITIONS), existing)


def told(found: SecretInputs, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    messages: list[str] = []
    monkeypatch.setattr(pulumi, "info", messages.append)
    log(found, "kv-v2/k8s_operator/roe", "roe")
    return messages


def test_nothing_is_said_where_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(inputs({}), monkeypatch) == []
    assert told(inputs({}, argocd={"dex.clientSecret": "planted-dex"}), monkeypatch) == []


def test_what_changes_is_named_and_no_value_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = inputs(
        {
            "argocd/dex.clientSecret": None,
            "gafaelfawr/database-password": "",
            "gafaelfawr/oidc-server-secrets": "planted-clients",
            "postgres/gafaelfawr_password": "planted-old-copy",
            "gafaelfawr/note": "planted-note",
            "old/one": "planted-one",
            "old/two": "planted-two",
        },
        argocd={"dex.clientSecret": "planted-new-dex"},
        gafaelfawr={"github-client-secret": "planted-new-github"},
    )
    (message,) = told(changed, monkeypatch)
    assert message.splitlines() == [
        "Secrets in Vault under kv-v2/k8s_operator/roe:",
        "  new: argocd/dex.clientSecret",
        "  new, generated: gafaelfawr/database-password",
        "  changed: gafaelfawr/github-client-secret, gafaelfawr/oidc-server-secrets",
        "  not needed any more: gafaelfawr/note, old (2 keys) (`python -m operations secrets prune -s roe`)",
    ]
    assert "planted" not in message


def test_a_copy_changes_with_what_it_is_copied_from() -> None:
    found = secret_changes.find(inputs({"postgres/gafaelfawr_password": "another"}))
    assert found.changed == (SecretKey("postgres", "gafaelfawr_password"),)


def test_the_first_time_an_application_stands_for_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = dict.fromkeys(name for name in IN_PLACE if not name.startswith(("argocd/dex", "gafaelfawr/github")))
    (message,) = told(inputs(nothing), monkeypatch)
    assert "  new: gafaelfawr" not in message
    assert "new: postgres/gafaelfawr_password, pull-secret/.dockerconfigjson, tap (3 keys)" in message


def test_what_was_edited_in_vault_is_named_with_both_ways_out(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {"database-password": "planted-own", "oidc-server-secrets": "planted-own", "github-client-secret": "mine"}
    found = secret_changes.edited(inputs({}), "gafaelfawr", kept)
    assert found == (SecretKey("gafaelfawr", "database-password"),)
    assert secret_changes.edited(inputs({}), "gafaelfawr", {**kept, "database-password": "planted-password"}) == ()
    assert secret_changes.edited(inputs({"gafaelfawr/database-password": None}), "gafaelfawr", kept) == ()

    messages: list[str] = []
    monkeypatch.setattr(pulumi, "warn", messages.append)
    warn_of_edited("secrets", found)
    assert len(messages) == 1
    assert "gafaelfawr/database-password: somebody has changed it in Vault" in messages[0]
    assert "--replace '**::secrets-gafaelfawr'" in messages[0]
    assert "--replace '**::secrets-gafaelfawr-database-password'" in messages[0]
    assert "planted" not in messages[0]
