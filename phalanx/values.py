"""Helm values, merged and asked as Phalanx does it.

Rules: ``_merge_overrides`` in src/phalanx/storage/config.py and ``is_values_setting_true`` in
src/phalanx/models/applications.py. Both see the application's own files only: neither the defaults of a chart's
dependencies nor the parameters that the Argo CD Application adds.
"""

from collections.abc import Mapping
from typing import Any


def merge(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two layers of Helm values into a new mapping; neither argument is changed.

    Mappings are merged key by key. Anything else, a list or null too, replaces what was there: unlike Helm, Phalanx
    keeps a key that is overridden by null, with null for its value.
    """
    merged = dict(base)
    for key, value in overrides.items():
        below = merged.get(key)
        merged[key] = merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def is_true(values: Mapping[str, Any], setting: str) -> bool:
    """Tell whether a condition (``if`` in secrets.yaml) holds.

    Args:
        values: Merged Helm values of the application.
        setting: Path of a value, its keys joined by dots.

    Returns:
        Whether the value is there and is none of null, false, zero and empty. A path that leads through something
        other than a mapping is not there.
    """
    value: Any = values
    for key in setting.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return False
        value = value[key]
    return bool(value)
