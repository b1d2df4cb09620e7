"""A result is taken from the cache only if its key is the same and the file is intact."""

import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from pydantic import TypeAdapter

from phalanx import cache

NUMBERS: TypeAdapter[dict[str, int]] = TypeAdapter(dict[str, int])
ANYTHING: TypeAdapter[Any] = TypeAdapter(Any)


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of the cached results."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "rsp" / "results"


def refuse() -> Any:
    pytest.fail("computed again")


def test_a_result_is_computed_once() -> None:
    assert cache.cached(NUMBERS, ["a", 1], lambda: {"x": 1}) == {"x": 1}
    assert cache.cached(NUMBERS, ["a", 1], refuse) == {"x": 1}


@pytest.mark.parametrize("key", [["a", 2], ["a", "1"], ["a1"], {"a": 1}])
def test_a_result_with_another_key_is_computed(key: Any) -> None:
    cache.cached(NUMBERS, ["a", 1], lambda: {"x": 1})
    assert cache.cached(NUMBERS, key, lambda: {"x": 2}) == {"x": 2}


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "half": lambda content: content[: len(content) // 2],
    "nothing": lambda _: b"",
    "another value": lambda content: content.replace(b"1}", b"7}"),
    "no text": lambda _: b"\xff\xfe\n\xff",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_result_is_computed_again_and_replaced(results: Path, damage: str) -> None:
    cache.cached(NUMBERS, "a", lambda: {"x": 1})
    (file,) = results.iterdir()
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    assert cache.cached(NUMBERS, "a", lambda: {"x": 2}) == {"x": 2}
    assert cache.cached(NUMBERS, "a", refuse) == {"x": 2}


def test_a_result_of_another_type_is_computed_again() -> None:
    cache.cached(ANYTHING, "a", lambda: ["x"])
    assert cache.cached(NUMBERS, "a", lambda: {"x": 2}) == {"x": 2}


def test_a_result_that_json_would_change_is_not_cached() -> None:
    assert cache.cached(ANYTHING, "a", lambda: {1: "one"}) == {1: "one"}
    assert cache.cached(ANYTHING, "a", lambda: {2: "two"}) == {2: "two"}


def test_an_exception_is_not_cached() -> None:
    with pytest.raises(LookupError):
        cache.cached(NUMBERS, "a", Mock(side_effect=LookupError))
    assert cache.cached(NUMBERS, "a", lambda: {"x": 1}) == {"x": 1}


def test_other_users_can_neither_read_nor_write_results(results: Path) -> None:
    cache.cached(NUMBERS, "a", lambda: {"x": 1})
    (file,) = results.iterdir()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (results, file)] == [0o700, 0o600]


def test_a_cache_that_is_not_writable_is_ignored(results: Path) -> None:
    results.parent.write_text("a file where the directory should be")
    assert cache.cached(NUMBERS, "a", lambda: {"x": 1}) == {"x": 1}
    assert cache.cached(NUMBERS, "a", lambda: {"x": 2}) == {"x": 2}


def test_results_that_were_not_used_for_a_month_are_deleted(results: Path) -> None:
    cache.cached(NUMBERS, "old", lambda: {"x": 1})
    cache.cached(NUMBERS, "used", lambda: {"x": 2})
    long_ago = time.time() - 31 * 24 * 3600
    for file in results.iterdir():
        os.utime(file, (long_ago, long_ago))
    cache.cached(NUMBERS, "used", refuse)
    cache.cached(NUMBERS, "new", lambda: {"x": 3})
    assert len(list(results.iterdir())) == 2
    cache.cached(NUMBERS, "used", refuse)


def test_the_digest_of_a_directory_depends_on_names_and_contents(tmp_path: Path) -> None:
    found: set[str] = set()
    for files in ({"a": "x"}, {"b": "x"}, {"a": "y"}, {"a": "x", "b": ""}, {"a": "", "b": "x"}, {"c/a": "x"}):
        folder = tmp_path / str(len(found))
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        found.add(cache.tree_digest(folder))
    assert len(found) == 6
    (tmp_path / "link").symlink_to(tmp_path / "0", target_is_directory=True)
    assert cache.tree_digest(tmp_path / "link") == cache.tree_digest(tmp_path / "0")
