"""Differences, and what may be left out of account, by their laws."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine import diff
from sandbox.engine.errors import ResourceError
from sandbox.engine.values import UNKNOWN, Secret, reveal

KEYS = st.text(alphabet="abc.[]", min_size=1, max_size=3)
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.integers().map(Secret)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)
PROPERTIES = st.dictionaries(KEYS, VALUES, max_size=3)


@given(PROPERTIES)
def test_nothing_differs_from_itself(properties: dict[str, Any]) -> None:
    assert diff.changes(properties, properties) == []
    assert diff.changes(properties, reveal(properties)) == [], "secrecy alone is no difference"


@given(PROPERTIES, PROPERTIES)
def test_differs_exactly_if_the_values_do(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert bool(diff.changes(old, new)) == (reveal(old) != reveal(new))


@given(PROPERTIES, PROPERTIES)
def test_no_secret_is_shown(old: dict[str, Any], new: dict[str, Any]) -> None:
    marked = {"key": Secret("marked"), **old}
    shown = str(diff.changes(marked, {**new, "key": Secret("marked too")}))
    assert "marked" not in shown


@given(PROPERTIES, PROPERTIES)
def test_ignoring_everything_leaves_no_change(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert diff.changes(old, diff.ignore(new, old, ["*"])) == []


@given(PROPERTIES)
def test_without_drift_the_inputs_stay(properties: dict[str, Any]) -> None:
    assert diff.adopt_drift(properties, {"other": 1}, {"other": 1}) == properties


def test_drift_replaces_what_was_read_before_by_what_is_read_now() -> None:
    inputs = {"cidr": "10.0.0.0/24", "spec": {"replicas": 2, "name": "x"}, "gone": 1, "secret": Secret("old")}
    before = {"cidr": "10.0.0.0/24 ", "spec": {"replicas": 2, "name": "X"}, "gone": 1, "secret": Secret("old")}
    now = {"cidr": "10.0.0.0/24 ", "spec": {"replicas": 5, "name": "X"}, "secret": Secret("new")}
    assert diff.adopt_drift(inputs, before, now) == {
        "cidr": "10.0.0.0/24",
        "spec": {"replicas": 5, "name": "x"},
        "secret": Secret("new"),
    }


def test_unknown_always_differs() -> None:
    assert [str(each) for each in diff.changes({"a": 1, "b": 2}, {"a": UNKNOWN, "b": 2})] == ["a"]


@given(st.lists(st.integers(min_value=0, max_value=9) | st.text(alphabet="ab./ ", min_size=1), min_size=1, max_size=4))
def test_paths_are_read_as_they_are_written(steps: list[str | int]) -> None:
    path = ("first", *steps)
    assert diff.parse_path(diff.format_path(path)) == path


@pytest.mark.parametrize(
    ("pattern", "path", "concerned"),
    [
        ("spec", ("spec", "ports", 0), True),
        ("spec.ports[*].name", ("spec", "ports", 3, "name"), True),
        ("spec.ports[0]", ("spec", "ports", 1), False),
        ('metadata.annotations["a.b/c"]', ("metadata", "annotations", "a.b/c"), True),
        ("*", ("anything",), True),
    ],
)
def test_patterns_concern_paths(pattern: str, path: tuple[str | int, ...], concerned: bool) -> None:
    assert diff.matches(diff.parse_path(pattern), path) is concerned


def test_malformed_path_is_told() -> None:
    with pytest.raises(ResourceError, match="is no property path"):
        diff.parse_path("a[")
