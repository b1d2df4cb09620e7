from typing import Any

import pulumi
import pytest

from components.secret_store import warn_of_edited
from phalanx import secret_changes
from phalanx.secret_inputs import SecretInputs
from phalanx.secrets import SecretKey
from program.secret_change_log import log
from program.secret_gathering import gather
from review.changes import SECRETS_MESSAGE
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


def logged(found: SecretInputs, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    messages: list[str] = []
    monkeypatch.setattr(pulumi, "info", messages.append)
    log(found, "kv-v2/k8s_operator/roe", "roe")
    return messages


def test_nothing_is_logged_without_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    assert logged(inputs({}), monkeypatch) == []
    assert logged(inputs({}, argocd={"dex.clientSecret": "planted-dex"}), monkeypatch) == []


def test_changes_are_logged_without_values(monkeypatch: pytest.MonkeyPatch) -> None:
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
    (message,) = logged(changed, monkeypatch)
    assert message.splitlines() == [
        f"{SECRETS_MESSAGE}kv-v2/k8s_operator/roe:",
        "  new: argocd/dex.clientSecret",
        "  new, generated: gafaelfawr/database-password",
        "  changed: gafaelfawr/github-client-secret, gafaelfawr/oidc-server-secrets",
        "  no longer needed: gafaelfawr/note, old (2 keys) (`python -m operations secrets prune -s roe`)",
    ]
    assert "planted" not in message


@pytest.mark.parametrize("edited", ["postgres/gafaelfawr_password", "gafaelfawr/database-password"])
def test_a_copy_and_its_source_are_written_if_they_differ(edited: str) -> None:
    found = secret_changes.find(inputs({edited: "another"}))
    assert found.changed == (SecretKey("postgres", "gafaelfawr_password"),)
    assert found.applications == {"postgres", "gafaelfawr"}


def test_keys_of_a_new_application_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = dict.fromkeys(name for name in IN_PLACE if not name.startswith(("argocd/dex", "gafaelfawr/github")))
    (message,) = logged(inputs(nothing), monkeypatch)
    assert "  new: gafaelfawr" not in message
    assert "new: postgres/gafaelfawr_password, pull-secret/.dockerconfigjson, tap (3 keys)" in message


def test_edited_secrets_are_reported_with_both_remedies(warnings: list[str]) -> None:
    kept = {"database-password": "planted-own", "oidc-server-secrets": "planted-own", "github-client-secret": "mine"}
    found = secret_changes.edited(inputs({}), "gafaelfawr", kept)
    assert found == (SecretKey("gafaelfawr", "database-password"),)
    assert secret_changes.edited(inputs({}), "gafaelfawr", {**kept, "database-password": "planted-password"}) == ()
    assert secret_changes.edited(inputs({"gafaelfawr/database-password": None}), "gafaelfawr", kept) == ()

    holders = {key: secret_changes.holders(inputs({}).plan, key) for key in found}
    warn_of_edited("secrets", holders, [])
    assert len(warnings) == 1
    assert "gafaelfawr/database-password: was changed in Vault" in warnings[0]
    assert "`pulumi up --replace '**::secrets-gafaelfawr' --replace '**::secrets-postgres'`" in warnings[0]
    assert "--replace '**::secrets-gafaelfawr-database-password'" in warnings[0]
    assert "planted" not in warnings[0]


def test_a_rotated_secret_cannot_be_adopted(warnings: list[str]) -> None:
    warn_of_edited(
        "secrets", {SecretKey("tap", "rotated"): ["tap"], SecretKey("tap", "kept"): ["tap"]}, ["tap/rotated"]
    )
    assert "--replace '**::secrets-tap-rotated'" not in warnings[0]
    assert warnings[0].endswith("the value in Vault cannot be adopted, as the stack has rotated this secret")
    assert "--replace '**::secrets-tap-kept'" in warnings[1]
