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
    "newSetting": None,
}


def load(tmp_path: Path, **settings: Any) -> environment.Environment:
    own = {"name": "test", "fqdn": "rsp.example.org", "vaultPathPrefix": "secret/phalanx/test", **settings}
    write(tmp_path, {"environments/values.yaml": BASE, "environments/values-test.yaml": own})
    write(tmp_path, {f"applications/{name}/values.yaml": {} for name in ("argocd", "consdb", "tap")})
    return environment.load(tmp_path, "test")


def problems(tmp_path: Path, **settings: Any) -> list[str]:
    with pytest.raises(PhalanxError) as caught:
        load(tmp_path, **settings)
    return list(caught.value.problems)


def test_settings_of_the_environment_override_the_defaults(tmp_path: Path) -> None:
    loaded = load(tmp_path, applications={"tap": True})
    assert loaded.enabled_applications == ("argocd", "tap")
    assert (loaded.app_of_apps_name, loaded.fqdn) == ("app-of-apps", "rsp.example.org")


def test_an_environment_can_disable_a_default_application(tmp_path: Path) -> None:
    assert load(tmp_path, applications={"argocd": False}).enabled_applications == ()


def test_an_environment_can_enable_an_application_without_a_default(tmp_path: Path) -> None:
    assert load(tmp_path, applications={"consdb": True}).enabled_applications == ("argocd", "consdb")


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


@pytest.mark.parametrize("url", ["https://vault.example.org/", "http://192.0.2.1:8200", "https://[::1]:8200"])
def test_vault_may_have_any_host_and_port(tmp_path: Path, url: str) -> None:
    assert load(tmp_path, vaultUrl=url).vault_url == url


def test_settings_of_other_versions_of_phalanx_are_allowed(tmp_path: Path) -> None:
    write(tmp_path, {"environments/templates/a.yaml": 'a: {{ .Values.novelty }} {{ index .Values "other" }}'})
    assert load(tmp_path, controlSystem={"imageTag": "c0042"}, novelty=1, other=2, newSetting=3).name == "test"


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"fqdn": None}, "fqdn: must be text: put it in quotes"),
        ({"fqdn": 5}, "fqdn: must be text: put it in quotes"),
        *(
            ({"fqdn": host}, f"fqdn: {host!r} is not a host name: expected lower-case letters, digits")
            for host in (
                "",
                "rsp",
                "https://rsp.example.org",
                "rsp.example.org:443",
                "RSP.example.org",
                "*.example.org",
            )
        ),
        *(
            ({"fqdn": host}, f"fqdn: {host!r} is not a host name")
            for host in (
                "rsp.example.org.",
                "a b.example.org",
                "-a.example.org",
                "192.0.2.1",
                f"{'a' * 64}.example.org",
            )
        ),
        *(
            ({"vaultPathPrefix": path}, f"vaultPathPrefix: {path!r} is not a path in Vault: expected the mount")
            for path in ("secret", "secret//test", "secret/", "/secret/test", "secret/+", "secret/*", "secret/a*/b")
        ),
        *(
            ({"vaultPathPrefix": path}, f"vaultPathPrefix: {path!r} is not a path in Vault")
            for path in ("secret/../other", "secret/./test", 'secret/a"b', "secret/a b", "secret/a\nb")
        ),
        *(
            ({"vaultUrl": url}, f"vaultUrl: {url!r} is not the URL of a Vault: expected http or https and a host")
            for url in ("", "vault.example.org", "ftp://vault.example.org", "https://", "https://a_b", "https:///path")
        ),
        ({"vaultUrl": "https://[::1"}, "vaultUrl: is not a URL: expected http"),
        ({"vaultUrl": "https://vault.example.org:99999"}, "vaultUrl: is not a URL: expected http"),
        ({"vaultUrl": "https://vault.example.org/a b"}, "vaultUrl: 'https://vault.example.org/a b' must not contain"),
        ({"vaultUrl": "https://somebody:hunter2@vault.example.org"}, "vaultUrl: must not contain a user or password"),
        ({"vaultUrl": "https://hunter2@vault.example.org"}, "vaultUrl: must not contain a user or password"),
        ({"appOfAppsName": "-x"}, "appOfAppsName: '-x' is not the name of an application"),
        ({"applications": {"tap": "maybe"}}, "applications.tap: must be true or false, without quotes"),
        ({"applications": {"tap": "true"}}, "applications.tap: must be true or false, without quotes"),
        ({"applications": {"tap": None}}, "applications.tap: must be true or false, without quotes"),
        ({"applications": ["tap"]}, "applications: must be a mapping"),
        ({"applications": {5: True}}, "applications[5]: this key must be text: put it in quotes"),
        ({"applications": {"../tap": True}}, "applications.../tap: is not the name of an application"),
        (
            {"applications": {"tpa": True}},
            "applications.tpa: is true, but the Phalanx repository has no directory applications/tpa; did you mean tap",
        ),
        ({"applications": {"tpa": False}}, "applications.tpa: is false, but the Phalanx repository has no directory"),
        ({"name": "tset"}, "name: expected 'test', found 'tset'"),
        ({"name": 5}, "name: must be text: put it in quotes"),
        ({"vaultURL": "https://vault.example.org"}, "vaultURL: is not a setting of Phalanx; did you mean vaultUrl?"),
        ({"application": {}}, "application: is not a setting of Phalanx; did you mean applications?"),
        ({"revisions": {"tpa": "main"}}, "revisions.tpa: the application is unknown: enable it"),
        ({"revisions": {"postgres": "main"}}, "revisions.postgres: the application is disabled: enable it"),
        ({"revisions": {"argocd": "-u"}}, "revisions.argocd: '-u' is not the name of a revision"),
        ({"revisions": {"argocd": 1.0}}, "revisions.argocd: must be text: put it in quotes"),
        ({"revisions": None}, "revisions: must be a mapping"),
    ],
)
def test_an_invalid_setting_is_reported_with_its_file(tmp_path: Path, settings: dict[str, Any], problem: str) -> None:
    (found,) = problems(tmp_path, **settings)
    assert found.startswith(f"environments/values-test.yaml: {problem}")
    assert "hunter2" not in found


def test_all_problems_are_reported_together_each_with_its_own_file(tmp_path: Path) -> None:
    write(tmp_path, {"environments/values.yaml": {}})
    own = {"fqdn": "RSP", "vaultURL": "", "applications": {"tpa": True}}
    write(
        tmp_path,
        {"environments/values.yaml": BASE | {"vaultUrl": "nowhere"}, "environments/values-test.yaml": own},
    )
    with pytest.raises(PhalanxError) as caught:
        environment.load(tmp_path, "test")
    assert [": ".join(problem.split(": ")[:2]) for problem in caught.value.problems] == [
        "environments/values-test.yaml: vaultURL",
        "environments/values-test.yaml: applications.argocd",
        "environments/values-test.yaml: applications.tpa",
        "environments/values-test.yaml: fqdn",
        "environments/values.yaml: vaultUrl",
        "environments/values.yaml: vaultPathPrefix",
        "environments/values-test.yaml: name",
    ]


def test_both_files_are_read_before_problems_are_reported(tmp_path: Path) -> None:
    write(tmp_path, {"environments/values.yaml": "a: 1\na: 2\n", "environments/values-test.yaml": "- a\n"})
    with pytest.raises(PhalanxError) as caught:
        environment.load(tmp_path, "test")
    assert caught.value.problems == (
        "environments/values.yaml:2: repeats the key a of line 1: remove one of them",
        "environments/values-test.yaml: expected a mapping (`key: value`), found a list",
    )


def test_an_unknown_environment_is_reported_with_the_existing_ones(tmp_path: Path) -> None:
    write(tmp_path, {f"environments/{name}": SETTINGS for name in ("values.yaml", "values-b.yaml", "values-a-1.yaml")})
    with pytest.raises(
        PhalanxError, match=r"^rsp:phalanx\.environment: .* no environment 'roe' .*; existing environments: a-1, b$"
    ):
        environment.load(tmp_path, "roe")


def test_a_directory_that_is_not_a_phalanx_repository_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(
        PhalanxError,
        match=r"^rsp:phalanx\.repository: is not a Phalanx repository: it has no environments/values\.yaml",
    ) as caught:
        environment.load(tmp_path, "roe")
    assert str(tmp_path) not in str(caught.value)
