import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from phalanx import git, history
from phalanx.errors import CheckoutError
from phalanx.history import History
from tests.unit.phalanx import phalanx_git

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Create a repository with the directories `one` and `two`."""
    path = phalanx_git.init(tmp_path / "repository", {"one/file.yaml": "1"})
    commit(path, "two")
    return path


def commit(root: Path, name: str, content: str = "1", subject: str = "change") -> str:
    """Commit a file in the directory `name`; return the hash of the commit."""
    return phalanx_git.commit(root, {f"{name}/file.yaml": content}, subject)


def last_changes(root: Path, revision: str = "HEAD") -> dict[str, str]:
    head = phalanx_git.git(root, "rev-parse", revision)
    return History(f"file://{root}").last_changes(head, {name: [name] for name in ("one", "two")})


def test_each_set_of_files_has_its_last_commit(root: Path) -> None:
    one = commit(root, "one", "2")
    two = commit(root, "two", "2")
    commit(root, "three")
    assert last_changes(root) == {"one": one, "two": two}
    assert last_changes(root, one)["one"] == one
    later = commit(root, "one", "3")
    assert last_changes(root) == {"one": later, "two": two}


def test_a_commit_includes_itself_and_earlier_ones(root: Path) -> None:
    old, found = phalanx_git.git(root, "rev-parse", "HEAD"), History(f"file://{root}")
    new = commit(root, "one", "2")
    assert found.includes(new, old)
    assert found.includes(new, new)
    assert not found.includes(old, new)
    with pytest.raises(CheckoutError, match="cannot be fetched"):
        found.includes(new, "1" * 40)


def test_a_merge_of_what_does_not_differ_changes_nothing(root: Path) -> None:
    phalanx_git.git(root, "switch", "--quiet", "--create", "ticket")
    one = commit(root, "one", "2")
    phalanx_git.git(root, "switch", "--quiet", "main")
    two = commit(root, "two", "2")
    phalanx_git.git(root, "merge", "--quiet", "--no-ff", "--no-edit", "ticket")
    assert last_changes(root) == {"one": one, "two": two}


def test_the_files_are_the_same_in_a_commit_that_resolves_a_conflict(root: Path) -> None:
    phalanx_git.git(root, "switch", "--quiet", "--create", "ticket")
    commit(root, "one", "ticket")
    phalanx_git.git(root, "switch", "--quiet", "main")
    commit(root, "one", "main")
    phalanx_git.git(root, "merge", "--quiet", "--no-commit", "--strategy=ours", "ticket")
    merged = commit(root, "one", "both")
    assert last_changes(root)["one"] == merged


def test_a_repository_without_its_older_commits_is_supported(root: Path, tmp_path: Path) -> None:
    phalanx_git.git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{root}", "shallow")
    head = phalanx_git.git(root, "rev-parse", "HEAD")
    assert last_changes(tmp_path / "shallow") == {"one": head, "two": head}


def test_a_later_commit_continues_the_history(root: Path, tmp_path: Path) -> None:
    last_changes(root)
    (fetched,) = (tmp_path / "cache").glob("rsp/phalanx/*/history.git")
    later = commit(root, "one", "2")
    assert last_changes(root)["one"] == later
    assert len(phalanx_git.git(fetched, "for-each-ref").splitlines()) == 2


def test_git_that_does_not_answer_is_ended(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = phalanx_git.git(root, "rev-parse", "HEAD")
    last_changes(root)
    monkeypatch.setattr(history, "_TIMEOUT", 0.0)
    with pytest.raises(CheckoutError, match="git did not finish within 0 s"):
        History(f"file://{root}").last_changes(head, {})


def test_a_fetched_commit_needs_no_repository(root: Path) -> None:
    before = last_changes(root)
    head = phalanx_git.git(root, "rev-parse", "HEAD")
    read = History(f"file://{root}")
    root.rename(root.with_name("away"))
    assert read.last_changes(head, {name: [name] for name in before}) == before


def test_a_commit_that_cannot_be_fetched_is_reported(root: Path) -> None:
    with pytest.raises(CheckoutError, match=f"^the history of commit {'0' * 40} of file://.* cannot be fetched: "):
        History(f"file://{root}").last_changes("0" * 40, {})


def test_several_processes_fetch_the_same_commit(root: Path) -> None:
    head = phalanx_git.git(root, "rev-parse", "HEAD")
    program = (
        "import sys; from phalanx.history import History; "
        "print(History(sys.argv[1]).last_changes(sys.argv[2], {'two': ['two']})['two'])"
    )

    def run(_: int) -> str:
        command = [sys.executable, "-c", program, f"file://{root}", head]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    with ThreadPoolExecutor(2) as pool:
        assert [*pool.map(run, range(2))] == [head, head]


def test_a_reference_that_another_process_writes_at_the_same_time_is_no_error(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(*arguments: str, problem: str, **more: Any) -> str:
        output = run(*arguments, problem=problem, **more)
        if "fetch" in arguments:
            raise CheckoutError(f"{problem}: cannot lock ref")
        return output

    run = git.run
    monkeypatch.setattr(git, "run", overtaken)
    assert last_changes(root)["two"] == phalanx_git.git(root, "rev-parse", "HEAD")


def test_the_users_settings_of_git_log_have_no_effect(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = last_changes(root)
    (tmp_path / "gitconfig").write_text("[log]\n\tfollow = true\n\tshowSignature = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    assert last_changes(root) == expected


def test_the_commits_between_two_are_listed_in_both_directions(root: Path) -> None:
    old = phalanx_git.git(root, "rev-parse", "HEAD")
    commit(root, "one", "2", "Change one")
    commit(root, "two", "2", "Change two")
    new = commit(root, "one", "3", "Change one again")
    read = History(f"file://{root}")
    subjects = [line.partition(" ")[2] for line in read.subjects(old, new, ["one"])]
    assert subjects == ["Change one again", "Change one"]
    assert read.subjects(new, old, ["one"]) == []
