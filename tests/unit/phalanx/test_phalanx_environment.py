from pathlib import Path
from typing import Any

import pytest

from phalanx import environment
from phalanx.errors import PhalanxError
from tests.unit.phalanx.repository import SETTINGS, write

BASE = dict.fromkeys(("name", "fqdn", "vaultPathPrefix"), "") | {
    "appOfAppsName": "app-of-apps",
    "vaultUrl": "https://vault.example.org",
    "repoUrl": "https://example.org/phalanx.git",
    "targetRevision": "main",
    "applications": {"argocd": True, "postgres": False, "tap": False},
    "defaultComputeClass": None,
}


def load(tmp_path: Path, **settings: Any) -> environment.Environment:
    own = {"name": "test", "fqdn": "rsp.example.org", "vaultPathPrefix": "secret/phalanx/test", **settings}
    write(tmp_path, {"environments/values.yaml": BASE, "environments/values-test.yaml": own})
    return environment.load(tmp_path, "test")


def test_settings_of_the_environment_override_the_defaults(tmp_path: Path) -> None:
    loaded = load(tmp_path, applications={"tap": True})
    assert loaded.enabled_applications == ("argocd", "tap")
    assert (loaded.app_of_apps_name, loaded.fqdn) == ("app-of-apps", "rsp.example.org")


def test_an_environment_can_disable_a_default_application(tmp_path: Path) -> None:
    assert load(tmp_path, applications={"argocd": False}).enabled_applications == ()


@pytest.mark.parametrize(
    ("prefix", "mount", "path", "role"),
    [("secret/phalanx/test", "secret", "phalanx/test", "test"), ("kv-v2/test", "kv-v2", "test", "test")],
)
def test_names_in_vault_are_derived_from_the_path(
    tmp_path: Path, prefix: str, mount: str, path: str, role: str
) -> None:
    loaded = load(tmp_path, vaultPathPrefix=prefix)
    assert (loaded.vault_mount, loaded.vault_path, loaded.vault_role) == (mount, path, role)
    assert (loaded.vault_read_policy, loaded.vault_write_policy) == (f"{path}/read", f"{path}/write")


def test_settings_of_other_versions_of_phalanx_are_ignored(tmp_path: Path) -> None:
    assert load(tmp_path, controlSystem={"imageTag": "c0042"}, novelty=1).name == "test"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fqdn": None}, "environments/values-test.yaml: fqdn: must be text: put it in quotes"),
        ({"fqdn": ""}, "environments/values-test.yaml: fqdn: String should have at least 1 character"),
        ({"vaultPathPrefix": "secret"}, "environments/values-test.yaml: vaultPathPrefix: String should match pattern"),
        ({"vaultPathPrefix": "secret//test"}, "environments/values-test.yaml: vaultPathPrefix: String should match"),
        (
            {"applications": {"tap": "maybe"}},
            "environments/values-test.yaml: applications.tap: Input should be a valid",
        ),
        ({"name": "tset"}, "environments/values-test.yaml: name: expected 'test', found 'tset'"),
    ],
)
def test_an_invalid_setting_is_reported_with_its_file(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(PhalanxError) as caught:
        load(tmp_path, **settings)
    assert message in str(caught.value)


def test_an_unknown_environment_is_reported_with_the_existing_ones(tmp_path: Path) -> None:
    write(tmp_path, {f"environments/{name}": SETTINGS for name in ("values.yaml", "values-b.yaml", "values-a-1.yaml")})
    with pytest.raises(PhalanxError, match=r"has no environment 'roe' .*; existing environments: a-1, b$"):
        environment.load(tmp_path, "roe")


def test_a_directory_that_is_not_a_phalanx_repository_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(PhalanxError, match=r"is not a Phalanx repository: it has no environments/values\.yaml"):
        environment.load(tmp_path, "roe")
