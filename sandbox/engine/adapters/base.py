"""What the engine asks of a resource type, and of the client that serves the types of a package."""

import json
import logging
import re
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Generic, TypeVar

from sandbox.engine.diff import Change
from sandbox.engine.errors import ResourceError
from sandbox.engine.values import Properties, Unknown, has_secret, reveal

_SUFFIX_BYTES: Final = 4

Client = TypeVar("Client")

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Property:
    """How a provider treats one input.

    Attributes:
        required: The program has to give it.
        fixed: A change of it replaces the resource.
        computed: The service chooses a value where the program gives none, so that leaving it out changes nothing.
        default: What the provider takes where the program gives none.
        named: It is the resource's name: where the program gives none, it is `<logical name>-<7 hex digits>`.
        unordered: A list in which the order means nothing.
        local: Only the engine reads it (how to delete, for example): it is never sent to the service.
    """

    required: bool = False
    fixed: bool = False
    computed: bool = False
    default: Any = None
    named: bool = False
    unordered: bool = False
    local: bool = False


@dataclass(frozen=True, kw_only=True)
class Made:
    """A real resource that has just been made or found."""

    id: str
    outputs: Properties = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """The circumstances of one call of an adapter.

    Attributes:
        deadline: When to give up, by `time.monotonic()`.
        progress: Tells the person what is being waited for.
    """

    deadline: float
    progress: Callable[[str], None] = lambda _text: None

    def wait(self, probe: Callable[[], Any], what: str, poll: float = 1.0) -> Any:
        """Call `probe` until it answers something true, and return that.

        Raises:
            ResourceError: The time is over.
        """
        self.progress(what)
        while not (answer := probe()):
            if time.monotonic() > self.deadline:
                raise ResourceError(f"timed out: {what}; raise custom_timeouts if it only needs longer")
            time.sleep(poll)
        return answer


class Adapter(ABC, Generic[Client]):
    """One resource type.

    Inputs come and outputs go in the wire names of Pulumi's own provider, secrets in clear: the engine seals in the
    outputs what is declared secret here, by the program, or was secret as an input.
    """

    kind: str
    """The type token."""
    properties: Mapping[str, Property]
    """The inputs that are implemented; any other is an error."""
    secret_outputs: frozenset[str] = frozenset()
    create_timeout: ClassVar[float] = 600
    update_timeout: ClassVar[float] = 600
    delete_timeout: ClassVar[float] = 600

    @abstractmethod
    def create(self, client: Client, inputs: Properties, operation: Operation) -> Made:
        """Make it, and wait until it can be used.

        Raises:
            PartialFailureError: It exists, but is not as it should be.
            ResourceError: It was not made.
        """

    @abstractmethod
    def read(self, client: Client, identifier: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """Its outputs as they really are; None if it is gone."""

    @abstractmethod
    def update(self, client: Client, identifier: str, change: "Update", operation: Operation) -> Properties:
        """Change it in place, and return its outputs."""

    @abstractmethod
    def delete(self, client: Client, identifier: str, change: "Update", operation: Operation) -> None:
        """Remove it and wait until it is gone; no error if it is gone already."""

    def candidates(self, client: Client, inputs: Properties) -> Iterable[str]:
        """Identifiers of all that looks just like what `create` would make of `inputs`.

        Asked before a creation and, where a run was interrupted, again: what is new is what that run has made.
        """
        return ()

    def recover(self, client: Client, identifier: str, inputs: Properties, operation: Operation) -> Made | None:
        """Take over what an interrupted run has made; None if it could not be used and was removed."""
        outputs = self.read(client, identifier, inputs, {})
        return Made(id=identifier, outputs=outputs) if outputs is not None else None

    def check(self, inputs: Properties, name: str, old: Mapping[str, Any] | None) -> Properties:
        """The inputs with names and defaults filled in.

        Args:
            inputs: As the program gave them.
            name: The logical name.
            old: The recorded inputs, from which a generated name is kept.

        Raises:
            ResourceError: Naming every input that is unknown, missing or wrong.
        """
        faults = [f"the engine does not know the input `{key}`" for key in inputs if key not in self.properties]
        faults += [
            f"the input `{key}` is missing"
            for key, each in self.properties.items()
            if each.required and key not in inputs
        ]
        checked = dict(inputs)
        for key, each in self.properties.items():
            if key not in checked and each.named:
                checked[key] = self._generated_name(name, old)
            elif key not in checked and each.default is not None:
                checked[key] = each.default
        if not faults:
            faults = list(self.faults(reveal(checked)))
        if faults:
            raise ResourceError("; ".join(faults))
        return checked

    def faults(self, inputs: Properties) -> Iterable[str]:
        """What the provider would refuse in inputs that are all known by name; values may be unknown."""
        return ()

    def forces_replacement(self, change: Change, inputs: Properties) -> bool:
        """Whether the provider can follow a change by a new resource only."""
        known = self.properties.get(str(change.path[0]))
        return bool(known and known.fixed)

    def ignores(self, change: Change) -> bool:
        """Whether a difference means nothing: what the program leaves out, the service has chosen."""
        known = self.properties.get(str(change.path[0]))
        return bool(known and known.computed and change.kind == "delete" and len(change.path) == 1)

    def delete_before_replace(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """Whether old and new cannot stand side by side: they would have the same given name."""
        return any(
            each.named and key in old and reveal(old[key]) == reveal(new.get(key))
            for key, each in self.properties.items()
        )

    def secret_keys(self, inputs: Mapping[str, Any]) -> frozenset[str]:
        """The outputs to be sealed: those always secret, and those that were given as a secret."""
        return self.secret_outputs | {key for key, value in inputs.items() if has_secret(value)}

    def preview(self, client: Client, inputs: Properties, operation: Operation) -> None:
        """Let the service judge `inputs` without making anything, where it can.

        Raises:
            ResourceError: The service would refuse them.
        """

    @staticmethod
    def _generated_name(name: str, old: Mapping[str, Any] | None) -> Any:
        return (old or {}).get("name") or f"{name}-{secrets.token_hex(_SUFFIX_BYTES)[:7]}"


@dataclass(frozen=True, kw_only=True)
class Update:
    """What is to be changed.

    Attributes:
        old: The recorded inputs.
        new: The inputs wanted; the recorded ones when it is to be deleted.
        outputs: The recorded outputs.
        changed: The names of the inputs that differ.
    """

    old: Properties
    new: Properties
    outputs: Properties
    changed: frozenset[str] = frozenset()


class Clients:
    """One client a provider configuration, made at its first use and shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], Any] = {}
        self._making: dict[tuple[str, str], threading.Lock] = {}

    def get(self, package: str, config: Properties, make: Callable[[Properties], Any]) -> Any:
        """The client of a package for a configuration in clear."""
        key = (package, json.dumps(config, sort_keys=True))
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            if key not in self._made:
                self._made[key] = make(config)
            return self._made[key]

    def close(self) -> None:
        """Let each client give back what it holds: sessions, tokens, files."""
        for client in self._made.values():
            close = getattr(client, "close", None)
            if close:
                try:
                    close()
                except Exception:  # noqa: BLE001 - the work is done, and what is left behind expires
                    _LOG.debug("a client could not be closed", exc_info=True)
        self._made.clear()


def known(value: Any) -> bool:
    """Whether a value is there and not a preview's unknown."""
    return value is not None and not isinstance(value, Unknown)


def flag(value: Any) -> bool:
    """A provider's boolean, which the SDK sends as JSON in a text."""
    return bool(json.loads(value)) if isinstance(value, str) else bool(value)


def reason(error: Exception) -> str:
    """Why a connection failed, without the layers of libraries around it: `Connection refused`."""
    text = str(error)
    found = re.search(r"\[Errno -?\d+\] ([^'\")]+)", text)
    return found[1] if found else text
