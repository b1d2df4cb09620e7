"""A state as a document (pulumi/pulumi, sdk/go/common/apitype): what was being done in it, how resources are added."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Inputs = Mapping[str, Any]

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  # the mark of a secret, none itself
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_MASKED = "[secret]"


@dataclass(frozen=True)
class Creation:
    """A creation of which the state does not know how it ended.

    Attributes:
        resource: The resource as the state has it, without an id; secrets are sealed.
        inputs: Its inputs in clear.
    """

    resource: Mapping[str, Any]
    inputs: Inputs = field(repr=False)

    @property
    def urn(self) -> str:
        """Its URN."""
        return str(self.resource["urn"])

    @property
    def type(self) -> str:
        """Its type token."""
        return str(self.resource["type"])

    @property
    def provider(self) -> str:
        """URN of its provider."""
        return str(self.resource["provider"]).rpartition("::")[0]


@dataclass(frozen=True)
class State:
    """A state, both sealed and in clear.

    Attributes:
        sealed: The document with its secrets encrypted: what is written back.
        clear: The same with its secrets in clear, for the questions to the services; it never leaves memory.
    """

    sealed: Mapping[str, Any]
    clear: Mapping[str, Any] = field(repr=False)

    def creations(self) -> list[Creation]:
        """What was being created by a provider."""
        clear = {each["resource"]["urn"]: each["resource"] for each in pending(self.clear, "creating")}
        return [
            Creation(each["resource"], reveal(clear[each["resource"]["urn"]].get("inputs", {})))
            for each in pending(self.sealed, "creating")
            if each["resource"].get("custom")
        ]

    def inputs(self, urn: str) -> Inputs | None:
        """The inputs of a resource, or the settings of a provider, in clear; None if the state does not have it."""
        for each in resources(self.clear):
            if each["urn"] == urn:
                return dict(reveal(each.get("inputs", {})))
        return None

    def ids(self, type_token: str) -> set[str]:
        """The ids of all resources of a type that the state has."""
        return {str(each["id"]) for each in resources(self.sealed) if each["type"] == type_token and each.get("id")}


def resources(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All resources of a state."""
    return list((document.get("deployment") or {}).get("resources") or [])


def pending(document: Mapping[str, Any], *kinds: str) -> Iterator[Mapping[str, Any]]:
    """The operations that were under way; of some kinds only, if any are named."""
    for each in (document.get("deployment") or {}).get("pending_operations") or []:
        if not kinds or each["type"] in kinds:
            yield each


def with_resources(document: Mapping[str, Any], added: list[dict[str, Any]]) -> dict[str, Any]:
    """A state with further resources, and without anything under way.

    One that a resource of the same URN replaces is left to be deleted, as Pulumi would have left it.
    """
    found = resources(document)
    for new in added:
        place = len(found)
        for index, old in enumerate(found):
            if old["urn"] == new["urn"] and not old.get("delete"):
                # Pulumi remembers in this way one that it has deleted already, to make it anew.
                replaced = [] if old.get("pendingReplacement") else [{**old, "delete": True}]
                found[index : index + 1] = replaced
                place = index
                break
        # Before the one that it replaces, so that it stands before what depends on it.
        found.insert(place, new)
    deployment = {**document["deployment"], "resources": found}
    deployment.pop("pending_operations", None)
    return {**document, "deployment": deployment}


def reveal(value: Any) -> Any:
    """A value of a state in clear, without the marks of its secrets."""
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET:
            return json.loads(value["plaintext"]) if "plaintext" in value else None
        return {key: reveal(each) for key, each in value.items()}
    if isinstance(value, list):
        return [reveal(each) for each in value]
    return value


def secret(value: Any) -> dict[str, str]:
    """A value as a secret that the CLI encrypts as it imports it."""
    return {_SIGNATURE: _SECRET, "plaintext": json.dumps(value)}


def is_known(value: Any) -> bool:
    """Whether all of a planned value is known and shown."""
    if isinstance(value, Mapping):
        return all(is_known(each) for each in value.values())
    if isinstance(value, list):
        return all(is_known(each) for each in value)
    return value not in (_UNKNOWN, _MASKED)
