"""Rotation: a line of configuration and `up` replace exactly the requested secrets, in Vault and in the cluster."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import bcrypt
import hvac
import hvac.exceptions
import pytest
import yaml

from sandbox.ports import Port
from sandbox.process import wait_for
from tests.sandbox.configuration import vary
from tests.sandbox.objects import Objects
from tests.sandbox.program import Program

PREFIX = "phalanx/sandbox"
OPERATOR = "vault-secrets-operator"
KEY = "argocd/admin.plaintext_password"
ROTATED = {
    "argocd": {"admin.plaintext_password", "admin.password", "admin.passwordMtime"},
    "gafaelfawr": {"bootstrap-token", "database-password", "redis-password", "session-secret", "signing-key"},
    "postgres": {"gafaelfawr_password"},
}
"""Keys that a rotation of one key of argocd and of all of gafaelfawr replaces."""

SLOW = 60
"""Maximum seconds until the cluster has Vault's values: the operator reads Vault at least once a minute."""

Values = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Seen:
    """The state of Vault and of the cluster at one time."""

    values: Values
    versions: Mapping[str, int]
    ids: Mapping[str, str]
    """The operator's VAULT_ROLE_ID and VAULT_SECRET_ID."""
    pods: frozenset[str]


@dataclass(frozen=True)
class Rotation:
    """An `up` with new lines under `rotation`."""

    before: Seen
    after: Seen
    program: Program
    """The configuration with these lines."""


@pytest.fixture(scope="module")
def look(vault: hvac.Client, objects: Objects) -> Callable[[], Seen]:
    """Return a function that reads the state of Vault and of the cluster."""
    kv = vault.secrets.kv.v2

    def look() -> Seen:
        names = kv.list_secrets(PREFIX, mount_point="secret")["data"]["keys"]
        read = {
            name: kv.read_secret_version(f"{PREFIX}/{name}", mount_point="secret", raise_on_deleted_version=True)[
                "data"
            ]
            for name in names
        }
        return Seen(
            values={name: each["data"] for name, each in read.items()},
            versions={name: each["metadata"]["version"] for name, each in read.items()},
            ids=objects.secret("vault-credentials", OPERATOR),
            pods=frozenset(each["metadata"]["name"] for each in objects.all("v1", "Pod", OPERATOR)),
        )

    return look


@pytest.fixture(scope="module")
def rotation(
    program: Program, vault_root: hvac.Client, look: Callable[[], Seen], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rotation]:
    """Rotate one key, one application and the secret id; deploy the original configuration afterwards."""
    write = partial(vault_root.secrets.kv.v2.create_or_update_secret, f"{PREFIX}/gafaelfawr", mount_point="secret")
    write({**look().values["gafaelfawr"], "note": "of a user"})
    metadata = {"max_versions": 20, "custom_metadata": {"owner": "somebody"}}
    vault_root.adapter.post(f"/v1/secret/metadata/{PREFIX}/gafaelfawr", json=metadata)
    before = look()
    text = str(int(time.time()))
    file = vary(
        tmp_path_factory.mktemp("rotation") / "Pulumi.sandbox.yaml",
        {"vault": {"rotation": {KEY: text, "gafaelfawr": text}, "approle": {"secretIdRotation": text}}},
    )
    varied = Program("sandbox", config_file=file)
    try:
        varied.run("up")
        yield Rotation(before, look(), varied)
    finally:
        write({key: value for key, value in look().values["gafaelfawr"].items() if key != "note"})
        vault_root.adapter.post(
            f"/v1/secret/metadata/{PREFIX}/gafaelfawr", json={"max_versions": 0, "custom_metadata": {}}
        )
        program.run("up")


def test_only_the_requested_secrets_and_their_dependents_are_replaced(rotation: Rotation) -> None:
    assert changed(rotation.before.values, rotation.after.values) == ROTATED
    written = {name for name, version in rotation.after.versions.items() if version != rotation.before.versions[name]}
    assert written == ROTATED.keys()


def test_hash_and_time_follow_the_password(rotation: Rotation) -> None:
    old, new = rotation.before.values["argocd"], rotation.after.values["argocd"]
    assert bcrypt.checkpw(new["admin.plaintext_password"].encode(), new["admin.password"].encode())
    assert new["admin.passwordMtime"] > old["admin.passwordMtime"]


def test_a_copy_is_updated(rotation: Rotation) -> None:
    values = rotation.after.values
    assert values["postgres"]["gafaelfawr_password"] == values["gafaelfawr"]["database-password"]


def test_keys_of_users_are_kept(rotation: Rotation, vault_root: hvac.Client) -> None:
    assert rotation.after.values["gafaelfawr"]["note"] == "of a user"
    path = f"{PREFIX}/gafaelfawr"
    metadata = vault_root.secrets.kv.v2.read_secret_metadata(path, mount_point="secret")["data"]
    assert (metadata["max_versions"], metadata["custom_metadata"]) == (20, {"owner": "somebody"})
    version = rotation.before.versions["gafaelfawr"]
    older = vault_root.secrets.kv.v2.read_secret_version(
        path, version=version, mount_point="secret", raise_on_deleted_version=True
    )
    assert older["data"]["data"] == rotation.before.values["gafaelfawr"]


def test_the_cluster_has_the_new_values_within_a_minute(rotation: Rotation, objects: Objects) -> None:
    wanted = rotation.after.values

    def followed() -> bool:
        argocd = objects.secret("argocd-secret", "argocd")
        return argocd["admin.password"] == wanted["argocd"]["admin.password"] and all(
            objects.secret(name, name) == wanted[name] for name in ("gafaelfawr", "postgres")
        )

    wait_for(followed, "the cluster has the new values", timeout=SLOW)


def test_the_old_secret_id_is_revoked_and_the_new_one_valid(rotation: Rotation) -> None:
    old, new = rotation.before.ids, rotation.after.ids
    assert (old["VAULT_ROLE_ID"], old["VAULT_SECRET_ID"]) != (new["VAULT_ROLE_ID"], new["VAULT_SECRET_ID"])
    client = hvac.Client(url=Port.VAULT.url)
    with pytest.raises(hvac.exceptions.InvalidRequest):
        client.auth.approle.login(role_id=old["VAULT_ROLE_ID"], secret_id=old["VAULT_SECRET_ID"])
    client.auth.approle.login(role_id=new["VAULT_ROLE_ID"], secret_id=new["VAULT_SECRET_ID"])


def test_the_operator_is_restarted_and_continues(rotation: Rotation, objects: Objects) -> None:
    assert rotation.after.pods.isdisjoint(rotation.before.pods)

    def reconciled() -> bool:
        every = objects.all("ricoberger.de/v1alpha1", "VaultSecret")
        return bool(every) and all(
            condition["status"] == "True" for each in every for condition in each["status"]["conditions"]
        )

    wait_for(reconciled, "all VaultSecrets are reconciled", timeout=SLOW)


def test_no_changes_remain(rotation: Rotation) -> None:
    assert rotation.program.changes("preview") == {}
    assert rotation.program.changes("refresh") == {}


def test_removing_the_lines_rotates_no_secret(rotation: Rotation, look: Callable[[], Seen], tmp_path: Path) -> None:
    text = vary_without_rotation(rotation.program.config_file, tmp_path / "Pulumi.sandbox.yaml")
    assert Program("sandbox", config_file=text).changes("preview") == {}
    assert changed(rotation.after.values, look().values) == {}


def vary_without_rotation(file: Path | None, to: Path) -> Path:
    """Write the same configuration without the lines under `rotation`."""
    assert file
    document: Any = yaml.safe_load(file.read_text())
    del document["config"]["rsp:vault"]["rotation"]
    to.touch(mode=0o600)
    to.write_text(yaml.safe_dump(document, sort_keys=False))
    return to


def changed(before: Values, after: Values) -> dict[str, set[str]]:
    """Return the keys that differ, by application."""
    every = {
        name: {
            key
            for key in before.get(name, {}).keys() | after.get(name, {}).keys()
            if before.get(name, {}).get(key) != after.get(name, {}).get(key)
        }
        for name in before.keys() | after.keys()
    }
    return {name: keys for name, keys in every.items() if keys}
