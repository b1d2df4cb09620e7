import os
import time
from pathlib import Path
from typing import Any

import pytest

from phalanx import checkout
from phalanx import git as git_command
from phalanx.checkout import Checkout
from phalanx.errors import CheckoutError
from tests.unit.phalanx import phalanx_git
from tests.unit.phalanx.phalanx_git import git, init

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Create a repository with one commit on its branch main."""
    return init(tmp_path / "phalanx", {"environments/values.yaml": "first"})


def commit(path: Path, content: str) -> str:
    """Commit a file with a content; return the hash of the commit."""
    return phalanx_git.commit(path, {"environments/values.yaml": content})


def content(found: Checkout) -> str:
    return (found.path / "environments" / "values.yaml").read_text()


def test_a_branch_is_resolved_to_its_commit(repository: Path) -> None:
    first = checkout.resolve(f"file://{repository}", "main")
    assert first.commit == git(repository, "rev-parse", "HEAD")
    assert content(first) == "first"
    second = commit(repository, "second")
    later = checkout.resolve(f"file://{repository}", "main")
    assert (later.commit, content(later)) == (second, "second")
    assert content(first) == "first"


def test_checkouts_that_were_not_used_for_a_month_are_deleted(repository: Path) -> None:
    address, long_ago = f"file://{repository}", time.time() - 31 * 24 * 3600
    first = checkout.resolve(address, "main")
    commit(repository, "second")
    second = checkout.resolve(address, "main")
    history = checkout.cache_directory(address) / "history.git"
    history.mkdir()
    for each in (first.path, second.path, history):
        os.utime(each, (long_ago, long_ago))
    checkout.resolve(address, second.commit)
    commit(repository, "third")
    third = checkout.resolve(address, "main")
    assert sorted(history.parent.iterdir()) == sorted([second.path, third.path, history])


def test_a_directory_is_a_repository_of_which_commits_are_read(repository: Path) -> None:
    (repository / "environments" / "values.yaml").write_text("not committed")
    found = checkout.resolve(str(repository), "main")
    assert (found.commit, content(found)) == (git(repository, "rev-parse", "HEAD"), "first")


@pytest.mark.parametrize("arguments", [("tag", "v1"), ("tag", "-a", "v1", "-m", "annotated")])
def test_a_tag_is_resolved_to_its_commit(repository: Path, arguments: tuple[str, ...]) -> None:
    git(repository, *arguments)
    first = git(repository, "rev-parse", "HEAD")
    commit(repository, "second")
    found = checkout.resolve(f"file://{repository}", "v1")
    assert (found.commit, content(found)) == (first, "first")


def test_a_branch_takes_precedence_over_a_tag_and_over_branches_with_the_same_suffix(repository: Path) -> None:
    git(repository, "tag", "roe")
    git(repository, "branch", "tickets/roe")
    second = commit(repository, "second")
    git(repository, "branch", "roe")
    assert checkout.resolve(f"file://{repository}", "roe").commit == second


def test_a_commit_that_is_not_the_head_of_a_branch_is_fetched(repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    commit(repository, "second")
    assert content(checkout.resolve(f"file://{repository}", first)) == "first"


def test_a_cached_commit_needs_no_repository(repository: Path) -> None:
    found = checkout.resolve(f"file://{repository}", "main")
    repository.rename(repository.with_name("away"))
    assert checkout.resolve(f"file://{repository}", found.commit).path == found.path
    with pytest.raises(CheckoutError, match=f"^rsp:phalanx.repository: file://{repository} cannot be read: "):
        checkout.resolve(f"file://{repository}", "main")


def test_two_repositories_do_not_share_their_files(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", str(repository), "copy")
    one, other = (checkout.resolve(f"file://{path}", "main") for path in (repository, tmp_path / "copy"))
    assert one.commit == other.commit
    assert one.path != other.path


def test_a_clone_that_breaks_off_leaves_nothing_behind(
    repository: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: str, problem: str, **more: Any) -> str:
        if "checkout" in arguments:
            raise CheckoutError(problem)
        return run(*arguments, problem=problem, **more)

    run = git_command.run
    monkeypatch.setattr(git_command, "run", broken)
    with pytest.raises(CheckoutError):
        checkout.resolve(f"file://{repository}", "main")
    assert not list(cache.rglob("values.yaml"))
    monkeypatch.setattr(git_command, "run", run)
    assert content(checkout.resolve(f"file://{repository}", "main")) == "first"


@pytest.mark.parametrize("revision", ["nowhere", "deadbeef", "refs/heads/main"])
def test_an_unknown_revision_is_reported(repository: Path, revision: str) -> None:
    with pytest.raises(
        CheckoutError,
        match=f"^rsp:phalanx.revision: file://.* has no branch or tag '{revision}'; a commit must be given with",
    ):
        checkout.resolve(f"file://{repository}", revision)


def test_an_unknown_commit_is_reported(repository: Path) -> None:
    with pytest.raises(
        CheckoutError, match=f"^rsp:phalanx.revision: commit {'0' * 40} of file://.* cannot be fetched: "
    ):
        checkout.resolve(f"file://{repository}", "0" * 40)


def test_a_password_in_the_url_is_rejected_without_quoting_it() -> None:
    with pytest.raises(CheckoutError, match=r"^rsp:phalanx\.repository: contains a password or token") as caught:
        checkout.resolve("https://hunter2@git.example.org/phalanx.git", "main")
    assert "hunter2" not in str(caught.value)


def test_a_missing_git_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CheckoutError, match=r"^git is not installed"):
        checkout.resolve("https://git.example.org/phalanx.git", "main")


def test_a_link_is_replaced(repository: Path, tmp_path: Path) -> None:
    at = tmp_path / "project" / ".phalanx" / "test"
    assert checkout.link(checkout.resolve(f"file://{repository}", "main"), at) == at
    commit(repository, "second")
    found = checkout.resolve(f"file://{repository}", "main")
    checkout.link(found, at)
    assert at.resolve() == found.path
    assert [path.name for path in at.parent.iterdir()] == ["test"]


def test_a_link_replaces_only_links(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "at").mkdir()
    with pytest.raises(CheckoutError, match="exists, but is not a link to the Phalanx checkout"):
        checkout.link(checkout.resolve(f"file://{repository}", "main"), tmp_path / "at")


def test_what_git_must_not_see_is_refused() -> None:
    with pytest.raises(CheckoutError) as caught:
        checkout.resolve("fd::17", "a..b")
    repository, revision = caught.value.problems
    assert repository.startswith("rsp:phalanx.repository: 'fd::17' uses")
    assert revision.startswith("rsp:phalanx.revision: 'a..b' is not")


def test_git_itself_allows_no_other_transport(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "url.ext::sh .insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://git.example.org/")
    with pytest.raises(CheckoutError, match=r"transport 'ext' not allowed"):
        checkout.resolve("https://git.example.org/phalanx", "main")


def test_git_that_does_not_answer_is_ended(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nsleep 60 & wait\n")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    monkeypatch.setattr(checkout, "_ANSWER_TIMEOUT", 0.2)
    with pytest.raises(CheckoutError, match=r"^rsp:phalanx\.repository: .* cannot be read: git did not finish within"):
        checkout.resolve(f"file://{repository}", "main")


@pytest.mark.parametrize("target", ["/etc/hostname", "/dev/zero", "..", "nowhere", "../environments"])
def test_links_out_of_the_checkout_or_to_directories_are_refused(repository: Path, cache: Path, target: str) -> None:
    (repository / "environments" / "link.yaml").symlink_to(target)
    commit(repository, "second")
    with pytest.raises(CheckoutError, match=rf": environments/link\.yaml: is a link to {target}, expected"):
        checkout.resolve(f"file://{repository}", "main")
    assert not list(cache.rglob("values.yaml"))


def test_a_link_to_a_file_of_the_checkout_is_kept(repository: Path) -> None:
    (repository / "link.yaml").symlink_to("environments/values.yaml")
    commit(repository, "second")
    assert (checkout.resolve(f"file://{repository}", "main").path / "link.yaml").read_text() == "second"


def test_a_cache_that_cannot_be_written_is_reported_without_its_path(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(CheckoutError, match=r"^the cache directory cannot be written: set XDG_CACHE_HOME") as caught:
        checkout.resolve(f"file://{repository}", "main")
    assert str(tmp_path / "file") not in str(caught.value)
