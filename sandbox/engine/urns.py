"""URNs: the names under which the state knows resources (https://www.pulumi.com/docs/iac/concepts/resources/names/)."""

from collections.abc import Iterable
from typing import Final

from pulumi.runtime.proto import alias_pb2

STACK_TYPE: Final = "pulumi:pulumi:Stack"


def make(stack: str, project: str, parent: str, type_token: str, name: str) -> str:
    """The URN of a resource; the stack itself does not count as a parent in it."""
    chain = qualified_type(parent) if parent else ""
    if chain and chain != STACK_TYPE:
        type_token = f"{chain}${type_token}"
    return f"urn:pulumi:{stack}::{project}::{type_token}::{name}"


def qualified_type(urn: str) -> str:
    """The types from the outermost component down to the resource, joined by `$`."""
    return urn.split("::", 3)[2]


def type_of(urn: str) -> str:
    """The type token of the resource alone."""
    return qualified_type(urn).rpartition("$")[2]


def name_of(urn: str) -> str:
    """The name that the program gave."""
    return urn.split("::", 3)[3]


def split_reference(reference: str) -> tuple[str, str]:
    """The URN and the id of a provider reference (`urn::id`)."""
    urn, _, identifier = reference.rpartition("::")
    return urn, identifier


def aliases(
    urn: str,
    parent: str,
    declared: Iterable[alias_pb2.Alias],
    parent_aliases: Iterable[str],
) -> list[str]:
    """All URNs under which an earlier run may have recorded the resource.

    They are its own aliases, and for each alias of its parent the URN that the resource had below that one.

    Args:
        urn: Its URN now.
        parent: The URN of its parent now.
        declared: The aliases in its options.
        parent_aliases: The aliases of its parent, from this same function.
    """
    stack, project = urn.removeprefix("urn:pulumi:").split("::")[:2]
    name, type_token = name_of(urn), type_of(urn)
    own: list[tuple[str, str]] = []
    found: list[str] = []
    for alias in declared:
        if alias.WhichOneof("alias") == "urn":
            found.append(alias.urn)
            own.append((name_of(alias.urn), type_of(alias.urn)))
            continue
        spec = alias.spec
        above = "" if spec.noParent else spec.parentUrn or parent
        own.append((spec.name or name, spec.type or type_token))
        found.append(make(spec.stack or stack, spec.project or project, above, *reversed(own[-1])))
    for parent_alias in parent_aliases:
        for old_name, old_type in [(name, type_token), *own]:
            inherited = _name_below(old_name, parent, parent_alias)
            found.append(make(stack, project, parent_alias, old_type, inherited))
    return [each for each in dict.fromkeys(found) if each != urn]


def _name_below(name: str, parent: str, parent_alias: str) -> str:
    """A child named after its parent was named after the parent's former name, too."""
    now, before = name_of(parent), name_of(parent_alias)
    return before + name.removeprefix(now) if name.startswith(now) else name
