"""A run of the Pulumi CLI, read from its event log.

The log is written by the CLI's option ``--event-log FILE``, which the variable ``PULUMI_DEBUG_COMMANDS=true`` enables,
as Pulumi's Automation API does. Each line is an ``EngineEvent`` of sdk/go/common/apitype/events.go in
https://github.com/pulumi/pulumi. Unlike the output of ``pulumi preview --json``, the log has the stack outputs that a
preview expects, and that of ``pulumi up`` has the same format. ``pulumi up`` with a preview writes the file twice, so
that it has the update, or the preview if that has failed.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from phalanx.errors import PhalanxError
from review.values import at, shown

STACK_TYPE: Final = "pulumi:pulumi:Stack"

_PARTS_OF_A_REPLACEMENT: Final = frozenset(
    {"create-replacement", "delete-replaced", "discard-replaced", "import-replacement", "read-replacement"}
    | {"remove-pending-replace"}
)
"""Operations that are also counted as one ``replace``."""
_UNCHANGED: Final = frozenset({"same", "read", "refresh", "discard"})
"""Operations that change nothing in the cloud."""
_REPLACE: Final = "-replace"
_COLOR: Final = re.compile(r"<\{%.*?%\}>|\x1b\[[0-9;]*[A-Za-z]")
"""Colors in the engine's notation, and in that of terminals."""
_USELESS: Final = re.compile(
    r".*program exited with non-zero exit code.*|(preview|update) failed|Resource monitor has terminated.*",
    re.DOTALL,
)
"""The engine's own errors, which follow those with the cause."""


class EventLogError(PhalanxError):
    """A file is not an event log of the Pulumi CLI."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A property that an operation changes."""

    path: str
    """Path of the property, in the notation of Pulumi."""
    kind: str
    """``add``, ``delete`` or ``update``."""
    replaces: bool
    """Whether the change requires a replacement of the resource."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """An operation on one resource."""

    operation: str
    """``create``, ``update``, ``delete``, ``replace`` or ``import``."""
    urn: str
    type: str
    """Type of the resource, such as ``openstack:compute/instance:Instance``."""
    protected: bool
    """Whether Pulumi refuses to delete the present resource."""
    retained: bool
    """Whether a deletion only removes the resource from the stack and leaves it in the cloud."""
    changes: Sequence[Change]
    """Changed properties as reported by the provider; empty if it does not tell."""
    old: Mapping[str, Any]
    """Inputs before the operation, without secrets."""
    new: Mapping[str, Any]
    """Inputs after the operation, without secrets."""
    failed: bool = False
    """Whether the operation failed."""

    @property
    def name(self) -> str:
        """Name of the resource in the program."""
        return _name(self.urn)


@dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """A message of the program, a provider or the engine."""

    severity: str
    """``error``, ``warning``, ``info``, or ``info#err`` for standard error of the program."""
    message: str
    resource: str
    """Name of the resource that it concerns; empty if it concerns the stack."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A preview or an update."""

    stack: str
    """Name of the stack."""
    preview: bool
    succeeded: bool
    counts: Mapping[str, int]
    """Number of resources by operation, including ``same``."""
    steps: Sequence[Step] = ()
    """Operations that change something, in the order of the log."""
    outputs_before: Mapping[str, Any] = field(default_factory=dict)
    """Stack outputs of the previous update, without secrets."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    """Stack outputs of this run, without secrets; those before if the program failed."""
    diagnostics: Sequence[Diagnostic] = ()


def read(file: Path, stack: str) -> Run:
    """Read an event log.

    Args:
        file: File that ``--event-log`` wrote.
        stack: Name of the stack.

    Raises:
        EventLogError: The file is missing, or is not an event log, or one of another stack.
        PlaintextSecretsError: It was written with ``--show-secrets``.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is no text"
        raise EventLogError(
            f"{file}: {reason}: expected a file of `PULUMI_DEBUG_COMMANDS=true pulumi preview --event-log {file}`"
        ) from None
    run = parse(text.split("\n"), stack, str(file))
    if run.stack != stack:
        raise EventLogError(f"{file}: is the event log of the stack {run.stack!r}, expected {stack!r}")
    return run


def parse(lines: Iterable[str], stack: str, name: str) -> Run:
    """Parse the lines of an event log; errors as for `read`.

    Args:
        lines: The lines.
        stack: Name of the stack if the log does not tell, as the program failed before it was known.
        name: Name of the file, for error messages.
    """
    steps: dict[str, dict[str, Any]] = {}
    failed: set[str] = set()
    root: Mapping[str, Any] = {}
    summary: Mapping[str, Any] = {}
    diagnostics: list[Diagnostic] = []
    for event in _events(lines, name):
        for kind in ("resourcePreEvent", "resOutputsEvent", "resOpFailedEvent"):
            metadata = at(event, kind, "metadata")
            if metadata is None:
                continue
            if metadata["type"] == STACK_TYPE:
                root = metadata
            # The last operation counts: what a refresh has found is followed by what the program does about it.
            if metadata["op"] in _UNCHANGED:
                steps.pop(metadata["urn"], None)
            elif metadata["op"] not in _PARTS_OF_A_REPLACEMENT:
                steps[metadata["urn"]] = metadata
            if kind == "resOpFailedEvent":
                failed.add(metadata["urn"])
        summary = event.get("summaryEvent", summary)
        diagnostics += _diagnostic(event)
    before = shown(at(root, "old", "outputs") or {})
    return Run(
        stack=_stack(root.get("urn") or next(iter(steps), "")) or stack,
        preview=bool(summary.get("isPreview", True)),
        succeeded=summary.get("result", "") == "succeeded",
        counts=summary.get("resourceChanges") or {},
        steps=[_step(each, failed=urn in failed) for urn, each in steps.items() if each["type"] != STACK_TYPE],
        outputs_before=before,
        outputs=shown(at(root, "new", "outputs") or {}) or before,
        diagnostics=list(dict.fromkeys(diagnostics)),
    )


def _events(lines: Iterable[str], name: str) -> Iterator[Mapping[str, Any]]:
    """Yield the events; a last line without an end, of a killed CLI, is left out."""
    lines = [line for line in lines if line.strip()]
    for number, line in enumerate(lines, start=1):
        try:
            event = json.loads(line)
        except json.JSONDecodeError:
            event = {} if 1 < number == len(lines) else None
        if not isinstance(event, dict):
            raise EventLogError(f"{name}: line {number} is no JSON object: expected a file of the option --event-log")
        yield event


def _step(metadata: Mapping[str, Any], *, failed: bool) -> Step:
    old, new = metadata.get("old") or {}, metadata.get("new") or {}
    # A deletion is determined by the state, not by the program.
    present = old or new
    return Step(
        operation=metadata["op"],
        urn=metadata["urn"],
        type=metadata["type"],
        protected=bool(present.get("protect")),
        retained=bool(present.get("retainOnDelete")),
        changes=list(_changes(metadata)),
        old=shown(old.get("inputs") or {}),
        new=shown(new.get("inputs") or {}),
        failed=failed,
    )


def _changes(metadata: Mapping[str, Any]) -> Iterator[Change]:
    replacing = {_first_key(key) for key in metadata.get("keys") or ()}
    if detailed := metadata.get("detailedDiff"):
        kinds = {path: each.get("diffKind", "update") for path, each in detailed.items()}
        reported = any(kind.endswith(_REPLACE) for kind in kinds.values())
        for path, kind in kinds.items():
            replaces = kind.endswith(_REPLACE) or (not reported and _first_key(path) in replacing)
            yield Change(path=path, kind=kind.removesuffix(_REPLACE), replaces=replaces)
        return
    for key in dict.fromkeys([*(metadata.get("keys") or ()), *(metadata.get("diffs") or ())]):
        yield Change(path=key, kind="update", replaces=_first_key(key) in replacing)


def _first_key(path: str) -> str:
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def _diagnostic(event: Mapping[str, Any]) -> list[Diagnostic]:
    if (error := event.get("errorEvent")) is not None:
        return [Diagnostic(severity="error", message=_plain(error.get("error", "")), resource="")]
    found = event.get("diagnosticEvent")
    if found is None or found.get("severity") == "debug" or found.get("ephemeral"):
        return []
    message = _plain(found["message"])
    if not message or _USELESS.fullmatch(message):
        return []
    return [Diagnostic(severity=found["severity"], message=message, resource=_resource(found.get("urn", "")))]


def without_colors(text: str) -> str:
    """Return the engine's text without colors, of which the CLI leaves some also with ``--color never``."""
    return _COLOR.sub("", text)


def _plain(text: str) -> str:
    return without_colors(text).strip("\n")


def _resource(urn: str) -> str:
    return "" if f"::{STACK_TYPE}::" in urn else _name(urn)


def _name(urn: str) -> str:
    """Return the last part of ``urn:pulumi:STACK::PROJECT::TYPE::NAME``; the name may contain ``::``."""
    return urn.split("::", 3)[-1]


def _stack(urn: str) -> str:
    return urn.partition("::")[0].removeprefix("urn:pulumi:")
