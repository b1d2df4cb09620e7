import json
from datetime import UTC, datetime
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
from probes.openstack_connection import Location
from probes.vault_secrets import Contents
from program import platform_arguments
from program.deployed import Deployed
from program.preparation import Prepared
from program.secret_gathering import gather
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
    """Reduce Phalanx's number of bcrypt rounds, which takes seconds by design."""
    monkeypatch.setattr(generators, "_BCRYPT_ROUNDS", 4)


READ_AT = datetime(2026, 11, 26, tzinfo=UTC)

ROTATION = "secrets-rotation"
"""Name of the stash with the requested rotations."""


def make(
    run_program: ProgramRunner,
    existing: dict[SecretKey, str] | None = None,
    *,
    exists: bool = False,
    definitions: dict[str, dict[str, Any]] = DEFINITIONS,
    **changes: Any,
) -> Recording:
    """Run a program with the component.

    Args:
        run_program: Runner of the program.
        existing: Secrets in Vault at the start of the program.
        exists: Whether Vault has the mount and the AppRole.
        definitions: Secret definitions of each application.
        changes: Changes of the configuration.
    """
    settings = environment(**changes)
    phalanx = source(definitions)
    prepared = Prepared(
        config=settings,
        source=phalanx,
        vault_url="https://vault.example.org",
        in_vault=Contents(
            secrets=existing or {}, read_at=READ_AT, has_mount=exists, has_auth_method=exists, has_role=exists
        ),
        secrets=gather(settings, phalanx, existing or {}),
        certificate=None,
        location=Location("project-id", "RegionOne"),
        claimed={},
        deployed=Deployed(active="", commit="", clusters=frozenset(), installed={}),
    )
    store = cast("ObjectStore", SimpleNamespace(access_key="ec2-access", secret_key="ec2-secret"))
    args = platform_arguments.secret_store(prepared, store)

    def program() -> None:
        provider = vault.Provider("vault", address="https://vault.example.org")
        store = SecretStore("secrets", args, pulumi.ResourceOptions(providers=[provider]))
        pulumi.export("credentials", [store.role_id, store.secret_id, store.write_token])
        pulumi.export("fingerprint", store.credentials_fingerprint)

    return run_program.having(computed=COMPUTED)(program)


def stash(recording: Recording, key: SecretKey) -> Registered:
    return recording.one("pulumi:index:Stash", f"secrets-{key.application}-{key.name}")


def trigger(recording: Recording, key: SecretKey) -> list[str]:
    found = stash(recording, key).request.replacement_trigger.list_value.values
    return [each.string_value or str(each.struct_value["value"]) for each in found]  # a secret is a struct


def stored(recording: Recording, application: str) -> dict[str, str]:
    values: dict[str, str] = json.loads(recording.one("SecretV2", f"secrets-{application}").inputs["dataJson"])
    return values


def test_policies_pass_phalanxs_audit(run_program: ProgramRunner) -> None:
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


def test_the_cluster_may_only_read(run_program: ProgramRunner) -> None:
    recording = make(run_program)
    role = recording.one("AuthBackendRole")
    assert role.inputs["roleName"] == "roe"
    assert role.inputs["tokenPolicies"] == ["k8s_operator/roe/read"]
    assert role.inputs["tokenType"] == "service"
    assert "roleId" in role.request.additionalSecretOutputs
    assert recording.one("AuthBackendRoleSecretId").inputs == {"backend": "approle", "roleName": "roe"}
    token = recording.one("Token").inputs
    assert (token["displayName"], token["policies"], token["noParent"]) == ("roe", ["k8s_operator/roe/write"], True)
    assert recording.exports["credentials"] == ["the-role-id", "the-secret-id", "the-write-token"]


def test_mounts_are_created_or_existing(run_program: ProgramRunner) -> None:
    created = make(run_program)
    mount = created.one("vault:index/mount:Mount")
    assert mount.inputs["path"] == "kv-v2"
    assert (mount.inputs["type"], mount.inputs["options"]) == ("kv", {"version": "2"})
    assert mount.protect
    assert all(mount.urn in secret.dependencies for secret in created.of("SecretV2"))
    assert created.one("AuthBackend").urn in created.one("AuthBackendRole").dependencies

    existing = make(run_program, vault={"mount": "existing", "approle": {"ownership": "existing"}})
    assert existing.of("vault:index/mount:Mount") == existing.of("AuthBackend") == []


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
    assert stored(recording, "argocd")[PLAINTEXT.name] == stash(recording, PLAINTEXT).inputs["input"]


def test_existing_values_in_vault_are_adopted(run_program: ProgramRunner) -> None:
    existing = {PLAINTEXT: "chosen long ago", HASH: "its hash", SecretKey("argocd", "note"): "foreign"}
    existing |= {SecretKey("argocd", "server.secretkey"): "", SecretKey("argocd", "empty"): ""}
    argocd = stored(make(run_program, existing), "argocd")
    assert argocd["server.secretkey"]
    assert not argocd["empty"]
    assert argocd[PLAINTEXT.name] == "chosen long ago"
    assert argocd[HASH.name] == "its hash"
    assert argocd["note"] == "foreign"


def test_preview_and_update_register_the_same_with_the_keys_of_other_clients(run_program: ProgramRunner) -> None:
    existing = {SecretKey("tap", "google_creds.json"): "static", SecretKey("tap", "note"): "theirs"}
    existing |= {SecretKey("tap", "kind"): "outdated"}
    updated, previewed = (make(run_program.having(preview=preview), existing) for preview in (False, True))
    assert stored(updated, "tap") == {
        "kind": "S3",
        "AWS_ACCESS_KEY_ID": "ec2-access",
        "AWS_SECRET_ACCESS_KEY": "ec2-secret",
        "google_creds.json": "static",
        "note": "theirs",
    }
    assert updated.one("SecretV2", "secrets-tap").inputs == previewed.one("SecretV2", "secrets-tap").inputs


def test_missing_and_changed_values_in_vault_are_written_again(run_program: ProgramRunner) -> None:
    held = {SecretKey("tap", key): "held" for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    kind = SecretKey("tap", "kind")
    # The engine detects a difference only by the option, unless its changes are ignored.
    for existing, ignored in (({kind: "S3"}, {"options"}), ({}, set()), ({kind: "GCS"}, set())):
        assert make(run_program, {**held, **existing}).one("SecretV2", "secrets-tap").ignored == ignored


def test_rotation_generates_a_secret_and_its_derived_secrets(run_program: ProgramRunner) -> None:
    existing = {PLAINTEXT: "old", HASH: "old hash", SecretKey("argocd", "server.secretkey"): "other"}
    before = run_program.having(stashed={ROTATION: {}})
    recording = make(before, existing, vault={"rotation": {str(PLAINTEXT): "november"}})
    argocd = stored(recording, "argocd")
    assert trigger(recording, PLAINTEXT) == ["november"]
    assert argocd[PLAINTEXT.name] != "old"
    assert bcrypt.checkpw(argocd[PLAINTEXT.name].encode(), argocd[HASH.name].encode())
    assert argocd["server.secretkey"] == "other"


def test_a_rotation_that_exists_from_the_start_has_no_effect(run_program: ProgramRunner) -> None:
    existing = {PLAINTEXT: "old", HASH: "old hash"}
    recording = make(run_program, existing, vault={"rotation": {"argocd": "november"}})
    assert trigger(recording, PLAINTEXT) == ["november"]
    assert (stored(recording, "argocd")[PLAINTEXT.name], stored(recording, "argocd")[HASH.name]) == ("old", "old hash")


def test_a_disabled_application_that_was_rotated_keeps_its_secrets(run_program: ProgramRunner) -> None:
    existing = {PLAINTEXT: "old", HASH: "old hash"}
    enabled_again = run_program.having(stashed={ROTATION: {str(PLAINTEXT): "november"}})
    recording = make(enabled_again, existing)
    assert (stored(recording, "argocd")[PLAINTEXT.name], stored(recording, "argocd")[HASH.name]) == ("old", "old hash")


def test_a_removed_rotation_has_no_effect(run_program: ProgramRunner) -> None:
    rotated = make(run_program, vault={"rotation": {"argocd": "november", "gafaelfawr/database-password": "may"}})
    requested = rotated.one("pulumi:index:Stash", ROTATION)
    assert requested.inputs["input"] == {
        "argocd/admin.plaintext_password": "november",
        "argocd/server.secretkey": "november",
        "gafaelfawr/database-password": "may",
    }
    assert requested.ignored == set()
    removed = make(run_program, vault={"rotation": {"gafaelfawr/database-password": "may"}})
    assert removed.one("pulumi:index:Stash", ROTATION).ignored == {
        'input["argocd/admin.plaintext_password"]',
        'input["argocd/server.secretkey"]',
    }


def test_a_hash_follows_the_stash_of_its_source(run_program: ProgramRunner) -> None:
    recording = make(run_program)
    source_id = f"{stash(recording, PLAINTEXT).name}-id"
    for derived in (HASH, SecretKey("argocd", "admin.passwordMtime")):
        assert trigger(recording, derived) == ["initial", source_id]


@pytest.mark.parametrize("changed", [False, True])
def test_derived_secrets_follow_a_static_secret(run_program: ProgramRunner, changed: bool) -> None:
    password, digest, time = (SecretKey("grafana", key) for key in ("password", "hash", "mtime"))
    definitions = {
        "grafana": {
            "password": {},
            "hash": {"generate": {"type": "bcrypt-password-hash", "source": "password"}},
            "mtime": {"generate": {"type": "mtime", "source": "password"}},
        },
    }
    old_hash = generators.generate(generators.GeneratorType.BCRYPT_PASSWORD_HASH, "old")
    existing = {password: "new" if changed else "old", digest: old_hash, time: "2020-01-01T00:00:00Z"}
    recording = make(run_program, existing, definitions=definitions)
    grafana = stored(recording, "grafana")
    assert trigger(recording, time) == ["initial", grafana["password"]]
    assert bcrypt.checkpw(grafana["password"].encode(), grafana["hash"].encode())
    assert (grafana["hash"] == old_hash) is not changed
    assert (grafana["mtime"] == "2020-01-01T00:00:00Z") is not changed


def test_a_secret_id_is_rotated_by_its_setting(run_program: ProgramRunner) -> None:
    for text in ("initial", "november"):
        recording = make(run_program, vault={"approle": {"secretIdRotation": text}})
        assert recording.one("AuthBackendRoleSecretId").request.replacement_trigger.string_value == text


def test_secrets_outlive_the_stack(run_program: ProgramRunner) -> None:
    recording = make(run_program)
    assert recording.one("Mount").retained
    assert recording.one("AuthBackend").retained
    assert all(secret.retained for secret in recording.of("SecretV2"))


def test_the_fingerprint_is_not_secret(run_program: ProgramRunner) -> None:
    exported = make(run_program).veiled_exports["fingerprint"]
    assert len(exported) == 16
    assert exported != "an-accessor"


def test_an_existing_mount_and_role_are_imported(run_program: ProgramRunner) -> None:
    fresh, again = make(run_program), make(run_program, exists=True)
    for kind, name, identifier in (
        ("AuthBackendRole", "secrets-role", "auth/approle/role/roe"),
        ("Mount", "secrets-kv", "kv-v2"),
        ("AuthBackend", "secrets-approle", "approle"),
    ):
        assert not fresh.one(kind, name).request.importId
        assert again.one(kind, name).request.importId == identifier


def test_an_auth_method_at_another_path_is_another_one(run_program: ProgramRunner) -> None:
    backend = make(run_program, vault={"approle": {"path": "auth-of-roe"}}).one("AuthBackend")
    assert backend.inputs["path"] == "auth-of-roe"
    assert list(backend.request.replaceOnChanges) == ["path"]


def test_a_replaced_stash_of_a_rotated_secret_generates_another_value(run_program: ProgramRunner) -> None:
    """So that the value in Vault cannot be adopted, which the warning says."""
    before = run_program.having(stashed={ROTATION: {}})
    edited = {PLAINTEXT: "edited in Vault", HASH: "old hash"}
    rotated = make(before, edited, vault={"rotation": {str(PLAINTEXT): "november"}})
    assert stash(rotated, PLAINTEXT).inputs["input"] != "edited in Vault"
    assert stash(make(before, edited), PLAINTEXT).inputs["input"] == "edited in Vault"
