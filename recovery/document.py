"""The JSON document of a state (pulumi/pulumi, sdk/go/common/apitype): its pending operations and resources."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Inputs = Mapping[str, Any]

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105  # the marker of a secret, not a secret
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_MASKED = "[secret]"

UNREAD: Final = "recorded by a recovery, and not read from its service yet"
"""Error of a resource in the state that has to be refreshed, which removes the error, as an update does."""


@dataclass(frozen=True)
class Creation:
    """A creation whose result is not in the state.

    Attributes:
        resource: The resource in the state, without an ID and with encrypted secrets.
        inputs: Its inputs in plaintext.
    """

    resource: Mapping[str, Any]
    inputs: Inputs = field(repr=False)

    @property
    def urn(self) -> str:
        """URN of the resource."""
        return str(self.resource["urn"])

    @property
    def type(self) -> str:
        """Type token of the resource."""
        return str(self.resource["type"])

    @property
    def provider(self) -> str:
        """URN of the resource's provider."""
        return provider_of(self.resource)


@dataclass(frozen=True)
class State:
    """A state, both encrypted and in plaintext.

    Attributes:
        sealed: The document with encrypted secrets, which is written back.
        clear: The document with plaintext secrets, used to query the services; it never leaves memory.
        exported: The document with encrypted secrets as the backend has it.
    """

    sealed: Mapping[str, Any]
    clear: Mapping[str, Any] = field(repr=False)
    exported: Mapping[str, Any]

    def creations(self) -> list[Creation]:
        """Return the pending creations of provider resources."""
        clear = {each["resource"]["urn"]: each["resource"] for each in pending(self.clear, "creating")}
        return [
            Creation(each["resource"], reveal(clear[each["resource"]["urn"]].get("inputs", {})))
            for each in pending(self.sealed, "creating")
            if each["resource"].get("custom")
        ]

    def unfinished(self) -> list[Creation]:
        """Return the resources that exist, but whose creation a run did not see completed."""
        clear = {each["urn"]: each for each in resources(self.clear) if each.get("initErrors")}
        return [
            Creation(each, reveal(clear[each["urn"]].get("inputs", {})))
            for each in resources(self.sealed)
            if each.get("initErrors") not in (None, [], [UNREAD]) and each.get("id") and not each.get("delete")
        ]

    def inputs(self, urn: str) -> Inputs | None:
        """Return the plaintext inputs of a resource or provider, or None if it is not in the state."""
        for each in resources(self.clear):
            if each["urn"] == urn:
                return dict(reveal(each.get("inputs", {})))
        return None

    def kubeconfig(self, cluster: str) -> str | None:
        """Return the kubeconfig of a cluster of Magnum in plaintext, or None if it is not in the state."""
        return next((kubeconfig(each) for each in resources(self.clear) if each["urn"] == cluster), None)

    def reference(self, provider: str) -> str:
        """Return the reference of resources to a provider in the state: its URN and ID."""
        # An interrupted replacement leaves the former one, marked for deletion.
        present = (each for each in resources(self.sealed) if each["urn"] == provider and not each.get("delete"))
        identifier = next(present)["id"]
        return f"{provider}::{identifier}"

    def ids(self, type_token: str, provider: str) -> set[str]:
        """Return the IDs of all resources of a type in the state that belong to a provider.

        An object has the same ID in each cluster.

        Args:
            type_token: The type.
            provider: URN of the provider.
        """
        return {
            str(each["id"])
            for each in resources(self.sealed)
            if each["type"] == type_token and each.get("id") and provider_of(each) == provider
        }


def provider_of(resource: Mapping[str, Any]) -> str:
    """Return the URN of a resource's provider."""
    return str(resource["provider"]).rpartition("::")[0]


def resources(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return all resources of a state."""
    return list((document.get("deployment") or {}).get("resources") or [])


def kubeconfig(cluster: Mapping[str, Any]) -> str | None:
    """Return the kubeconfig of a Magnum cluster in a plaintext state, None if its creation was not completed."""
    found = reveal(cluster.get("outputs") or {}).get("kubeconfig") or {}
    return found.get("raw_config")


def pending(document: Mapping[str, Any], *kinds: str) -> Iterator[Mapping[str, Any]]:
    """Yield the pending operations; only those of some kinds if `kinds` are passed."""
    for each in (document.get("deployment") or {}).get("pending_operations") or []:
        if not kinds or each["type"] in kinds:
            yield each


def with_resources(document: Mapping[str, Any], added: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a state with resources added and pending operations removed.

    An existing resource with the same URN is marked for deletion, as Pulumi does on a replacement.
    """
    found = resources(document)
    for new in added:
        place = len(found)
        for index, old in enumerate(found):
            if old["urn"] == new["urn"] and not old.get("delete"):
                # Pulumi sets this on a resource that it has already deleted and has yet to recreate.
                replaced = [] if old.get("pendingReplacement") else [{**old, "delete": True}]
                found[index : index + 1] = replaced
                place = index
                break
        # Before the resource that it replaces, and so before that resource's dependents.
        found.insert(place, new)
    changed = having(document, found)
    changed["deployment"].pop("pending_operations", None)
    return changed


def having(document: Mapping[str, Any], found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a state with resources in place of its own."""
    return {**document, "deployment": {**document["deployment"], "resources": found}}


def with_unread(document: Mapping[str, Any], urns: Collection[str]) -> dict[str, Any]:
    """Return a state in which those of some resources that a refresh can read are marked as `UNREAD`."""
    found = [
        {**each, "initErrors": [UNREAD]} if each["urn"] in urns and _can_be_read(each) else each
        for each in resources(document)
    ]
    return having(document, found)


def _can_be_read(resource: Mapping[str, Any]) -> bool:
    """Return whether a refresh reads a resource, as opposed to a provider, a component, or one that was replaced."""
    gone = resource.get("delete") or resource.get("pendingReplacement")
    return bool(resource.get("id")) and not gone and not resource["type"].startswith("pulumi:providers:")


def unread(document: Mapping[str, Any]) -> list[str]:
    """Return the URNs of the resources of a state that are marked as `UNREAD`."""
    return [
        str(each["urn"])
        for each in resources(document)
        if each.get("initErrors") == [UNREAD] and not each.get("delete")
    ]


def reveal(value: Any) -> Any:
    """Return a value of a plaintext state without the markers of its secrets."""
    if isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET:
            return json.loads(value["plaintext"]) if "plaintext" in value else None
        return {key: reveal(each) for key, each in value.items()}
    if isinstance(value, list):
        return [reveal(each) for each in value]
    return value


def secret(value: Any) -> dict[str, str]:
    """Return a value marked as a secret, which the CLI encrypts on import."""
    return {_SIGNATURE: _SECRET, "plaintext": json.dumps(value)}


def known_part(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a planned value without the keys whose values are unknown or masked, also in the objects in it."""
    known = {key: known_part(each) if isinstance(each, Mapping) else each for key, each in value.items()}
    return {key: each for key, each in known.items() if is_known(each)}


def is_known(value: Any) -> bool:
    """Return whether a planned value has no unknown and no masked part."""
    if isinstance(value, Mapping):
        return all(is_known(each) for each in value.values())
    if isinstance(value, list):
        return all(is_known(each) for each in value)
    return value not in (_UNKNOWN, _MASKED)


class UnknownInputError(Exception):
    """An unknown or masked input is needed."""


class KnownInputs(dict[str, Any]):
    """Planned inputs of which unknown and masked ones cannot be read; reading one raises `UnknownInputError`."""

    def __getitem__(self, key: str) -> Any:
        value = super().__getitem__(key)
        if not is_known(value):
            raise UnknownInputError(key)
        return value

    def get(self, key: str, default: Any = None) -> Any:
        """Return an input, or the default if it does not exist."""
        return self[key] if key in self else default  # noqa: SIM401 - it would call itself
