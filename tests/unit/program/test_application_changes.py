"""Messages about what changes in an Application, on a real repository."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi import ResourceHookArgs, ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource

from components.argoproj import API_VERSION
from phalanx.checkout import Checkout
from phalanx.manifests import Manifests
from phalanx.source import PhalanxSource
from program import application_changes, engine_log
from program.application_changes import describe_updates, description
from tests.unit import given_phalanx
from tests.unit.phalanx import phalanx_git
from tests.unit.recording import ProgramRunner

URN = "urn:pulumi:test::rsp::kubernetes:argoproj.io/v1alpha1:Application::cluster-applications-tap"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {"applications/tap/Chart.yaml": phalanx_git.CHART}
    return phalanx_git.init(tmp_path_factory.mktemp("git") / "phalanx", files)


@pytest.fixture(scope="module")
def commits(root: Path) -> list[str]:
    """Return the repository's commits, of which all but the first change tap."""
    made = [phalanx_git.git(root, "rev-parse", "HEAD")]
    for number in range(1, 4):
        values = {"applications/tap/values.yaml": f"a: {number}\n"}
        made.append(phalanx_git.commit(root, values, f"Change tap to {number}"))
        phalanx_git.commit(root, {"README.md": f"{number}"})
    return made


def application(revision: str) -> dict[str, Any]:
    source = {"path": "applications/tap", "targetRevision": revision, "helm": {"valueFiles": ["values.yaml"]}}
    return {"metadata": {"name": "tap"}, "spec": {"source": source}}


def source(root: Path, revision: str) -> PhalanxSource:
    return replace(
        given_phalanx.source({}),
        checkout=Checkout(repository=f"file://{root}", revision="main", commit=revision, path=root),
        manifests=Manifests(namespaces={}, projects={}, applications={"tap": application(revision)}),
    )


def lines(text: str) -> list[str]:
    """Return lines without the short hashes of commits."""
    return [" ".join(word for number, word in enumerate(line.split()) if number != 1) for line in text.splitlines()]


def test_an_update_lists_its_commits(root: Path, commits: list[str]) -> None:
    text = description(source(root, commits[3]), application(commits[1]))
    assert text.splitlines()[0] == f"{commits[1][:9]} -> {commits[3][:9]}"
    assert lines(text)[1:] == ["+ Change tap to 3", "+ Change tap to 2"]


def test_a_rollback_lists_the_commits_that_it_takes_back(root: Path, commits: list[str]) -> None:
    text = description(source(root, commits[2]), application(commits[3]))
    assert lines(text)[1:] == ["- Change tap to 3"]


def test_many_commits_are_shortened(root: Path, commits: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application_changes, "_MAX_COMMITS", 1)
    text = description(source(root, commits[3]), application(commits[0]))
    assert text.splitlines()[2:] == ["  + … and 2 more commits"]


def test_a_deployed_commit_that_no_longer_exists_is_no_error(root: Path, commits: list[str]) -> None:
    text = description(source(root, commits[3]), application("0" * 40))
    assert text.startswith(f"000000000 -> {commits[3][:9]} (the history of commit {'0' * 40} of file://")


@pytest.mark.parametrize(("old", "new", "text"), [("main", "main", ""), ("main", "0" * 40, "main -> 000000000")])
def test_a_branch_has_no_commits(old: str, new: str, text: str, root: Path) -> None:
    assert description(source(root, new), application(old)) == text


def test_the_message_is_logged_in_a_preview_too(
    root: Path, commits: list[str], run_program: ProgramRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged: list[tuple[str, str]] = []
    monkeypatch.setattr(engine_log, "info", lambda urn, text: logged.append((urn, text)))

    made: list[pulumi.ResourceHook] = []

    def make(*arguments: Any) -> pulumi.ResourceHook:
        made.append(pulumi.ResourceHook(*arguments))
        return made[-1]

    monkeypatch.setattr(application_changes, "ResourceHook", make)

    class Component(pulumi.ComponentResource):
        def __init__(self, transformation: pulumi.ResourceTransformation) -> None:
            super().__init__("rsp:index:Component", "apps", None, ResourceOptions(transformations=[transformation]))
            wanted = application(commits[3])
            child = ResourceOptions(parent=self)
            CustomResource("tap", API_VERSION, "Application", wanted["spec"], wanted["metadata"], child)

    def program() -> None:
        Component(describe_updates(source(root, commits[3])))
        (hook,) = made
        assert hook.opts is not None
        assert hook.opts.on_dry_run
        assert hook.opts.ignore_errors
        update = ResourceHookArgs(URN, "", "cluster-applications-tap", "", old_inputs=application(commits[2]))
        pulumi.export("logged", pulumi.Output.from_input(hook(update)))

    recording = run_program.having(preview=True)(program)
    assert [*recording.one("Application").request.hooks.before_update] == ["describe-update"]
    ((urn, text),) = logged
    assert urn == URN
    assert lines(text)[1:] == ["+ Change tap to 3"]
