import copy
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from phalanx.values import is_true, merge

KEYS = st.sampled_from(["a", "b", "c", "config"])
LEAVES = (
    st.none() | st.booleans() | st.integers(-1, 1) | st.sampled_from(["", "x"]) | st.lists(st.integers(), max_size=2)
)
VALUES = st.recursive(
    st.dictionaries(KEYS, LEAVES, max_size=4), lambda inner: st.dictionaries(KEYS, LEAVES | inner, max_size=4)
)


def leaves(values: Mapping[str, Any], *path: str) -> dict[tuple[str, ...], Any]:
    """Return the leaves of values by their path; an empty mapping is a leaf."""
    found: dict[tuple[str, ...], Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            found |= leaves(value, *path, key)
        else:
            found[*path, key] = value
    return found


@given(VALUES)
def test_merging_with_an_empty_mapping_changes_nothing(values: dict[str, Any]) -> None:
    assert merge(values, {}) == merge({}, values) == merge(values, values) == values


@given(VALUES, VALUES)
def test_overrides_take_precedence_and_neither_argument_is_changed(
    base: dict[str, Any], overrides: dict[str, Any]
) -> None:
    before = copy.deepcopy((base, overrides))
    merged = leaves(merge(base, overrides))
    expected = {path: value for path, value in leaves(overrides).items() if value != {}}
    assert expected.items() <= merged.items()
    # No leaf has another origin.
    assert merged.keys() <= leaves(base).keys() | leaves(overrides).keys()
    assert (base, overrides) == before


def test_lists_and_nulls_replace() -> None:
    assert merge({"a": [1, 2], "b": {"c": 1}}, {"a": [3], "b": None}) == {"a": [3], "b": None}


@given(VALUES)
def test_a_condition_is_the_truth_of_the_value_at_its_path(values: dict[str, Any]) -> None:
    for path, value in leaves(values).items():
        assert is_true(values, ".".join(path)) == bool(value)
        assert not is_true(values, ".".join((*path, "deeper")))
        assert not is_true(values, ".".join((*path[:-1], "absent")))


def test_a_mapping_is_true_unless_empty() -> None:
    assert is_true({"config": {"ldap": {"url": ""}}}, "config.ldap")
    assert not is_true({"config": {"ldap": {}}}, "config.ldap")


def test_text_is_not_searched_for_the_rest_of_a_path() -> None:
    assert not is_true({"config": "slackAlerts"}, "config.slackAlerts")
