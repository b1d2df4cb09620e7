"""A fake of the Pulumi commands that a recovery runs, with one state in a file: a program on PATH, or no process.

A secret is "encrypted" by reversing it, so the file never contains its plaintext.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SIGNATURE = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
_DIRECTORY = "FAKE_PULUMI"
_ROOT = Path(__file__).parents[3]


def sealed(value: Any) -> dict[str, str]:
    """Return an encrypted secret as in a state."""
    return {**SIGNATURE, "ciphertext": json.dumps(value)[::-1]}


class FakePulumi:
    """A directory with the program, the state and a log of the calls."""

    # Not a dataclass: to import the decorator takes a fifth of a call.
    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @classmethod
    def run(cls) -> None:
        """Handle the call of this process."""
        sys.stdout.write(cls(Path(os.environ[_DIRECTORY])).answer(sys.argv[1:], dict(os.environ), sys.stdin.read()))

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables that put the fake first on PATH."""
        return {"PATH": f"{self.directory}{os.pathsep}{os.environ['PATH']}", _DIRECTORY: str(self.directory)}

    def install(self) -> None:
        """Create the program and an empty state."""
        program = self.directory / "pulumi"
        # Imported, so that it is compiled once; -I and -S leave out what the machine adds to each start.
        called = "from tests.unit.recovery.fake_pulumi import FakePulumi; FakePulumi.run()"
        program.write_text(f"#!{sys.executable} -IS\nimport sys; sys.path.insert(0, {str(_ROOT)!r}); {called}\n")
        program.chmod(0o755)
        self.write([], [])

    def write(self, resources: Sequence[Mapping[str, Any]], pending: Sequence[Mapping[str, Any]]) -> None:
        """Set the state."""
        deployment = {"resources": resources, **({"pending_operations": pending} if pending else {})}
        self._file("state.json").write_text(json.dumps({"version": 3, "deployment": deployment}))

    def plan(self, *rounds: Sequence[Mapping[str, Any]]) -> None:
        """Set the resources that each successive preview would create; later ones create none."""
        self._file("plan.json").write_text(json.dumps(rounds))

    def lock(self, *holders: str) -> None:
        """Lock the stack; each holder as ``user@host (pid 1)``."""
        self._file("lock").write_text("\n".join(holders))

    def in_cloud(self, **updating: bool) -> None:
        """Use Pulumi Cloud as the backend, with stacks that are being updated or not."""
        stacks = [{"name": name, "updateInProgress": each} for name, each in updating.items()]
        self._file("updating").write_text(json.dumps(stacks))

    def accept_rename(self) -> None:
        """Make a stack's rename to its own name succeed."""
        self._file("renamed").touch()

    def fail(self, command: str, message: str) -> None:
        """Make a command fail with a message."""
        self._file(f"failing-{command}").write_text(message)

    def repair(self, command: str) -> None:
        """Let a command succeed again."""
        self._file(f"failing-{command}").unlink()

    @property
    def locked(self) -> bool:
        """Whether the stack is locked."""
        return self._file("lock").exists()

    @property
    def text(self) -> str:
        """Content of the state's file."""
        return self._file("state.json").read_text()

    @property
    def resources(self) -> list[dict[str, Any]]:
        """Resources of the state."""
        return list(json.loads(self.text)["deployment"]["resources"])

    @property
    def pending(self) -> list[dict[str, Any]]:
        """Pending operations of the state."""
        return list(json.loads(self.text)["deployment"].get("pending_operations", []))

    @property
    def calls(self) -> list[list[str]]:
        """Arguments of each call."""
        file = self._file("calls")
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def called(self, *command: str) -> list[list[str]]:
        """Return the calls of a command."""
        return [each for each in self.calls if each[: len(command)] == list(command)]

    def variable(self, name: str) -> str | None:
        """Return an environment variable of the last call."""
        found: dict[str, str] = json.loads(self._file("environment").read_text())
        return found.get(name)

    def _file(self, name: str) -> Path:
        return self.directory / name

    def answer(self, arguments: list[str], environment: Mapping[str, str], text: str) -> str:
        """Handle a call, and return its output.

        Raises:
            SystemExit: It fails, with the message, or succeeds without output.
        """
        with self._file("calls").open("a") as calls:
            calls.write(json.dumps(arguments) + "\n")
        self._file("environment").write_text(json.dumps(environment))
        if (failure := self._file(f"failing-{arguments[0]}")).exists():
            sys.exit(failure.read_text())
        match arguments:
            case ["stack", "export", *options]:
                document = json.loads(self.text)
                return json.dumps(_decrypted(document) if "--show-secrets" in options else document)
            case ["stack", "import", *_]:
                self._refuse_if_locked()
                document = _encrypted(json.loads(text))
                document["deployment"].pop("pending_operations", None)
                self._file("state.json").write_text(json.dumps(document))
            case ["whoami", "--json", *_]:
                cloud = self._file("updating").exists()
                return json.dumps({"url": "https://app.pulumi.com/me" if cloud else "file://~"})
            case ["stack", "ls", "--json", *_]:
                return self._file("updating").read_text()
            case ["stack", "rename", name, *_]:
                self._refuse_if_locked()
                sys.exit(None if self._file("renamed").exists() else f"error: a stack named {name} already exists")
            case ["cancel", "--yes", *_]:
                self._file("lock").unlink(missing_ok=True)
            case ["refresh", *options]:
                self._refuse_if_locked()
                self._refresh(options)
            case ["preview", *_]:
                rounds = json.loads(self._file("plan.json").read_text()) if self._file("plan.json").exists() else []
                self._file("plan.json").write_text(json.dumps(rounds[1:]))
                steps = [{"op": "create", "newState": each} for each in (rounds or [[]])[0]]
                return json.dumps({"steps": [{"op": "same", "newState": {}}, *steps]})
            case _:
                sys.exit(f"error: unknown command {arguments}")
        return ""

    def _refresh(self, options: list[str]) -> None:
        document = json.loads(self.text)
        for each in document["deployment"]["resources"]:
            if f"--target={each['urn']}" in options:
                each.pop("initErrors", None)
        self._file("state.json").write_text(json.dumps(document))

    def _refuse_if_locked(self) -> None:
        if self.locked:
            holders = self._file("lock").read_text().splitlines()
            lines = [f"  file:///lock.json: created by {each} at 2026-01-01T00:00:00Z" for each in holders]
            sys.exit(
                "\n".join([f"error: the stack is currently locked by {len(lines)} lock(s). Either wait ...", *lines])
            )


def _decrypted(value: Any) -> Any:
    return _reversed(value, "ciphertext", "plaintext")


def _encrypted(value: Any) -> Any:
    return _reversed(value, "plaintext", "ciphertext")


def _reversed(value: Any, old: str, new: str) -> Any:
    match value:
        case dict() if old in value:
            return {key: each for key, each in value.items() if key != old} | {new: value[old][::-1]}
        case dict():
            return {key: _reversed(each, old, new) for key, each in value.items()}
        case list():
            return [_reversed(each, old, new) for each in value]
        case _:
            return value
