"""Merges of an upstream repository into a fork of it, with Git."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from operations.__main__ import app
from phalanx import checkout, merge_preview
from phalanx.errors import CheckoutError
from phalanx.merge_preview import ApplicationChange, Change, Preview
from tests.unit.phalanx import phalanx_git
from tests.unit.phalanx.phalanx_git import CHART, commit
from tests.unit.phalanx.repository import static
from tests.unit.sample import write_stack

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    root = phalanx_git.create(tmp_path / "upstream")
    commit(root, {"applications/mobu/Chart.yaml": CHART | {"appVersion": "1.0", "dependencies": [redis("7.0.0")]}})
    return root


@pytest.fixture
def fork(tmp_path: Path, upstream: Path) -> Path:
    root = tmp_path / "fork"
    phalanx_git.git(tmp_path, "clone", "--quiet", str(upstream), str(root))
    commit(root, {"applications/tap/values-test.yaml": {"key": "ours"}})
    return root


def redis(version: str) -> dict[str, str]:
    return {"name": "redis", "version": version, "repository": "https://charts.example.org"}


def preview(fork: Path, upstream: Path, **configured: dict[str, Any]) -> Preview:
    ours, theirs = (checkout.resolve(f"file://{root}", "main") for root in (fork, upstream))
    return merge_preview.preview(ours, theirs, "test", configured)


def test_changed_charts_values_and_secrets_are_found(fork: Path, upstream: Path) -> None:
    commit(
        upstream,
        {
            "applications/mobu/Chart.yaml": CHART | {"appVersion": "1.1", "dependencies": [redis("8.0.0")]},
            "applications/mobu/values.yaml": {"config": {"users": 2}},
            "applications/mobu/templates/pod.yaml": "{{/* new */}}",
            "applications/mobu/secrets.yaml": {
                "token": {"description": "What the token is for"},
                "password": static(generate={"type": "password"}),
            },
        },
    )
    found = preview(fork, upstream)
    assert found == Preview(
        merge=found.merge,
        changed={
            "mobu": ApplicationChange(
                versions={"appVersion": Change("1.0", "1.1"), "redis": Change("7.0.0", "8.0.0")},
                values={"config.users": Change("", "2")},
                files=("applications/mobu/templates/pod.yaml",),
            )
        },
        new_secrets={"mobu/password": "generated or copied", "mobu/token": "What the token is for"},
    )
    assert (found.merge.commits, found.merge.conflicts) == (1, ())


def test_added_and_removed_applications_are_found(fork: Path, upstream: Path) -> None:
    commit(upstream, {"applications/new/Chart.yaml": CHART, "applications/new/secrets.yaml": {"a": static()}})
    enabled = {"argocd": True, "vault-secrets-operator": True, "mobu": True, "new": True, "tap": False}
    commit(upstream, {"environments/values-test.yaml": {"name": "test", "applications": enabled}})
    found = preview(fork, upstream)
    assert (found.added, found.removed, found.changed) == (("new",), ("tap",), {})
    assert (list(found.new_secrets), found.unneeded_secrets) == (["new/a"], ("tap/declared-on-main",))


def test_a_file_with_a_conflict_counts_as_upstreams(fork: Path, upstream: Path) -> None:
    commit(upstream, {"applications/tap/values-test.yaml": {"key": "theirs"}})
    found = preview(fork, upstream)
    assert found.merge.conflicts == ("applications/tap/values-test.yaml",)
    assert found.changed["tap"].values == {"key": Change("ours", "theirs")}
    assert found.problems == ()


def test_a_value_that_the_stack_overrides_does_not_change(fork: Path, upstream: Path) -> None:
    commit(upstream, {"applications/mobu/values.yaml": {"size": 2}})
    assert preview(fork, upstream, mobu={"size": 1}).changed == {}


def test_an_environment_that_upstream_removed_is_a_problem(fork: Path, upstream: Path) -> None:
    (upstream / "environments/values-test.yaml").unlink()
    commit(upstream, {})
    found = preview(fork, upstream)
    (problem,) = found.problems
    assert problem.startswith("rsp:phalanx.environment: the Phalanx repository has no environment 'test'")


def test_repositories_without_a_common_commit_cannot_be_merged(fork: Path, tmp_path: Path) -> None:
    other = phalanx_git.create(tmp_path / "other", fqdn="other.example.org")
    with pytest.raises(CheckoutError, match=r"cannot be merged into .*: refusing to merge unrelated histories"):
        preview(fork, other)


def run(fork: Path, upstream: Path, *options: str) -> Result:
    write_stack(phalanx={"repository": f"file://{fork}", "environment": "test"})
    return CliRunner().invoke(app, ["fork", "-s", "test", "--upstream", f"file://{upstream}", *options])


def test_the_command_prints_the_changes(
    fork: Path, upstream: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    same = run(fork, upstream)
    assert same.exit_code == 0
    assert same.stdout.splitlines()[-1] == "No application of this environment would change."
    commit(upstream, {"applications/mobu/values.yaml": {"text": "long " * 20}})
    changed = run(fork, upstream)
    assert changed.exit_code == 0
    assert changed.stdout.splitlines()[2:] == ["mobu:", f"  value text: (none) -> {('long ' * 12)[:59]}\u2026"]
    commit(upstream, {"applications/tap/values-test.yaml": {"key": "theirs"}})
    conflict = run(fork, upstream)
    assert conflict.exit_code == 1
    assert conflict.stdout.splitlines()[2:4] == ["Files with conflicts:", "  applications/tap/values-test.yaml"]
    document = json.loads(run(fork, upstream, "--json").stdout)
    assert document["merge"]["conflicts"] == ["applications/tap/values-test.yaml"]
    assert document["changed"]["tap"]["values"] == {"key": {"old": "ours", "new": "theirs"}}
