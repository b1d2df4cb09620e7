"""Merging and evaluation of Helm values as in Phalanx.

Rules: ``_merge_overrides`` in src/phalanx/storage/config.py and ``is_values_setting_true`` in
src/phalanx/models/applications.py. Both use the application's own files only: neither the defaults of a chart's
dependencies nor the parameters of the Argo CD Application.
"""

from collections.abc import Mapping
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
    value: Any = values
    for key in setting.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return False
        value = value[key]
    return bool(value)
