"""What has to be done to one recorded resource so that it is as the program wants it."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from sandbox.engine import urns
from sandbox.engine.adapters.base import Adapter
from sandbox.engine.diff import Change, changes, matches, parse_path, with_unknown
from sandbox.engine.options import Goal
from sandbox.engine.resources import Resource
from sandbox.engine.values import Properties, has_unknown, reveal

Kind = Literal["same", "update", "replace"]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to do.

    Attributes:
        changes: The inputs that differ.
        reason: Why, where no input tells it.
        delete_first: A replacement removes the old one before it makes the new one.
    """

    kind: Kind
    changes: tuple[Change, ...] = ()
    reason: str = ""
    delete_first: bool = False


def plan(adapter: Adapter[Any], old: Resource, goal: Goal, inputs: Properties, *, provider_replaced: bool) -> Plan:
    """Compare the recorded inputs with those wanted.

    Args:
        adapter: The resource's type.
        old: What is recorded.
        goal: What the program registered.
        inputs: Its inputs, checked and with ignoreChanges applied.
        provider_replaced: Whether the provider that made it is another one now.
    """
    found = compare(adapter, old.inputs, inputs, goal.replace_on_changes)
    reason = ""
    if _triggered(old.replacement_trigger, goal.replacement_trigger):
        reason = "replacement trigger changed"
    elif provider_replaced:
        reason = "provider replaced"
    elif old.tainted:
        reason = "; ".join(old.faults)
    if reason or any(change.replaces for change in found):
        delete_first = goal.delete_before_replace
        if delete_first is None:
            delete_first = adapter.delete_before_replace(old.inputs, goal.inputs)
        return Plan(kind="replace", changes=tuple(found), reason=reason, delete_first=delete_first)
    if found or old.faults:
        return Plan(kind="update", changes=tuple(found), reason="; ".join(old.faults))
    return Plan(kind="same")


def compare(
    adapter: Adapter[Any], old: Mapping[str, Any], new: Mapping[str, Any], replace_on: Iterable[str] = ()
) -> list[Change]:
    """The differences that matter, each with whether it forces a replacement."""
    patterns = [parse_path(text) for text in replace_on]
    return [
        replace(
            change,
            replaces=adapter.forces_replacement(change, dict(new))
            or any(matches(pattern, change.path) for pattern in patterns),
        )
        for change in changes(_ordered(adapter, old), _ordered(adapter, new))
        if not adapter.ignores(change)
    ]


def replaced_along(
    root: Resource,
    resources: Iterable[Resource],
    adapter_of: Callable[[str], Adapter[Any]],
) -> list[Resource]:
    """The resources that cannot outlive the removal of `root`, each after those that it needs.

    A resource has to be replaced along when its provider or what it is deleted with is, or when an input that takes a
    value from one that is replaced forces its replacement (pulumi/pulumi `step_generator.go`,
    calculateDependentReplacements).

    Args:
        root: The resource that is to be removed before its successor is made.
        resources: Those that have not been registered yet in this run.
        adapter_of: Gives the adapter of a type token.
    """
    gone = {root.urn}
    found: list[Resource] = []
    rest = [each for each in resources if each.custom and not each.external]
    grown = True
    while grown:
        grown = False
        for each in rest:
            if each.urn not in gone and _has_to_go(each, gone, adapter_of):
                gone.add(each.urn)
                found.append(each)
                grown = True
    return found


def _has_to_go(resource: Resource, gone: set[str], adapter_of: Callable[[str], Adapter[Any]]) -> bool:
    if resource.deleted_with in gone or (resource.provider and urns.split_reference(resource.provider)[0] in gone):
        return True
    touched = [key for key, needed in resource.property_dependencies.items() if gone.intersection(needed)]
    if not touched:
        return False
    found = compare(
        adapter_of(resource.type), resource.inputs, with_unknown(resource.inputs, touched), resource.replace_on_changes
    )
    return any(change.replaces for change in found)


def _triggered(old: Any, new: Any) -> bool:
    """Whether a replacement trigger asks for a new one: no trigger, before or now, asks for nothing."""
    if has_unknown(new):
        return True
    if old is None or new is None:
        return False
    return bool(reveal(old) != reveal(new))


def _ordered(adapter: Adapter[Any], properties: Mapping[str, Any]) -> Properties:
    """The properties with the lists whose order means nothing in one order."""
    result = dict(properties)
    for key, known in adapter.properties.items():
        if known.unordered and isinstance(result.get(key), list) and not has_unknown(result[key]):
            result[key] = sorted(result[key], key=lambda each: json.dumps(reveal(each), sort_keys=True))
    return result
