"""What an earlier run made counts only if it was made from the same and is whole."""

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from phalanx import cache

NUMBERS: TypeAdapter[dict[str, int]] = TypeAdapter(dict[str, int])
ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of the results."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "rsp" / "results"


def refuse() -> Any:
    pytest.fail("made anew")


def test_a_result_is_made_once() -> None:
    assert cache.remembered(NUMBERS, ["a", 1], lambda: {"x": 1}) == {"x": 1}
    assert cache.remembered(NUMBERS, ["a", 1], refuse) == {"x": 1}


@pytest.mark.parametrize("made_from", [["a", 2], ["a", "1"], ["a1"], {"a": 1}])
def test_what_is_made_from_something_else_is_made_anew(made_from: Any) -> None:
    cache.remembered(NUMBERS, ["a", 1], lambda: {"x": 1})
    assert cache.remembered(NUMBERS, made_from, lambda: {"x": 2}) == {"x": 2}


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda content: content[: len(content) // 2],
    "nothing": lambda _: b"",
    "another value": lambda content: content.replace(b"1}", b"7}"),
    "no text": lambda _: b"\xff\xfe\n\xff",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_result_is_made_anew_and_replaced(results: Path, damage: str) -> None:
    cache.remembered(NUMBERS, "a", lambda: {"x": 1})
    (file,) = results.iterdir()
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    assert cache.remembered(NUMBERS, "a", lambda: {"x": 2}) == {"x": 2}
    assert cache.remembered(NUMBERS, "a", refuse) == {"x": 2}


def test_a_result_of_another_shape_is_made_anew() -> None:
    cache.remembered(ANYTHING, "a", lambda: ["x"])
    assert cache.remembered(NUMBERS, "a", lambda: {"x": 2}) == {"x": 2}


def test_what_json_would_change_is_not_kept() -> None:
    assert cache.remembered(ANYTHING, "a", lambda: {1: "one"}) == {1: "one"}
    assert cache.remembered(ANYTHING, "a", lambda: {2: "two"}) == {2: "two"}


def test_a_failure_is_not_remembered() -> None:
    def fail() -> Any:
        raise LookupError

    with pytest.raises(LookupError):
        cache.remembered(NUMBERS, "a", fail)
    assert cache.remembered(NUMBERS, "a", lambda: {"x": 1}) == {"x": 1}


def test_nobody_else_can_read_or_plant_a_result(results: Path) -> None:
    cache.remembered(NUMBERS, "a", lambda: {"x": 1})
    (file,) = results.iterdir()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (results, file)] == [0o700, 0o600]


def test_a_cache_that_cannot_be_written_is_done_without(results: Path) -> None:
    results.parent.write_text("a file where the directory should be")
    assert cache.remembered(NUMBERS, "a", lambda: {"x": 1}) == {"x": 1}
    assert cache.remembered(NUMBERS, "a", lambda: {"x": 2}) == {"x": 2}


def test_what_nobody_used_for_long_is_deleted(results: Path) -> None:
    cache.remembered(NUMBERS, "old", lambda: {"x": 1})
    cache.remembered(NUMBERS, "used", lambda: {"x": 2})
    long_ago = time.time() - 31 * 24 * 3600
    for file in results.iterdir():
        os.utime(file, (long_ago, long_ago))
    cache.remembered(NUMBERS, "used", refuse)
    cache.remembered(NUMBERS, "new", lambda: {"x": 3})
    assert len(list(results.iterdir())) == 2
    cache.remembered(NUMBERS, "used", refuse)


def test_the_digest_of_a_directory_is_of_names_and_contents(tmp_path: Path) -> None:
    found: set[str] = set()
    for files in ({"a": "x"}, {"b": "x"}, {"a": "y"}, {"a": "x", "b": ""}, {"a": "", "b": "x"}, {"c/a": "x"}):
        folder = tmp_path / str(len(found))
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        found.add(cache.digest_of(folder))
    assert len(found) == 6
    (tmp_path / "link").symlink_to(tmp_path / "0", target_is_directory=True)
    assert cache.digest_of(tmp_path / "link") == cache.digest_of(tmp_path / "0")
