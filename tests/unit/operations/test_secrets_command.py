import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from operations import secrets, secrets_prune, secrets_status
from operations.secrets_status import SecretState
from phalanx.errors import SecretsError
from phalanx.generators import GeneratorType
from phalanx.secrets import Copied, Generated, Literal, Origin, Plan, PlannedSecret, SecretKey, Static, Wired
from tests.unit.json_server import json_server
from tests.unit.phalanx import phalanx_git
from tests.unit.phalanx.repository import SETTINGS, copied, generated, static
from tests.unit.sample import write_stack

PREFIX = "secret/phalanx/test"


def planned(**origins: Origin) -> Plan:
    return Plan(PlannedSecret(key=secret_key(name), description="", origin=origin) for name, origin in origins.items())


def secret_key(name: str) -> SecretKey:
    return SecretKey("tap", name)


class TestStates:
    """States of secrets."""

    PLAN = planned(
        given=Static(),
        stored=Static(),
        wanted=Static(),
        follows=Copied(secret_key("wanted")),
        made=Generated(GeneratorType.PASSWORD),
        kept=Generated(GeneratorType.PASSWORD),
        fixed=Literal("value"),
        wired=Wired(),
    )
    CONFIGURED = (secret_key("given"), secret_key("made"), SecretKey("other", "given"))

    def test_a_missing_static_secret_makes_its_copies_missing(self) -> None:
        states = secrets_status.states(
            self.PLAN,
            self.CONFIGURED,
            {
                secret_key("stored"): True,
                secret_key("kept"): True,
                secret_key("given"): True,
                secret_key("wanted"): False,
                secret_key("old"): False,
            },
        )
        assert {key.name: state for key, state in states.items()} == {
            "given": SecretState.CONFIGURED,
            "stored": SecretState.IN_VAULT,
            "wanted": SecretState.MISSING,
            "follows": SecretState.MISSING,
            "made": SecretState.SET_BY_UP,
            "kept": SecretState.IN_VAULT,
            "fixed": SecretState.SET_BY_UP,
            "wired": SecretState.SET_BY_UP,
            "old": SecretState.NOT_NEEDED,
        }

    def test_no_secret_is_missing_if_vault_cannot_be_read(self) -> None:
        states = secrets_status.states(self.PLAN, self.CONFIGURED, None)
        assert {key.name for key, state in states.items() if state is SecretState.UNKNOWN} == {
            "stored",
            "wanted",
            "follows",
        }
        assert SecretState.MISSING not in states.values()


APPLICATIONS = ("argocd", "ingress-nginx", "mobu", "postgres", "vault-secrets-operator")

POSTGRES = f"""\
apiVersion: ricoberger.de/v1alpha1
kind: VaultSecret
metadata: {{name: postgres}}
spec: {{path: {PREFIX}/postgres}}
---
apiVersion: v1
kind: Pod
metadata: {{name: postgres}}
spec:
  containers:
    - env:
        - valueFrom: {{secretKeyRef: {{name: postgres, key: replication_password}}}}
"""


@pytest.fixture
def repository(tmp_path: Path, helm: str) -> Path:  # noqa: ARG001 - on PATH
    """Create a Phalanx repository with applications, one of which reads a key that it does not declare."""
    return phalanx_git.init(
        tmp_path / "phalanx",
        {
            "environments/Chart.yaml": phalanx_git.CHART,
            "environments/values.yaml": SETTINGS | {"applications": dict.fromkeys(APPLICATIONS, True)},
            "environments/values-test.yaml": {},
            **{
                f"environments/templates/{name}.yaml": phalanx_git.application(name, revisions=False)
                for name in APPLICATIONS
            },
            **{f"applications/{name}/Chart.yaml": phalanx_git.CHART for name in APPLICATIONS},
            **{f"applications/{name}/{file}.yaml": {} for name in APPLICATIONS for file in ("values", "values-test")},
            "applications/mobu/secrets.yaml": {"hook": static(), "token": generated("password")},
            "applications/postgres/secrets.yaml": {"alert": copied("mobu", "hook")},
            "applications/postgres/templates/postgres.yaml": POSTGRES,
        },
    )


@pytest.fixture
def stack(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Change to a project with a stack ``test``, and yield the URL of its Vault."""
    monkeypatch.setenv("VAULT_TOKEN", "hvs.of-the-test")
    monkeypatch.chdir(tmp_path)
    secret = {"data": {"data": {"token": "value-in-vault", "hook": "", "note": "x"}, "metadata": {"version": 3}}}
    old = {"data": {"data": {"one": "value-in-vault", "two": "value-in-vault"}, "metadata": {"version": 3}}}
    answers = {
        "GET /v1/sys/seal-status": (200, {"initialized": True, "sealed": False}),
        "GET /v1/auth/token/lookup-self": (200, {"data": {"ttl": 0}}),
        "GET /v1/sys/internal/ui/mounts": (200, {"data": {"secret": {}}}),
        "LIST /v1/secret/metadata/phalanx/test": (200, {"data": {"keys": ["mobu", "old", "gone", "deeper/"]}}),
        "GET /v1/secret/data/phalanx/test/mobu": (200, secret),
        "GET /v1/secret/data/phalanx/test/old": (200, old),
    }
    with json_server(answers) as url:
        configure(repository, vault__address=url)
        yield url


def configure(repository: Path, **changes: Any) -> None:
    write_stack(
        phalanx={"repository": f"file://{repository}", "environment": "test"},
        secrets__applications={"postgres": {"replication_password": "value-in-clear"}},
        **changes,
    )


def run(*arguments: str) -> Result:
    return CliRunner().invoke(secrets.app, [*arguments, "-s", "test"])


@pytest.mark.usefixtures("stack")
def test_status_shows_origin_and_state_of_each_secret() -> None:
    result = run("status", "--json")
    report = json.loads(result.output)
    assert {f"{one['application']}/{one['key']}": (one["from"], one["state"]) for one in report["secrets"]} == {
        "mobu/hook": ("operator", "missing"),
        "mobu/token": ("generated: password", "in Vault"),
        "postgres/alert": ("copy of mobu/hook", "missing"),
        "postgres/replication_password": ("operator", "configured"),
        "pull-secret/.dockerconfigjson": ("rsp:secrets.registries", "set by pulumi up"),
        "mobu/note": ("", "not needed"),
        "old/one": ("", "not needed"),
        "old/two": ("", "not needed"),
    }
    descriptions = {one["key"]: one["description"] for one in report["secrets"]}
    assert descriptions["hook"] == "What it is for"
    assert "read by postgres: Pod/postgres" in descriptions["replication_password"]
    assert report["counts"] == {"configured": 1, "in Vault": 1, "set by pulumi up": 1, "missing": 2, "not needed": 3}
    assert report["problems"] == []
    assert result.exit_code == 1


@pytest.mark.usefixtures("stack")
def test_a_chart_that_pulumi_up_refuses_is_refused(repository: Path) -> None:
    phalanx_git.commit(repository, {"applications/mobu/Chart.yaml": phalanx_git.CHART | {"kubeVersion": "<1.0.0"}})
    assert "applications/mobu/Chart.yaml: kubeVersion" in str(run("status").exception)


@pytest.mark.usefixtures("stack")
def test_status_shows_the_commands_for_missing_secrets() -> None:
    result = run("status")
    assert "8 secrets: 1 configured, 1 in Vault, 1 set by pulumi up, 2 missing, 3 not needed." in result.output
    assert "You must provide these secrets:" in result.output
    command = 'pulumi config set --secret --path \'rsp:secrets.applications["mobu"]["hook"]\' -s test\n'
    assert command in result.output
    assert result.output.count("pulumi config set") == 1
    assert "value-in" not in result.output


@pytest.mark.usefixtures("stack")
def test_status_reports_a_missing_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAULT_TOKEN")
    monkeypatch.setenv("HOME", str(Path.cwd()))
    result = run("status", "--json")
    report = json.loads(result.output)
    assert [one["state"] for one in report["secrets"]] == [
        *("unknown", "set by pulumi up", "unknown", "configured", "set by pulumi up"),
    ]
    assert "set VAULT_TOKEN" in report["problems"][0]["what"]
    assert result.exit_code == 1


def test_status_reports_a_missing_permission(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "hvs.of-the-test")
    monkeypatch.chdir(tmp_path)
    answers = {
        "GET /v1/sys/seal-status": (200, {"initialized": True, "sealed": False}),
        "GET /v1/auth/token/lookup-self": (200, {"data": {"ttl": 0}}),
        "GET /v1/sys/internal/ui/mounts": (200, {"data": {"secret": {}}}),
        "LIST /v1/secret/metadata/phalanx/test": (403, {"errors": ["permission denied"]}),
    }
    with json_server(answers) as url:
        configure(repository, vault__address=url)
        report = json.loads(run("status", "--json").output)
    assert f"permission denied below {PREFIX}: " in report["problems"][0]["what"]


@pytest.mark.usefixtures("stack")
def test_a_template_is_readable_by_its_owner_only_and_never_overwritten() -> None:
    result = run("template", "-o", "given.yaml")
    assert result.exit_code == 0, result.output
    path = Path("given.yaml")
    assert path.stat().st_mode & 0o777 == 0o600
    assert {name: list(keys) for name, keys in yaml.safe_load(path.read_text())["applications"].items()} == {
        "mobu": ["hook"],
        "postgres": ["replication_password"],
    }
    assert path.read_text() == run("template").output
    path.write_text("filled in")
    assert run("template", "-o", "given.yaml").exit_code == 2
    assert path.read_text() == "filled in"


def test_secrets_in_a_file_are_configured(repository: Path, stack: str) -> None:
    run("template", "-o", "given.yaml")
    path = Path("given.yaml")
    path.write_text(path.read_text().replace("value: null", "value: given", 1))
    configure(repository, vault__address=stack, secrets__file="given.yaml")
    report = json.loads(run("status", "--json").output)
    states = [one["state"] for one in report["secrets"] if one["state"] != "not needed"]
    assert states == ["configured", "in Vault", "set by pulumi up", "configured", "set by pulumi up"]


@pytest.mark.usefixtures("stack")
def test_prune_without_arguments_removes_nothing() -> None:
    result = run("prune")
    assert result.exit_code == 0
    assert result.output.splitlines()[1:4] == ["  mobu/note", "  old/one", "  old/two"]
    assert result.output.endswith("Nothing was removed.\n")


@pytest.mark.usefixtures("stack")
def test_prune_asks_for_confirmation(monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[secrets_prune.Removal] = []

    def remove(removals: list[secrets_prune.Removal], *_: object) -> list[str]:
        removed.extend(removals)
        return ["Removed."]

    monkeypatch.setattr(secrets_prune, "remove", remove)
    refused = CliRunner().invoke(secrets.app, ["prune", "-s", "test", "mobu/note"], input="n\n")
    assert refused.exit_code == 1
    assert "To remove: mobu/note\nRemove them? [y/N]: n" in refused.output
    assert removed == []
    assert run("prune", "--all", "--yes").exit_code == 0
    assert removed == [secrets_prune.Removal("mobu", ("note",)), secrets_prune.Removal("old", ())]


@pytest.mark.usefixtures("stack")
def test_prune_reports_a_missing_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAULT_TOKEN")
    monkeypatch.setenv("HOME", str(Path.cwd()))
    result = run("prune")
    assert isinstance(result.exception, SecretsError)
    assert "set VAULT_TOKEN" in str(result.exception)
