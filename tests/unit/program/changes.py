"""What the engine would do if a program with another configuration followed one that was deployed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.unit.program.force_new import COMPUTED, FORCE_NEW, NESTED_FORCE_NEW
from tests.unit.recording import Recording, Registered

UPGRADED = "openstack:containerinfra/clusterTemplate:ClusterTemplate"
"""Type of which a replacement upgrades the cluster in place."""

_NOISE: Mapping[str, frozenset[str]] = {"vault:kv/secretV2:SecretV2": frozenset({"options"})}
"""Properties with the time of the run."""


_KEPT = re.compile(r"created-with-.*|[a-z0-9]+-image")
"""Names of Stashes that only keep values of the configuration, or the ID of an image for the template."""


@dataclass
class Steps:
    """Steps of the engine, each with the types of its resources."""

    created: set[str] = field(default_factory=set)
    updated: set[str] = field(default_factory=set)
    replaced: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    """Types of protected resources that would be deleted or replaced."""

    def __bool__(self) -> bool:
        return any((self.created, self.updated, self.replaced, self.deleted, self.refused))


def steps(before: Recording, after: Recording) -> Steps:
    """Compare two runs of a program."""
    found = Steps()
    old, new = ({(each.type, each.name): each for each in run.resources} for run in (before, after))
    for key in old.keys() | new.keys():
        kind, name = key
        if kind == "pulumi:index:Stash" and _KEPT.fullmatch(name):
            continue
        if key not in old:
            found.created.add(kind)
        elif key not in new:
            (found.refused if old[key].protect else found.deleted).add(kind)
        elif _is_replaced(old[key], new[key]):
            (found.refused if old[key].protect else found.replaced).add(kind)
        elif _changed(old[key], new[key]) or (kind == UPGRADED and old[key].inputs != new[key].inputs):
            found.updated.add(kind)
    return found


def _changed(old: Registered, new: Registered) -> set[str]:
    ignored = {*new.ignored, *_NOISE.get(new.type, ())}
    removed = old.inputs.keys() - new.inputs.keys()
    names = {*old.inputs, *new.inputs} - ignored - (removed & COMPUTED.get(new.type, frozenset()))
    return {each for each in names if _known(old, each, ignored) != _known(new, each, ignored)}


def _known(resource: Registered, name: str, ignored: set[str]) -> Any:
    """Return an input without the nested properties that are ignored, such as ``blockDevices[0].uuid``."""
    value: Any = resource.inputs.get(name)
    nested = {each.removeprefix(f"{name}[0].") for each in ignored if each.startswith(f"{name}[0].")}
    if not nested:
        return value
    first, *others = value
    return [{key: each for key, each in first.items() if key not in nested}, *others]


def _is_replaced(old: Registered, new: Registered) -> bool:
    if new.type == UPGRADED:
        return False
    if old.request.replacement_trigger != new.request.replacement_trigger:
        return True
    if new.type.startswith("kubernetes:") and _identity(old) != _identity(new):
        return True
    forcing = {*FORCE_NEW.get(new.type, ()), *NESTED_FORCE_NEW.get(new.type, ()), *new.request.replaceOnChanges}
    if new.inputs.get("immutable"):
        forcing |= {"data", "stringData"}
    return bool(_changed(old, new) & forcing)


def _identity(resource: Registered) -> Any:
    metadata = resource.inputs.get("metadata") or {}
    return metadata.get("namespace"), metadata.get("name")
