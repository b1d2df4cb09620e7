"""The commit of a preview is deployed, although its branch has moved."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from config.loader import ConfigError
from config.phalanx import Phalanx
from probes import preflight
from program import previewed_commit
from program.previewed_commit import OlderCommitError
from tests.unit.phalanx import phalanx_git
from tests.unit.program.conftest import COMMIT, StackRunner
from tests.unit.program.test_graph import application
from tests.unit.sample import environment


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a Phalanx repository whose branch main has one commit."""
    return phalanx_git.create(tmp_path / "repository", vaultUrl="https://before.example.org")


def settings(repository: Path, revision: str = "main") -> Phalanx:
    return Phalanx(repository=f"file://{repository}", revision=revision, environment="test")


def test_without_the_variable_the_revision_is_deployed(
    repository: Path, monkeypatch: pytest.MonkeyPatch, warnings: list[str]
) -> None:
    monkeypatch.delenv(previewed_commit.VARIABLE, raising=False)
    assert previewed_commit.read(settings(repository)) == ""
    previewed_commit.check_move(settings(repository), "", "")
    assert warnings == []


def test_the_files_are_those_of_the_commit_and_the_revision_remains(
    repository: Path, monkeypatch: pytest.MonkeyPatch, warnings: list[str]
) -> None:
    recorded = phalanx_git.git(repository, "rev-parse", "HEAD")
    changed = {"environments/values-test.yaml": {"name": "test", "vaultUrl": "https://after.example.org"}}
    present = phalanx_git.commit(repository, changed)
    monkeypatch.setenv(previewed_commit.VARIABLE, recorded)
    monkeypatch.setattr("probes.openstack_preflight.check", lambda *_, **__: lambda _: [])
    monkeypatch.setattr("probes.vault_preflight.check", lambda *_, **__: [])
    monkeypatch.setattr("phalanx.environment.load", lambda root, _: SimpleNamespace(vault_url=str(root)))

    phalanx = settings(repository)
    config = environment().model_copy(update={"phalanx": phalanx})
    commit = previewed_commit.read(phalanx)
    tree, found = preflight.Queries(config, "test", commit=commit).phalanx()
    assert (tree.commit, tree.revision) == (recorded, "main")
    assert "before.example.org" in (tree.path / "environments/values-test.yaml").read_text()
    assert found.vault_url == str(tree.path)

    previewed_commit.check_move(phalanx, commit, "")
    assert len(warnings) == 1
    assert f"main is at {present} now, but the preview was made from {recorded}" in warnings[0]


def test_a_branch_that_has_not_moved_is_not_reported(repository: Path, warnings: list[str]) -> None:
    previewed_commit.check_move(settings(repository), phalanx_git.git(repository, "rev-parse", "HEAD"), "")
    assert warnings == []


def test_a_commit_older_than_what_is_deployed_is_refused(repository: Path, warnings: list[str]) -> None:
    """Pull requests that are deployed in another order than that of their previews."""
    first, second, third = (phalanx_git.commit(repository, {"environments/values.yaml": {"n": n}}) for n in range(3))
    with pytest.raises(OlderCommitError, match=rf"{first}\) is older than {second}, which is deployed: .* {third}$"):
        previewed_commit.check_move(settings(repository), first, second)
    assert warnings == []
    # Drift compares with what is deployed, and a later preview may have shown a later commit.
    previewed_commit.check_move(settings(repository), second, second)
    previewed_commit.check_move(settings(repository), second, first)
    # What was deployed is not in the repository.
    previewed_commit.check_move(settings(repository), second, "1" * 40)
    assert len(warnings) == 4
    assert f"cannot determine whether {second} is older than {'1' * 40}, which is deployed: " in warnings[-2]
    # The branch itself went back, as the preview has shown, or is no branch.
    phalanx_git.git(repository, "reset", "--quiet", "--hard", first)
    previewed_commit.check_move(settings(repository), first, second)
    previewed_commit.check_move(settings(repository, first), first, second)
    assert len(warnings) == 4


@pytest.mark.parametrize("value", ["main", "abc123", "A" * 40, "0" * 41, "$(reboot)"])
def test_only_a_full_hash_is_accepted(repository: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(previewed_commit.VARIABLE, value)
    with pytest.raises(ConfigError, match="expected 40 hexadecimal digits"):
        previewed_commit.read(settings(repository))


def test_a_configured_commit_has_precedence(
    repository: Path, monkeypatch: pytest.MonkeyPatch, warnings: list[str]
) -> None:
    monkeypatch.setenv(previewed_commit.VARIABLE, "1" * 40)
    assert previewed_commit.read(settings(repository, "2" * 40)) == ""
    assert "has no effect" in warnings[0]
    assert previewed_commit.read(settings(repository, "1" * 40)) == "1" * 40
    assert len(warnings) == 1


def test_applications_that_follow_the_branch_still_do(run_stack: StackRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(previewed_commit.VARIABLE, COMMIT)
    followed = run_stack("sandbox", changes={"applications": {"sync": "automatic"}})
    assert application(followed, "tap")["spec"]["source"]["targetRevision"] == "main"
