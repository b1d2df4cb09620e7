"""What is recorded of a resource, and the form of that in the state file, with secrets encrypted."""

import copy
import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.engine import urns
from sandbox.engine.secrets import Crypter
from sandbox.engine.values import (
    ASSET_SIGNATURE,
    SEALED_SIGNATURE,
    SIGNATURE,
    Asset,
    Properties,
    Secret,
    transform,
)


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource as it was last recorded.

    Attributes:
        urn: Its URN.
        custom: Whether a provider manages it; a component only groups others.
        external: Whether it was only read (`Service.get`): it is never changed or removed.
        id: The provider's identifier; empty for components.
        provider: `urn::id` of its provider; empty where the default provider was used.
        dependencies: URNs that have to exist as long as it does.
        property_dependencies: URNs by the input property which takes a value from them.
        faults: Why it is not as it should be, though it exists.
        tainted: Whether it has to be replaced for that.
        modified: When it was last written, in ISO 8601.
    """

    urn: str
    custom: bool = True
    external: bool = False
    id: str = ""
    parent: str = ""
    provider: str = ""
    inputs: Properties = field(default_factory=dict)
    outputs: Properties = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    protect: bool = False
    retain_on_delete: bool = False
    deleted_with: str = ""
    replacement_trigger: Any = None
    replace_on_changes: tuple[str, ...] = ()
    secret_outputs: tuple[str, ...] = ()
    timeouts: Mapping[str, float] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    tainted: bool = False
    modified: str = ""

    @property
    def type(self) -> str:
        """The type token."""
        return urns.type_of(self.urn)

    @property
    def name(self) -> str:
        """The name that the program gave."""
        return urns.name_of(self.urn)

    @property
    def needs(self) -> set[str]:
        """URNs of all that must outlive it."""
        provider = urns.split_reference(self.provider)[0] if self.provider else ""
        return {each for each in (*self.dependencies, self.parent, provider, self.deleted_with) if each}


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A creation that was begun.

    Attributes:
        resource: What is being made; without an id.
        existing: Identifiers of what looked just like it before, and so is not ours.
    """

    resource: Resource
    existing: tuple[str, ...] = ()


def encode(resource: Resource, crypter: Crypter) -> dict[str, Any]:
    """The resource as JSON; what is as by default is left out."""

    def leaf(value: Any) -> Any:
        match value:
            case Secret():
                text = json.dumps(transform(value.value, leaf))
                return {SIGNATURE: SEALED_SIGNATURE, "ciphertext": crypter.encrypt(text)}
            case Asset():
                return {SIGNATURE: ASSET_SIGNATURE, **dataclasses.asdict(value)}
            case _:
                return value

    empty = Resource(urn="")
    fields = {each.name: getattr(resource, each.name) for each in dataclasses.fields(resource)}
    return {name: transform(value, leaf) for name, value in fields.items() if value != getattr(empty, name)}


def decode(encoded: Mapping[str, Any], crypter: Crypter) -> Resource:
    """The contrary of `encode`.

    Raises:
        EngineError: A secret cannot be decrypted.
    """

    def decode(value: Any) -> Any:
        match value:
            case {"ciphertext": str(ciphertext)} if value.get(SIGNATURE) == SEALED_SIGNATURE:
                return Secret(decode(json.loads(crypter.decrypt(ciphertext))))
            case dict() if value.get(SIGNATURE) == ASSET_SIGNATURE:
                return Asset(sha256=value["sha256"], path=value["path"], text=value["text"])
            case dict():
                return {key: decode(each) for key, each in value.items()}
            case list():
                return [decode(each) for each in value]
            case _:
                return value

    fields = {name: decode(copy.copy(value)) for name, value in encoded.items()}
    for name in ("dependencies", "replace_on_changes", "secret_outputs", "faults"):
        fields[name] = tuple(fields.get(name, ()))
    fields["property_dependencies"] = {
        key: tuple(value) for key, value in fields.get("property_dependencies", {}).items()
    }
    return Resource(**fields)


def renamed(resource: Resource, former: str, urn: str) -> Resource:
    """The resource with every mention of the URN `former` replaced by `urn`."""

    def swap(each: str) -> str:
        return urn if each == former else each

    provider, _, identifier = resource.provider.rpartition("::")
    return dataclasses.replace(
        resource,
        parent=swap(resource.parent),
        provider=f"{swap(provider)}::{identifier}" if resource.provider else "",
        dependencies=tuple(map(swap, resource.dependencies)),
        property_dependencies={key: tuple(map(swap, value)) for key, value in resource.property_dependencies.items()},
        deleted_with=swap(resource.deleted_with),
    )
