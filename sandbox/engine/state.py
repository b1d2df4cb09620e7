"""What the engine remembers of a stack: one file, whole after every step, with its secrets encrypted.

The file is `<directory>/<stack>.json`, mode 0600. Beside the resources it holds the creations that were begun: a record
is written before a resource is made and removed by the write that records the resource, so that what an interrupted
run has made but not recorded can be found.
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sandbox.engine import secrets
from sandbox.engine.errors import EngineError
from sandbox.engine.resources import Pending, Resource, decode, encode, renamed
from sandbox.files import write_atomically

_VERSION: Final = 1


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
            resource = decode(each, state._crypter)
            state._live[resource.urn] = resource
        state._doomed = [decode(each, state._crypter) for each in document["doomed"]]
        for each in document["pending"]:
            pending = Pending(resource=decode(each["resource"], state._crypter), existing=tuple(each["existing"]))
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
                self._live[key] = renamed(resource, former, urn)
        self._doomed = [renamed(each, former, urn) for each in self._doomed]

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            yield
            if self._file:
                write_atomically(self._file, json.dumps(self._document(), indent=1))

    def _document(self) -> dict[str, Any]:
        kept: dict[int, tuple[Any, Any]] = {}

        def encoded(resource: Resource) -> Any:
            """The resource's form in the file; kept while it does not change, so that ciphertexts do not either."""
            known = self._encoded.get(id(resource))
            form = known[1] if known and known[0] is resource else encode(resource, self._crypter)
            kept[id(resource)] = (resource, form)
            return form

        document = {
            "version": _VERSION,
            "salt": self._crypter.salt,
            "resources": [encoded(each) for each in self._live.values()],
            "doomed": [encoded(each) for each in self._doomed],
            "pending": [
                {"resource": encoded(each.resource), "existing": each.existing} for each in self._pending.values()
            ],
        }
        self._encoded = kept
        return document


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
