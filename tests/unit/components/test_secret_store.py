import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import bcrypt
import pulumi
import pulumi_vault as vault
import pytest

from components.object_store import ObjectStore
from components.secret_store import SecretStore
from phalanx import generators
from phalanx.secrets import SecretKey
from probes.vault_secrets import Contents
from program import platform_arguments
from program.checks import Checked
from program.secret_inputs import gather
from tests.unit.given_phalanx import source
from tests.unit.recording import ProgramRunner, Recording, Registered
from tests.unit.sample import environment

PASSWORD = {"generate": {"type": "password"}}
DEFINITIONS: dict[str, dict[str, Any]] = {
    "argocd": {
        "admin.plaintext_password": PASSWORD,
        "admin.password": {"generate": {"type": "bcrypt-password-hash", "source": "admin.plaintext_password"}},
        "admin.passwordMtime": {"generate": {"type": "mtime", "source": "admin.plaintext_password"}},
        "server.secretkey": PASSWORD,
    },
    "gafaelfawr": {"database-password": PASSWORD, "clients": {"generate": {"type": "oidc-clients"}}},
    "postgres": {"gafaelfawr_password": {"copy": {"application": "gafaelfawr", "key": "database-password"}}},
    "tap": {"kind": {"value": "S3"}},
}
PLAINTEXT, HASH = SecretKey("argocd", "admin.plaintext_password"), SecretKey("argocd", "admin.password")
COMPUTED = {
    "vault:appRole/authBackendRole:AuthBackendRole": {"roleId": "the-role-id"},
    "vault:appRole/authBackendRoleSecretId:AuthBackendRoleSecretId": {
        "secretId": "the-secret-id",
        "accessor": "an-accessor",
    },
    "vault:index/token:Token": {"clientToken": "the-write-token"},
}


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Phalanx's number of bcrypt rounds takes seconds, on purpose."""
    monkeypatch.setattr(generators, "_BCRYPT_ROUNDS", 4)


ROTATION = "secrets-rotation"
"""The stash of what was asked."""


def make(
    run_program: ProgramRunner,
    existing: dict[SecretKey, str] | None = None,
    *,
    meanwhile: dict[SecretKey, str] | None = None,
    made: bool = False,
    definitions: dict[str, dict[str, Any]] = DEFINITIONS,
    **changes: Any,
) -> Recording:
    """Run the component.

    Args:
        run_program: The runner.
        existing: What Vault holds when the program begins.
        definitions: The secrets of each application.
        meanwhile: What Vault holds when the secrets are written, if that is something else.
        made: Whether Vault has the mount and the AppRole.
        changes: Of the configuration.
    """
    now = (existing if meanwhile is None else meanwhile) or {}
    settings = environment(**changes)
    phalanx = source(definitions)
    checked = Checked(
        config=settings,
        source=phalanx,
        vault_url="https://vault.example.org",
        in_vault=Contents(secrets=existing or {}, has_mount=made, has_role=made),
        secrets=gather(settings, phalanx, existing or {}),
        certificate=None,
    )
    store = cast("ObjectStore", SimpleNamespace(access_key="ec2-access", secret_key="ec2-secret"))
    args = replace(
        platform_arguments.secret_store(checked, store),
        read_application=lambda name: {at.key: value for at, value in now.items() if at.application == name},
    )

    def program() -> None:
        provider = vault.Provider("vault", address="https://vault.example.org")
        store = SecretStore("secrets", args, pulumi.ResourceOptions(providers=[provider]))
        pulumi.export("credentials", [store.role_id, store.secret_id, store.write_token])
        pulumi.export("mark", store.credentials_fingerprint)

    return run_program.having(computed=COMPUTED)(program)


def stash(recording: Recording, at: SecretKey) -> Registered:
    return recording.one("pulumi:index:Stash", f"secrets-{at.application}-{at.key}")


def trigger(recording: Recording, at: SecretKey) -> list[str]:
    found = stash(recording, at).request.replacement_trigger.list_value.values
    return [each.string_value or str(each.struct_value["value"]) for each in found]  # a secret is a struct


def stored(recording: Recording, application: str) -> dict[str, str]:
    values: dict[str, str] = json.loads(recording.one("SecretV2", f"secrets-{application}").inputs["dataJson"])
    return values


def test_policies_are_those_that_phalanx_audits(run_program: ProgramRunner) -> None:
    recording = make(run_program)
    read, write = recording.one("Policy", "secrets-read").inputs, recording.one("Policy", "secrets-write").inputs
    assert read == {
        "name": "k8s_operator/roe/read",
        "policy": (
            'path "kv-v2/data/k8s_operator/roe/+" {\n  capabilities = ["read"]\n}\n'
            'path "kv-v2/metadata/k8s_operator/roe/+" {\n  capabilities = ["list", "read"]\n}'
        ),
    }
    assert write["name"] == "k8s_operator/roe/write"
    assert write["policy"].startswith('path "kv-v2/data/k8s_operator/roe" {\n')


def test_the_cluster_may_read_and_nothing_else(run_program: ProgramRunner) -> None:
    recording = make(run_program)
    role = recording.one("AuthBackendRole")
    assert role.inputs["roleName"] == "roe"
    assert role.inputs["tokenPolicies"] == ["k8s_operator/roe/read"]
    assert role.inputs["tokenType"] == "service"
    assert recording.one("AuthBackendRoleSecretId").inputs == {"backend": "approle", "roleName": "roe"}
    token = recording.one("Token").inputs
    assert (token["displayName"], token["policies"], token["noParent"]) == ("roe", ["k8s_operator/roe/write"], True)


def test_credentials_are_secret(run_program: ProgramRunner) -> None:
    recording = make(run_program)
    assert recording.exports["credentials"] == ["the-role-id", "the-secret-id", "the-write-token"]
    assert "the-" not in json.dumps(recording.veiled_exports)
    assert "roleId" in recording.one("AuthBackendRole").request.additionalSecretOutputs


def test_mounts_are_made_or_found(run_program: ProgramRunner) -> None:
    made = make(run_program)
    mount = made.one("vault:index/mount:Mount")
    assert mount.inputs["path"] == "kv-v2"
    assert (mount.inputs["type"], mount.inputs["options"]) == ("kv", {"version": "2"})
    assert mount.protect
    assert all(mount.urn in secret.dependencies for secret in made.of("SecretV2"))
    assert made.one("AuthBackend").urn in made.one("AuthBackendRole").dependencies

    found = make(run_program, vault={"mount": "existing", "approle": {"ownership": "existing"}})
    assert found.of("vault:index/mount:Mount") == found.of("AuthBackend") == []


def test_each_application_has_one_secret_with_all_its_keys(run_program: ProgramRunner) -> None:
    recording = make(run_program)
    assert {secret.inputs["name"] for secret in recording.of("SecretV2")} == {
        f"k8s_operator/roe/{name}" for name in ("argocd", "gafaelfawr", "postgres", "pull-secret", "tap")
    }
    assert stored(recording, "tap") == {
        "kind": "S3",
        "AWS_ACCESS_KEY_ID": "ec2-access",
        "AWS_SECRET_ACCESS_KEY": "ec2-secret",
    }
    assert stored(recording, "postgres")["gafaelfawr_password"] == stored(recording, "gafaelfawr")["database-password"]
    assert stored(recording, "gafaelfawr")["clients"] == "[]"


def test_a_generated_secret_is_kept_by_its_stash(run_program: ProgramRunner) -> None:
    recording = make(run_program)
    for kept in [each for each in recording.of("pulumi:index:Stash") if each.name != ROTATION]:
        assert kept.ignored == {"input"}
        assert kept.veiled["input"] == "[secret]"
    assert trigger(recording, PLAINTEXT) == ["initial"]
    assert stored(recording, "argocd")[PLAINTEXT.key] == stash(recording, PLAINTEXT).inputs["input"]


def test_what_vault_holds_is_taken_over(run_program: ProgramRunner) -> None:
    existing = {PLAINTEXT: "chosen long ago", HASH: "its hash", SecretKey("argocd", "note"): "somebody's"}
    existing |= {SecretKey("argocd", "server.secretkey"): "", SecretKey("argocd", "empty"): ""}
    argocd = stored(make(run_program, existing), "argocd")
    assert argocd["server.secretkey"]
    assert not argocd["empty"]
    assert argocd[PLAINTEXT.key] == "chosen long ago"
    assert argocd[HASH.key] == "its hash"
    assert argocd["note"] == "somebody's"


def test_what_people_write_while_an_update_is_under_way_survives(run_program: ProgramRunner) -> None:
    existing = {SecretKey("tap", "google_creds.json"): "old", SecretKey("tap", "note"): "old"}
    meanwhile = {
        SecretKey("tap", "google_creds.json"): "new",
        SecretKey("tap", "added"): "new",
        SecretKey("tap", "kind"): "ours",
    }
    expected = {"kind": "S3", "AWS_ACCESS_KEY_ID": "ec2-access", "AWS_SECRET_ACCESS_KEY": "ec2-secret"}
    written = stored(make(run_program, existing, meanwhile=meanwhile), "tap")
    assert written == {**expected, "google_creds.json": "new", "added": "new"}
    # A preview asks Vault no more often than it must.
    previewed = make(run_program.having(preview=True), existing, meanwhile=meanwhile)
    assert stored(previewed, "tap") == {**expected, "google_creds.json": "old", "note": "old"}


def test_what_vault_has_lost_is_written_again(run_program: ProgramRunner) -> None:
    held = {SecretKey("tap", key): "held" for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    kind = SecretKey("tap", "kind")
    # Only a change of the option, where it is not ignored, lets the engine see that there is something to do.
    for existing, ignored in (({kind: "S3"}, {"options"}), ({}, set()), ({kind: "GCS"}, set())):
        assert make(run_program, {**held, **existing}).one("SecretV2", "secrets-tap").ignored == ignored


def test_rotation_makes_a_new_value_and_what_describes_it_follows(run_program: ProgramRunner) -> None:
    existing = {PLAINTEXT: "old", HASH: "old hash", SecretKey("argocd", "server.secretkey"): "other"}
    before = run_program.having(stashed={ROTATION: {}})
    recording = make(before, existing, vault={"rotation": {str(PLAINTEXT): "november"}})
    argocd = stored(recording, "argocd")
    assert trigger(recording, PLAINTEXT) == ["november"]
    assert argocd[PLAINTEXT.key] != "old"
    assert bcrypt.checkpw(argocd[PLAINTEXT.key].encode(), argocd[HASH.key].encode())
    assert argocd["server.secretkey"] == "other"


def test_a_line_of_rotation_that_is_there_from_the_beginning_changes_nothing(run_program: ProgramRunner) -> None:
    existing = {PLAINTEXT: "old", HASH: "old hash"}
    recording = make(run_program, existing, vault={"rotation": {"argocd": "november"}})
    assert trigger(recording, PLAINTEXT) == ["november"]
    assert (stored(recording, "argocd")[PLAINTEXT.key], stored(recording, "argocd")[HASH.key]) == ("old", "old hash")


def test_what_was_asked_is_remembered_when_its_line_is_gone(run_program: ProgramRunner) -> None:
    asked = make(run_program, vault={"rotation": {"argocd": "november", "gafaelfawr/database-password": "may"}})
    marks = asked.one("pulumi:index:Stash", ROTATION)
    assert marks.inputs["input"] == {
        "argocd/admin.plaintext_password": "november",
        "argocd/server.secretkey": "november",
        "gafaelfawr/database-password": "may",
    }
    assert marks.ignored == set()
    forgotten = make(run_program, vault={"rotation": {"gafaelfawr/database-password": "may"}})
    assert forgotten.one("pulumi:index:Stash", ROTATION).ignored == {
        'input["argocd/admin.plaintext_password"]',
        'input["argocd/server.secretkey"]',
    }


def test_a_hash_follows_the_stash_of_its_source(run_program: ProgramRunner) -> None:
    recording = make(run_program)
    source_id = f"{stash(recording, PLAINTEXT).name}-id"
    for described in (HASH, SecretKey("argocd", "admin.passwordMtime")):
        assert trigger(recording, described) == ["initial", source_id]


@pytest.mark.parametrize("changed", [False, True])
def test_a_description_follows_what_a_person_changes(run_program: ProgramRunner, changed: bool) -> None:
    """A password that a person gives has a hash and a time, too, and a new one new ones."""
    password, digest, time = (SecretKey("grafana", key) for key in ("password", "hash", "mtime"))
    definitions = {
        "grafana": {
            "password": {},
            "hash": {"generate": {"type": "bcrypt-password-hash", "source": "password"}},
            "mtime": {"generate": {"type": "mtime", "source": "password"}},
        },
    }
    described = generators.generate(generators.GeneratorType.BCRYPT_PASSWORD_HASH, "old")
    existing = {password: "new" if changed else "old", digest: described, time: "2020-01-01T00:00:00Z"}
    recording = make(run_program, existing, definitions=definitions)
    grafana = stored(recording, "grafana")
    assert trigger(recording, time) == ["initial", grafana["password"]]
    assert bcrypt.checkpw(grafana["password"].encode(), grafana["hash"].encode())
    assert (grafana["hash"] == described) is not changed
    assert (grafana["mtime"] == "2020-01-01T00:00:00Z") is not changed


def test_a_secret_id_is_rotated_by_its_text(run_program: ProgramRunner) -> None:
    for text in ("initial", "november"):
        recording = make(run_program, vault={"approle": {"secretIdRotation": text}})
        assert recording.one("AuthBackendRoleSecretId").request.replacement_trigger.string_value == text


def test_secrets_stay_when_the_stack_goes(run_program: ProgramRunner) -> None:
    recording = make(run_program)
    assert recording.one("Mount").retained
    assert all(secret.retained for secret in recording.of("SecretV2"))


def test_the_mark_of_the_ids_is_no_secret(run_program: ProgramRunner) -> None:
    exported = make(run_program).veiled_exports["mark"]
    assert len(exported) == 16
    assert exported != "an-accessor"


def test_what_a_stack_before_has_left_is_taken_over(run_program: ProgramRunner) -> None:
    fresh, again = make(run_program), make(run_program, made=True)
    for kind, name, identifier in (
        ("AuthBackendRole", "secrets-role", "auth/approle/role/roe"),
        ("Mount", "secrets-kv", "kv-v2"),
    ):
        assert not fresh.one(kind, name).request.importId
        assert again.one(kind, name).request.importId == identifier
