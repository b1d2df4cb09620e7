import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner, Result

from operations.__main__ import app
from phalanx import checkout
from phalanx.checkout import Checkout
from recovery.pulumi_stack import PulumiError, PulumiStack
from tests.unit.sample import write_stack

UPSTREAM = Path(__file__).parents[2] / "conformance" / "data" / "upstream"
ADDRESS = "203.0.113.16"
VOLUMES = {name: {"size": 1} for name in ("data", "datasets", "jhome")}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy a real repository, and configure the stack ``test`` for its environment ukidacdev."""
    root = Path(shutil.copytree(UPSTREAM, tmp_path / "phalanx"))

    def resolve(repository: str, revision: str, *_: str, credentials: None) -> Checkout:
        return Checkout(repository=repository, revision=revision, commit="0" * 40, path=root, credentials=credentials)

    monkeypatch.setattr(checkout, "resolve", resolve)
    monkeypatch.setattr(PulumiStack, "outputs", lambda _: {"ingressAddress": ADDRESS})
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    configure()
    return root


def configure(**changes: Any) -> None:
    classes = {"storageClasses": {"ceph-hdd": {"volumeType": "x"}}, "databaseStorageClass": "ceph-hdd"}
    write_stack(phalanx__environment="ukidacdev", nfs__volumes=VOLUMES, applications=classes, **changes)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["wiring", "-s", "test", *arguments])


@pytest.mark.usefixtures("repository")
def test_differences_are_shown_with_file_key_and_both_values() -> None:
    result = run()
    assert result.exit_code == 1
    lines = [" ".join(line.replace("│", " ").split()) for line in result.output.splitlines()]
    assert (
        "ingress-nginx/values-ukidacdev.yaml ingress-nginx.controller.service.loadBalancerIP "
        f'"192.41.122.172" "{ADDRESS}"'
    ) in lines
    assert 'controller.config.lab.volumes[0].source.server "192.41.122.94" "10.20.0.10"' in " ".join(lines)
    assert lines[-1].startswith("9 values to change: `python -m operations wiring --patch -s test` prints")


def test_the_patch_is_for_git_and_leaves_no_difference(repository: Path) -> None:
    result = run("--patch")
    assert result.exit_code == 0
    subprocess.run(("git", "apply", "-"), cwd=repository, input=result.stdout, text=True, check=True)
    after = run()
    assert (after.exit_code, after.output) == (0, "The repository has the required values of all 13 applications.\n")
    assert run("--patch").output == ""


def documents(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_an_address_that_is_not_known_is_not_in_the_patch(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PulumiStack, "outputs", Mock(side_effect=PulumiError("no stack named 'test' found")))
    result = run("--patch")
    assert "the floating IP is not known, as the stack's outputs cannot be read: no stack named 'test'" in result.stderr
    assert "loadBalancerIP:" not in [line.strip("+- ") for line in result.stdout.splitlines() if line[0] in "+-"]
    subprocess.run(("git", "apply", "-"), cwd=repository, input=result.stdout, text=True, check=True)
    after = run("--json")
    assert after.exit_code == 0
    (remaining,) = documents(after)
    assert remaining == {
        "application": "ingress-nginx",
        "file": "applications/ingress-nginx/values-ukidacdev.yaml",
        "key": "ingress-nginx.controller.service.loadBalancerIP",
        "found": "192.41.122.172",
        "required": None,
        "state": "unknown",
    }


@pytest.mark.usefixtures("repository")
def test_a_configured_address_needs_no_pulumi(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PulumiStack, "outputs", lambda _: pytest.fail("called"))
    configure(ingress__floatingIp="192.0.2.9")
    required = {each["key"]: each["required"] for each in documents(run("--json"))}
    assert required["ingress-nginx.controller.service.loadBalancerIP"] == "192.0.2.9"
    states = {each["key"]: each["state"] for each in documents(run("--json"))}
    key = 'ingress-nginx.controller.service.annotations["loadbalancer.openstack.org/keep-floatingip"]'
    assert states[key] == "missing"


def test_a_value_in_a_file_of_all_environments_is_set_in_that_of_the_environment(repository: Path) -> None:
    file = repository / "applications" / "postgres" / "values-ukidacdev.yaml"
    file.write_text(file.read_text().replace('postgresStorageClass: "ceph-hdd"\n', ""))
    shared = "applications/postgres/values.yaml"
    assert [each["file"] for each in documents(run("--json")) if each["application"] == "postgres"] == [shared]
    assert "+postgresStorageClass: ceph-hdd" in run("--patch").stdout.splitlines()


def test_a_renamed_application_is_reported(repository: Path) -> None:
    for name in ("values.yaml", "values-ukidacdev.yaml"):
        file = repository / "environments" / name
        file.write_text(file.read_text().replace("  ssotap:", "  ssotaps:"))
    (repository / "applications" / "ssotap").rename(repository / "applications" / "ssotaps")
    result = run()
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "environments/values.yaml: applications: has no ssotap; did you mean ssotaps?: what"
    )
