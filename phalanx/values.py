"""Merging and evaluation of Helm values as in Phalanx.

Rules: ``_merge_overrides`` in src/phalanx/storage/config.py and ``is_values_setting_true`` in
src/phalanx/models/applications.py. Both use the application's own files only: neither the defaults of a chart's
dependencies nor the parameters of the Argo CD Application.
"""

from collections.abc import Mapping, Sequence
from typing import Any


def merge(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two layers of Helm values into a new mapping, without changing the arguments.

    Mappings are merged key by key; any other value, including a list or null, replaces the one below. Unlike in Helm, a
    key that is overridden with null is kept.
    """
    merged = dict(base)
    for key, value in overrides.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def is_true(values: Mapping[str, Any], setting: str) -> bool:
    """Evaluate a condition (``if`` in secrets.yaml).

    Args:
        values: Merged Helm values of the application.
        setting: Path of a value, with its keys joined by dots.

    Returns:
        False if the value does not exist, or is null, false, zero or empty.
    """
    keys = setting.split(".")
    return is_set(values, keys) and bool(get(values, keys))


def is_set(values: Mapping[str, Any], keys: Sequence[str]) -> bool:
    """Return whether a value exists, be it null.

    Args:
        values: Helm values.
        keys: Keys from the root of the values to the value.
    """
    parent = get(values, keys[:-1])
    return isinstance(parent, Mapping) and keys[-1] in parent


def get(values: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """Return a value; None if it does not exist. Arguments as for `is_set`."""
    value: Any = values
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
