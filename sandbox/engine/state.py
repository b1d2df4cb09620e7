"""What the engine remembers of a stack: one file, whole after every step, with its secrets encrypted.

The file is `<directory>/<stack>.json`, mode 0600. Beside the resources it holds the creations that were begun: a record
is written before a resource is made and removed by the write that records the resource, so that what an interrupted
run has made but not recorded can be found.
"""

import contextlib
import copy
import dataclasses
import fcntl
import json
import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sandbox.engine import secrets, urns
from sandbox.engine.errors import EngineError
from sandbox.engine.values import (
    ASSET_SIGNATURE,
    SEALED_SIGNATURE,
    SIGNATURE,
    Asset,
    Properties,
    Secret,
    transform,
)
from sandbox.files import write_atomically

_VERSION: Final = 1


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


class State:
    """The recorded resources of one stack; safe to use from several threads.

    Args:
        file: Where each change is written; None for a preview's scratch copy, which is never written.
        crypter: Encrypts the secrets in the file.
    """

    def __init__(self, file: Path | None, crypter: secrets.Crypter) -> None:
        self._file = file
        self._crypter = crypter
        self._lock = threading.RLock()
        self._live: dict[str, Resource] = {}
        self._doomed: list[Resource] = []
        self._pending: dict[str, Pending] = {}
        self._encoded: dict[int, tuple[Any, Any]] = {}

    @classmethod
    def open(cls, file: Path) -> "State":
        """Read the state, or begin an empty one.

        Raises:
            EngineError: The file is damaged, of another version, or the passphrase is wrong.
        """
        try:
            document = json.loads(file.read_text())
        except FileNotFoundError:
            return cls(file, secrets.Crypter.new(secrets.passphrase()))
        except (OSError, ValueError) as error:
            raise EngineError(f"cannot read the stack's state {file}: {error}") from error
        if document.get("version") != _VERSION:
            raise EngineError(f"{file} was written by another version of the engine ({document.get('version')})")
        state = cls(file, secrets.Crypter.open(secrets.passphrase(), document["salt"]))
        for each in document["resources"]:
            resource = state._decode(each)
            state._live[resource.urn] = resource
        state._doomed = [state._decode(each) for each in document["doomed"]]
        for each in document["pending"]:
            pending = Pending(resource=state._decode(each["resource"]), existing=tuple(each["existing"]))
            state._pending[pending.resource.urn] = pending
        return state

    def scratch(self) -> "State":
        """A copy for a preview: changes to it are never written."""
        with self._lock:
            clone = State(None, self._crypter)
            clone._live, clone._doomed, clone._pending = dict(self._live), list(self._doomed), dict(self._pending)
            return clone

    def same_as(self, other: "State") -> bool:
        """Whether both record the same, whenever they did."""

        def undated(resources: list[Resource]) -> list[Resource]:
            return sorted((dataclasses.replace(each, modified="") for each in resources), key=lambda each: each.urn)

        return (
            undated(self.live()) == undated(other.live())
            and undated(self.doomed()) == undated(other.doomed())
            and self.pending() == other.pending()
        )

    def get(self, urn: str) -> Resource | None:
        """The live resource of that URN."""
        return self._live.get(urn)

    def live(self) -> list[Resource]:
        """All resources but the replaced ones."""
        with self._lock:
            return list(self._live.values())

    def doomed(self) -> list[Resource]:
        """Replaced resources that are still to be removed."""
        with self._lock:
            return list(self._doomed)

    def pending(self, urn: str | None = None) -> list[Pending]:
        """Creations of which nobody knows how they ended; all, or those of one URN."""
        with self._lock:
            return [each for each in self._pending.values() if urn in {None, each.resource.urn}]

    def put(self, resource: Resource, *, former_urn: str = "") -> Resource:
        """Record a resource as it is now, and that its creation has ended.

        Args:
            resource: The resource.
            former_urn: The URN under which an alias found it.

        Returns:
            The resource as recorded.
        """
        stamped = dataclasses.replace(resource, modified=datetime.now(UTC).isoformat(timespec="seconds"))
        with self._changing():
            if former_urn and former_urn != resource.urn:
                self._rename(former_urn, resource.urn)
            self._live.pop(resource.urn, None)
            self._live[resource.urn] = stamped
            self._pending.pop(resource.urn, None)
        return stamped

    def replace(self, old: Resource, new: Resource) -> Resource:
        """Record `new` in the place of `old`, which is still to be removed."""
        with self._changing():
            self._doomed.append(old)
            self._live.pop(old.urn, None)
            return self.put(new)

    def begin(self, pending: Pending) -> None:
        """Record that a creation begins, before it does."""
        with self._changing():
            self._pending[pending.resource.urn] = pending

    def abandon(self, pending: Pending) -> None:
        """Record that a creation has left nothing behind."""
        with self._changing():
            self._pending.pop(pending.resource.urn, None)

    def forget(self, resource: Resource) -> None:
        """Record that a resource, live or replaced, is no more."""
        with self._changing():
            if self._live.get(resource.urn) is resource:
                del self._live[resource.urn]
            self._doomed = [each for each in self._doomed if each is not resource]

    def _rename(self, former: str, urn: str) -> None:
        """Make everything that refers to `former` refer to `urn`."""
        self._live.pop(former, None)
        for key, resource in list(self._live.items()):
            if former in resource.needs:
                self._live[key] = _renamed(resource, former, urn)
        self._doomed = [_renamed(each, former, urn) for each in self._doomed]

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            yield
            if self._file:
                write_atomically(self._file, json.dumps(self._document(), indent=1))

    def _document(self) -> dict[str, Any]:
        kept: dict[int, tuple[Any, Any]] = {}

        def encode(resource: Resource) -> Any:
            """The resource's form in the file; kept while it does not change, so that ciphertexts do not either."""
            known = self._encoded.get(id(resource))
            encoded = known[1] if known and known[0] is resource else self._encode(resource)
            kept[id(resource)] = (resource, encoded)
            return encoded

        document = {
            "version": _VERSION,
            "salt": self._crypter.salt,
            "resources": [encode(each) for each in self._live.values()],
            "doomed": [encode(each) for each in self._doomed],
            "pending": [
                {"resource": encode(each.resource), "existing": each.existing} for each in self._pending.values()
            ],
        }
        self._encoded = kept
        return document

    def _encode(self, resource: Resource) -> dict[str, Any]:
        def leaf(value: Any) -> Any:
            match value:
                case Secret():
                    text = json.dumps(transform(value.value, leaf))
                    return {SIGNATURE: SEALED_SIGNATURE, "ciphertext": self._crypter.encrypt(text)}
                case Asset():
                    return {SIGNATURE: ASSET_SIGNATURE, **dataclasses.asdict(value)}
                case _:
                    return value

        empty = Resource(urn="")
        fields = {each.name: getattr(resource, each.name) for each in dataclasses.fields(resource)}
        return {name: transform(value, leaf) for name, value in fields.items() if value != getattr(empty, name)}

    def _decode(self, encoded: Mapping[str, Any]) -> Resource:
        def decode(value: Any) -> Any:
            match value:
                case {"ciphertext": str(ciphertext)} if value.get(SIGNATURE) == SEALED_SIGNATURE:
                    return Secret(decode(json.loads(self._crypter.decrypt(ciphertext))))
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


def _renamed(resource: Resource, former: str, urn: str) -> Resource:
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


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Keep every other run away from the stack while the `with` block runs.

    Raises:
        EngineError: Another run is at work on it; the message names its process.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with file.with_suffix(".lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise EngineError(
                f"another run (process {holder}) is at work on stack {file.stem!r}: wait until it has ended"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
