import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner, Result

from config import versions
from config.stack_config import StackConfig
from operations.__main__ import app
from phalanx.application import Application
from phalanx.claims import Claim
from phalanx.errors import CheckoutError, PhalanxError
from phalanx.git_credentials import Token
from probes import preflight
from probes.problem import Problem
from tests.unit.sample import environment, environment_data, write_stack

WARNING = Problem(where="Vault", what="expires soon", fatal=False)
FATAL = Problem(where="rsp:nfs.image", what="the cloud has no `x`; it has: y")


@pytest.fixture
def services(stack: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:  # noqa: ARG001 - the present directory
    """Replace the three services, which report no problems by default."""
    found = SimpleNamespace(openstack=[], vault=[], asked=[])
    found.target = SimpleNamespace(vault_url="https://vault.example.org/")

    def ask_vault(*asked: object, preview: bool) -> list[Problem]:
        found.asked.append((*asked, preview))
        problems: list[Problem] = found.vault
        return problems

    monkeypatch.setattr("probes.openstack_preflight.check", lambda *_, **__: lambda _: found.openstack)
    monkeypatch.setattr("probes.vault_preflight.check", ask_vault)
    monkeypatch.setattr("phalanx.checkout.resolve", lambda *_, **__: SimpleNamespace(path=Path()))
    monkeypatch.setattr("phalanx.environment.load", lambda *_: found.target)
    found.warnings, found.missing, found.claims, found.applications = [], [], [], {}
    monkeypatch.setattr("phalanx.source.load", lambda *_, **__: found)
    monkeypatch.setattr("operations.secrets_status.missing", lambda _: found.missing)
    return found


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["preflight", "--stack", "test", *arguments])


def test_all_problems_are_reported_fatal_ones_first(services: SimpleNamespace) -> None:
    services.openstack, services.vault = [WARNING], [FATAL]
    assert preflight.Queries(environment(), "test").problems() == [FATAL, WARNING]


def test_the_claims_of_the_applications_count(services: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[Claim] = []

    def problems(claims: Sequence[Claim]) -> list[Problem]:
        counted.extend(claims)
        return []

    monkeypatch.setattr("probes.openstack_preflight.check", lambda *_, **__: problems)
    services.claims = [Claim(application="tap", namespace="tap", name="cache", storage_class="standard", size=8)]
    assert run().exit_code == 0
    assert counted == services.claims


def test_a_run_ends_that_fails_while_the_queries_are_sent() -> None:
    program = """
from concurrent.futures import wait
import openstack
from probes.preflight import Queries
from tests.unit.probes.fake_project import FakeProject
from tests.unit.sample import environment
openstack.connect = lambda **_: FakeProject()
queries = Queries(environment(phalanx__repository="/nonexistent"), "test")
wait([queries._openstack], timeout=10)  # while the program imports its other modules
raise SystemExit("a module is missing")
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert ended.stderr == "a module is missing\n"


def test_the_address_of_vault_comes_from_the_checkout(services: SimpleNamespace) -> None:
    settings: StackConfig = environment()
    assert preflight.Queries(settings, "test").problems() == []
    assert preflight.Queries(settings, "test", preview=True).problems() == []
    asked = ("https://vault.example.org", services.target, settings.vault, "test")
    assert services.asked == [(*asked, False), (*asked, True)]


def test_the_checkout_is_resolved_once(services: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    resolved: list[object] = []

    def resolve(*asked: object, **_: object) -> SimpleNamespace:
        resolved.append(asked)
        return SimpleNamespace(path=Path("checkout"))

    monkeypatch.setattr("phalanx.checkout.resolve", resolve)
    asked = preflight.Queries(environment(), "test")
    assert asked.problems() == []
    tree, target = asked.phalanx()
    assert (tree.path, target) == (Path("checkout"), services.target)
    assert len(resolved) == 1


def test_a_missing_repository_raises(services: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phalanx.checkout.resolve", Mock(side_effect=CheckoutError("cannot be read")))
    with pytest.raises(CheckoutError, match="cannot be read"):
        preflight.Queries(environment(), "test").phalanx()
    assert services.asked == []


def test_the_configuration_overrides_the_address_of_vault(services: SimpleNamespace) -> None:
    preflight.Queries(environment(vault={"address": "http://127.0.0.1:8200"}), "test").problems()
    assert services.asked[0][0] == "http://127.0.0.1:8200"


def test_a_missing_revision_is_reported(services: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("phalanx.checkout.resolve", Mock(side_effect=CheckoutError("rsp:phalanx.revision: no branch")))
    services.openstack = [FATAL]
    assert preflight.Queries(environment(), "test").problems() == [
        FATAL,
        Problem(where="rsp:phalanx.revision", what="no branch"),
    ]


def test_callback_urls_are_printed(services: SimpleNamespace) -> None:
    services.target.fqdn = "rsp.example.org"
    values = {"config": {"github": {"clientId": "id"}}}
    services.applications = {"gafaelfawr": Application(name="gafaelfawr", values=values)}
    result = run()
    assert result.stdout.splitlines()[0] == (
        "sign-in: GitHub, client ID id, callback URL https://rsp.example.org/login, secret "
        "gafaelfawr/github-client-secret"
    )


def test_the_command_fails_only_on_fatal_problems(services: SimpleNamespace) -> None:
    services.vault = [WARNING]
    good = run()
    assert (good.exit_code, good.stderr) == (0, "Vault (warning): expires soon\n")
    assert good.stdout.startswith("test: no problem (")
    services.openstack = [FATAL]
    bad = run()
    assert bad.exit_code == 1
    assert "rsp:nfs.image: the cloud has no `x`; it has: y\n" in bad.stderr
    assert bad.stdout.startswith("test: 1 problem (")


def test_the_command_reports_problems_of_the_applications(
    services: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stack(applications__overrides={"tap": {"revision": "v1"}})
    services.vault = [WARNING]

    def load(*_: object, revisions: Mapping[str, str], bootstrap: bool, kubernetes: frozenset[str]) -> None:
        assert revisions == {"tap": "v1"}
        assert (bootstrap, kubernetes) == (False, frozenset({versions.KUBERNETES}))
        raise PhalanxError("applications/tap/values.yaml:2: not valid YAML: a key", "applications/tap: no")

    monkeypatch.setattr("phalanx.source.load", load)
    result = run("--json")
    assert result.exit_code == 1
    assert [(problem["where"], problem["what"]) for problem in json.loads(result.stdout)] == [
        ("applications/tap/values.yaml:2", "not valid YAML: a key"),
        ("applications/tap", "no"),
        ("Vault", "expires soon"),
    ]


def test_the_command_reports_missing_secrets_and_values_without_effect(services: SimpleNamespace) -> None:
    services.warnings = ["applications/tap/values-test.yaml: a: has no effect"]
    result = run()
    assert result.exit_code == 0
    assert result.stderr == "applications/tap/values-test.yaml (warning): a: has no effect\n"
    services.missing = [Problem(where="secret tap/key", what="is missing")]
    result = run()
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == "secret tap/key: is missing"


def test_the_command_reports_a_claim_that_does_not_exist_with_the_other_problems(services: SimpleNamespace) -> None:
    write_stack(clusters__cluster__claims={"postgres/physpv": "6a3c6ab7-3f5b-4d0a-9e34-9c6f5b1f6f0e"})
    services.warnings = ["applications/tap/values-test.yaml: a: has no effect"]
    services.missing = [Problem(where="secret tap/key", what="is missing")]
    result = run()
    assert result.exit_code == 1
    assert [line.split(": ")[0] for line in result.stderr.splitlines()] == [
        "rsp:clusters.cluster.claims.postgres/physpv",
        "secret tap/key",
        "applications/tap/values-test.yaml (warning)",
    ]


def test_the_command_warns_of_directories_that_labs_miss(services: SimpleNamespace) -> None:
    mounted = [{"source": {"type": "nfs", "serverPath": "/data/butler/rubin"}}]
    values = {"controller": {"config": {"lab": {"volumes": mounted}}}}
    services.applications = {"nublado": Application(name="nublado", values=values, files={"values.yaml": values})}
    result = run()
    assert result.exit_code == 0
    assert "serverPath: a new volume has no /data/butler/rubin" in result.stderr


def test_the_command_prints_json(services: SimpleNamespace) -> None:
    services.openstack = [FATAL]
    result = run("--json")
    assert json.loads(result.stdout) == [
        {"where": "rsp:nfs.image", "what": "the cloud has no `x`; it has: y", "fatal": True},
    ]


def test_the_command_warns_of_secrets_in_plain_text(services: SimpleNamespace) -> None:
    write_stack(secrets={"applications": {"argocd": {"key": "planted"}}})
    result = run()
    assert result.exit_code == 0
    assert "Pulumi.test.yaml (warning): rsp:secrets.applications.argocd.key is a secret in plain text" in result.stderr
    assert "planted" not in result.output
    assert services.asked


def test_an_invalid_configuration_is_reported_without_requests(services: SimpleNamespace) -> None:
    write_stack(clusters__cluster__masters__count=2)
    result = run()
    assert result.exit_code == 1
    assert "Pulumi.test.yaml: rsp:clusters.cluster.masters.count: must be odd, got 2" in result.stderr
    assert services.asked == []


def test_encrypted_credentials_of_the_repository_are_decrypted_by_pulumi(
    services: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.credentials = []

    def resolve(*_: object, credentials: object) -> SimpleNamespace:
        services.credentials.append(credentials)
        return SimpleNamespace(path=Path())

    monkeypatch.setattr("phalanx.checkout.resolve", resolve)
    write_stack(phalanx__credentials={"kind": "https", "token": {"secure": "v1:abc:def"}})
    decrypted = {**environment_data()["phalanx"], "credentials": {"kind": "https", "token": "planted-token"}}
    program = tmp_path / "pulumi"
    program.write_text(f"#!/bin/sh\necho \"$@\" > called\necho '{json.dumps(decrypted)}'\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    result = run()
    assert result.exit_code == 0, result.output
    assert services.credentials == [Token(username="git", token="planted-token")]
    called = (tmp_path / "called").read_text()
    assert called == "config get rsp:phalanx --stack test --non-interactive --color=never\n"

    program.write_text("#!/bin/sh\necho 'error: incorrect passphrase' >&2\nexit 1\n")
    failed = run()
    assert str(failed.exception) == "`pulumi config get -s test` failed with exit code 1: error: incorrect passphrase"
