import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest

from phalanx.errors import PhalanxError, SecretsError
from phalanx.secret_inputs import SecretInputs
from phalanx.secrets import PULL_SECRET, Generated, Literal, SecretKey, Wired
from program.secret_gathering import MissingSecretsError, gather
from tests.unit.given_phalanx import source
from tests.unit.sample import environment

STATIC: dict[str, Any] = {}
PASSWORD = {"generate": {"type": "password"}}
DEX = SecretKey("argocd", "dex.clientSecret")


def gathered(
    definitions: dict[str, dict[str, dict[str, Any]]],
    *,
    existing: dict[SecretKey, str] | None = None,
    undeclared: Mapping[SecretKey, tuple[str, ...]] | None = None,
    **changes: Any,
) -> SecretInputs:
    return gather(environment(**changes), source(definitions, undeclared), existing or {})


def test_configured_values_take_precedence_over_vault() -> None:
    secrets = {"applications": {"argocd": {"dex.clientSecret": "configured"}}}
    found = gathered({"argocd": {"dex.clientSecret": STATIC}}, existing={DEX: "held"}, secrets=secrets)
    assert found.static[DEX] == "configured"
    assert gathered({"argocd": {"dex.clientSecret": STATIC}}, existing={DEX: "held"}).static[DEX] == "held"


def test_missing_secrets_are_listed_with_their_descriptions() -> None:
    definitions = {"argocd": {"dex.clientSecret": STATIC}, "mobu": {"hook": STATIC, "token": PASSWORD}}
    with pytest.raises(MissingSecretsError) as error:
        gathered(definitions)
    assert str(error.value).splitlines() == [
        (
            "Missing static secrets: 2. Set each with the command below it, or write it to Vault (`vault kv patch "
            "-mount=kv-v2 k8s_operator/roe/APPLICATION KEY=@FILE`, or `put` for the first key of an application)."
        ),
        "  argocd/dex.clientSecret: What dex.clientSecret is for.",
        """    pulumi config set --secret --path 'rsp:secrets.applications["argocd"]["dex.clientSecret"]' -s stack""",
        "  mobu/hook: What hook is for.",
        """    pulumi config set --secret --path 'rsp:secrets.applications["mobu"]["hook"]' -s stack""",
    ]


def test_an_empty_value_in_vault_is_missing() -> None:
    with pytest.raises(MissingSecretsError):
        gathered({"argocd": {"dex.clientSecret": STATIC}}, existing={DEX: ""})


def test_copies_of_a_missing_secret_are_not_listed() -> None:
    copied = {"copy": {"application": "argocd", "key": "dex.clientSecret"}}
    with pytest.raises(MissingSecretsError) as error:
        gathered({"argocd": {"dex.clientSecret": STATIC}, "mobu": {"copied": copied}})
    assert "mobu/copied" not in str(error.value)


def test_an_unknown_secret_is_reported_with_the_nearest_name() -> None:
    secrets = {"applications": {"argocd": {"dex.clientsecret": "x"}}}
    with pytest.raises(SecretsError, match=r"reads argocd/dex.clientsecret; did you mean argocd/dex.clientSecret\?"):
        gathered({"argocd": {"dex.clientSecret": STATIC}}, existing={DEX: "held"}, secrets=secrets)


@pytest.mark.parametrize("name", ["argocd/admin", "argcd", "mobu"])
def test_only_generated_secrets_can_be_rotated(name: str) -> None:
    definitions = {"argocd": {"admin.password": PASSWORD}, "mobu": {"hook": STATIC}}
    with pytest.raises(SecretsError, match=f"rsp:vault.rotation: no secret is generated for {name}"):
        gathered(definitions, existing={SecretKey("mobu", "hook"): "x"}, vault={"rotation": {name: "1"}})


def test_a_derived_secret_cannot_be_rotated() -> None:
    derived = {"generate": {"type": "bcrypt-password-hash", "source": "plain"}}
    with pytest.raises(SecretsError, match="argocd/hash is derived from argocd/plain: rotate that secret instead"):
        gathered({"argocd": {"plain": PASSWORD, "hash": derived}}, vault={"rotation": {"argocd/hash": "1"}})


def test_rotation_of_a_key_takes_precedence_over_its_application() -> None:
    definitions = {"argocd": {"one": PASSWORD, "two": PASSWORD}, "mobu": {"three": PASSWORD}}
    found = gathered(definitions, vault={"rotation": {"argocd": "november", "argocd/two": "december"}})
    assert found.rotation_of(SecretKey("argocd", "one")) == "november"
    assert found.rotation_of(SecretKey("argocd", "two")) == "december"
    assert found.rotation_of(SecretKey("mobu", "three")) is None


def test_the_object_store_keys_of_tap_are_not_static() -> None:
    found = gathered({"tap": {}, "portal": {}})
    keys = {key: type(secret.origin) for key, secret in found.plan.items() if key.application == "tap"}
    assert keys == {SecretKey("tap", "AWS_ACCESS_KEY_ID"): Wired, SecretKey("tap", "AWS_SECRET_ACCESS_KEY"): Wired}
    assert not found.static


def test_undeclared_secrets_are_generated_or_required() -> None:
    password, other = SecretKey("postgres", "jupyterhub_password"), SecretKey("portal", "license")
    undeclared = {password: ("postgres: Deployment/postgres",), other: ("portal: Deployment/portal",)}
    found = gathered({"postgres": {}, "portal": {}}, undeclared=undeclared, existing={other: "x"})
    assert isinstance(found.plan[password].origin, Generated)
    with pytest.raises(MissingSecretsError, match=r"portal/license: .* read by portal: Deployment/portal"):
        gathered({"postgres": {}, "portal": {}}, undeclared=undeclared)


def pull_secret(**options: Any) -> Any:
    found = gathered({}, **options)
    origin = found.plan[PULL_SECRET].origin
    return json.loads(origin.value if isinstance(origin, Literal) else found.static[PULL_SECRET])


def test_the_pull_secret_exists_without_logins() -> None:
    assert pull_secret() == {"auths": {}}


def test_the_pull_secret_contains_the_configured_logins() -> None:
    secrets = {"registries": {"ghcr.io": {"username": "robot", "password": "hidden"}}}
    held = {PULL_SECRET: '{"auths": {"old": {}}}'}
    login = {"auth": "cm9ib3Q6aGlkZGVu", "username": "robot", "password": "hidden"}
    assert pull_secret(secrets=secrets, existing=held) == {"auths": {"ghcr.io": login}}
    assert pull_secret(existing=held) == {"auths": {"old": {}}}


def test_keys_of_other_writers_are_known() -> None:
    existing = {DEX: "held", SecretKey("argocd", "note"): "foreign", SecretKey("mobu", "old"): "foreign"}
    definitions = {"argocd": {"dex.clientSecret": STATIC, "admin": PASSWORD, "empty": STATIC}}
    found = gathered(definitions, existing={**existing, SecretKey("argocd", "empty"): "held"})
    now = {"dex.clientSecret": "changed meanwhile", "note": "foreign", "admin": "generated", "empty": ""}
    assert found.foreign_keys("argocd", now) == {"dex.clientSecret": "changed meanwhile", "note": "foreign"}
    assert found.in_vault("argocd") == {"dex.clientSecret": "held", "note": "foreign", "empty": "held"}

    secrets = {"applications": {"argocd": {"dex.clientSecret": "configured"}}}
    configured = gathered(definitions, existing={SecretKey("argocd", "empty"): "held"}, secrets=secrets)
    assert configured.foreign_keys("argocd", now) == {"note": "foreign"}


def test_configured_values_take_precedence_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "static.yaml"
    file.write_text(
        "applications:\n"
        "  argocd: {dex.clientSecret: {value: from-the-file}, other: {value: from-the-file}}\n"
        "pull-secret: {registries: {ghcr.io: {username: robot, password: hidden}}}\n",
    )
    file.chmod(0o600)
    secrets = {"file": str(file), "applications": {"argocd": {"other": "configured"}}}
    found = gathered({"argocd": {"dex.clientSecret": STATIC, "other": STATIC}}, secrets=secrets)
    assert found.static == {DEX: "from-the-file", SecretKey("argocd", "other"): "configured"}
    origin = found.plan[PULL_SECRET].origin
    assert isinstance(origin, Literal)
    assert "ghcr.io" in origin.value


GOOGLE = SecretKey("tap", "google_creds.json")


def test_credentials_of_google_are_optional() -> None:
    definitions: dict[str, dict[str, dict[str, Any]]] = {"tap": {"google_creds.json": STATIC}}
    assert GOOGLE not in gathered(definitions).plan
    assert gathered(definitions, existing={GOOGLE: "held"}).static[GOOGLE] == "held"
    given = {"applications": {"tap": {"google_creds.json": "given"}}}
    assert gathered(definitions, secrets=given).static[GOOGLE] == "given"


def test_credentials_of_google_are_required_if_pods_read_their_key() -> None:
    found = dataclasses.replace(source({"tap": {"google_creds.json": STATIC}}), read=[GOOGLE])
    with pytest.raises(MissingSecretsError, match=r"tap/google_creds\.json"):
        gather(environment(), found, {})


def unfilled(pods: tuple[str, ...], existing: dict[SecretKey, str]) -> SecretInputs:
    found = dataclasses.replace(source({}), unfilled={"butler-secret": pods})
    return gather(environment(), found, existing)


def test_a_secret_that_pods_mount_as_a_whole_must_be_in_vault() -> None:
    pods = ("rapid-analysis: Deployment/a", "rapid-analysis: Deployment/b")
    with pytest.raises(MissingSecretsError) as error:
        unfilled(pods, {})
    assert str(error.value) == (
        "kv-v2/k8s_operator/roe/butler-secret: Vault has no such secret, and no secrets.yaml defines its keys, but all "
        "of them are mounted by rapid-analysis: Deployment/a, rapid-analysis: Deployment/b, which do not start without "
        "it: write it with `vault kv put kv-v2/k8s_operator/roe/butler-secret KEY=@FILE`"
    )
    unfilled(pods, {SecretKey("butler-secret", "any"): "held"})


def test_a_secret_that_no_pod_mounts_may_be_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    messages: list[str] = []
    monkeypatch.setattr(pulumi, "info", messages.append)
    unfilled((), {})
    (message,) = messages
    assert message.startswith("Vault has nothing at kv-v2/k8s_operator/roe/butler-secret: ")


@pytest.mark.parametrize(
    ("definition", "origin"),
    [
        (PASSWORD, "is generated (rsp:vault.rotation generates another value)"),
        ({"copy": {"application": "mobu", "key": "hook"}}, "is copied from another one"),
        ({"value": "fixed"}, "has a fixed value in Phalanx"),
    ],
)
def test_a_given_value_that_would_have_no_effect_is_refused(definition: dict[str, Any], origin: str) -> None:
    definitions = {"argocd": {"other": definition}, "mobu": {"hook": STATIC}}
    secrets = {"applications": {"argocd": {"other": "planted"}, "mobu": {"hook": "planted"}}}
    with pytest.raises(SecretsError) as error:
        gathered(definitions, secrets=secrets)
    assert str(error.value) == (
        f"rsp:secrets.applications: argocd/other: is not a static secret, but {origin}, so this value would have no "
        "effect: remove it"
    )


def test_clients_of_a_server_that_does_not_exist_are_refused() -> None:
    client = {"id": "chronograf", "secret": "planted", "returnUri": "https://rsp.example.org/callback"}
    with pytest.raises(SecretsError, match=r"oidcClients: chronograf: no application of this environment"):
        gathered({"argocd": {"password": PASSWORD}}, secrets={"oidcClients": {"chronograf": client}})


def given(definitions: dict[str, dict[str, dict[str, Any]]], **secrets: Any) -> str:
    """Return the message that refuses given secrets."""
    with pytest.raises(PhalanxError) as error:
        gathered(definitions, secrets=secrets)
    assert "planted" not in str(error.value)
    return str(error.value)


def test_a_key_without_line_breaks() -> None:
    pem = "-----BEGIN PRIVATE KEY----- planted -----END PRIVATE KEY-----"
    assert given({"tap": {"key": STATIC}}, applications={"tap": {"key": pem}}).startswith(
        "rsp:secrets.applications: tap/key: is PEM that has lost its line breaks: set it from its file"
    )


def test_a_password_that_is_too_long_to_be_hashed() -> None:
    hashed = {"generate": {"type": "bcrypt-password-hash", "source": "password"}}
    definitions = {"tap": {"password": STATIC, "hash": hashed}}
    assert given(definitions, applications={"tap": {"password": "planted-" * 10}}) == (
        "rsp:secrets.applications: tap/password: has 80 bytes, more than the 72 that bcrypt can hash: must be a "
        "shorter password, such as the output of `openssl rand -hex 24`"
    )


def test_a_missing_file_of_secrets() -> None:
    message = given({"tap": {"key": STATIC}}, file="nowhere.yaml")
    assert message == "rsp:secrets.file: nowhere.yaml: cannot be read: No such file or directory"
