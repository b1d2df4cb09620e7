"""The Pulumi CLI, as far as a recovery drives it: a program on PATH with one state in a file.

A secret is sealed by writing it backwards; what is sealed never stands in clear in the file.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SIGNATURE = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
_DIRECTORY = "FAKE_PULUMI"


def sealed(value: Any) -> dict[str, str]:
    """A secret as a state has it."""
    return {**SIGNATURE, "ciphertext": json.dumps(value)[::-1]}


@dataclass
class FakePulumi:
    """A directory with the program, the state and what was done."""

    directory: Path

    @property
    def variables(self) -> dict[str, str]:
        """The environment in which it is the one that is found."""
        return {"PATH": f"{self.directory}{os.pathsep}{os.environ['PATH']}", _DIRECTORY: str(self.directory)}

    def install(self) -> None:
        """Put the program there, with an empty state."""
        program = self.directory / "pulumi"
        program.write_text(f"#!{sys.executable}\nimport runpy\nrunpy.run_path({__file__!r}, run_name='__main__')\n")
        program.chmod(0o755)
        self.write([], [])

    def write(self, resources: Sequence[Mapping[str, Any]], pending: Sequence[Mapping[str, Any]]) -> None:
        """Set the state."""
        deployment = {"resources": resources, **({"pending_operations": pending} if pending else {})}
        self._file("state.json").write_text(json.dumps({"version": 3, "deployment": deployment}))

    def plan(self, *rounds: Sequence[Mapping[str, Any]]) -> None:
        """What the program would create, in each preview in turn; nothing in those after."""
        self._file("plan.json").write_text(json.dumps(rounds))

    def lock(self, *holders: str) -> None:
        """Lock the stack; each holder as ``user@host (pid 1)``."""
        self._file("lock").write_text("\n".join(holders))

    @property
    def locked(self) -> bool:
        """Whether somebody holds the stack."""
        return self._file("lock").exists()

    @property
    def text(self) -> str:
        """The state's file."""
        return self._file("state.json").read_text()

    @property
    def resources(self) -> list[dict[str, Any]]:
        """The resources of the state."""
        return list(json.loads(self.text)["deployment"]["resources"])

    @property
    def pending(self) -> list[dict[str, Any]]:
        """The operations that the state calls pending."""
        return list(json.loads(self.text)["deployment"].get("pending_operations", []))

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call."""
        file = self._file("calls")
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def called(self, *command: str) -> list[list[str]]:
        """The calls of a command."""
        return [each for each in self.calls if each[: len(command)] == list(command)]

    def _file(self, name: str) -> Path:
        return self.directory / name

    def answer(self, arguments: list[str]) -> None:
        """Do what a call asks for."""
        with self._file("calls").open("a") as calls:
            calls.write(json.dumps(arguments) + "\n")
        match arguments:
            case ["stack", "export", *options]:
                document = json.loads(self.text)
                sys.stdout.write(json.dumps(_opened(document) if "--show-secrets" in options else document))
            case ["stack", "import", *_]:
                self._refuse_if_locked()
                document = _closed(json.load(sys.stdin))
                document["deployment"].pop("pending_operations", None)
                self._file("state.json").write_text(json.dumps(document))
            case ["stack", "rename", name, *_]:
                self._refuse_if_locked()
                sys.exit(f"error: a stack named {name} already exists")
            case ["cancel", "--yes", *_]:
                self._file("lock").unlink()
            case ["refresh", *_]:
                self._refuse_if_locked()
            case ["preview", *_]:
                rounds = json.loads(self._file("plan.json").read_text()) if self._file("plan.json").exists() else []
                self._file("plan.json").write_text(json.dumps(rounds[1:]))
                steps = [{"op": "create", "newState": each} for each in (rounds or [[]])[0]]
                sys.stdout.write(json.dumps({"steps": [{"op": "same", "newState": {}}, *steps]}))
            case _:
                sys.exit(f"error: unknown command {arguments}")

    def _refuse_if_locked(self) -> None:
        if self.locked:
            holders = self._file("lock").read_text().splitlines()
            lines = [f"  file:///lock.json: created by {each} at 2026-01-01T00:00:00Z" for each in holders]
            sys.exit(
                "\n".join([f"error: the stack is currently locked by {len(lines)} lock(s). Either wait ...", *lines])
            )


def _opened(value: Any) -> Any:
    match value:
        case {"ciphertext": str(text), **rest}:
            return {**rest, "plaintext": text[::-1]}
        case dict():
            return {key: _opened(each) for key, each in value.items()}
        case list():
            return [_opened(each) for each in value]
        case _:
            return value


def _closed(value: Any) -> Any:
    match value:
        case {"plaintext": str(text), **rest}:
            return {**rest, "ciphertext": text[::-1]}
        case dict():
            return {key: _closed(each) for key, each in value.items()}
        case list():
            return [_closed(each) for each in value]
        case _:
            return value


if __name__ == "__main__":
    FakePulumi(Path(os.environ[_DIRECTORY])).answer(sys.argv[1:])
