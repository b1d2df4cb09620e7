"""The operations of a Pulumi run on each resource, from the CLI's event stream."""

import time
from dataclasses import dataclass, field
from typing import Any, Final

from pulumi.automation import events

_REPLACE: Final = "-replace"


@dataclass
class _Step:
    metadata: events.StepEventMetadata
    started: float = field(default_factory=time.monotonic)
    seconds: float | None = None
    error: str | None = None


class Steps:
    """Collects the operations of one run, without property values."""

    def __init__(self) -> None:
        self._steps: dict[tuple[str, str], _Step] = {}
        self._diagnostics: dict[str, str] = {}

    def note(self, event: events.EngineEvent) -> None:
        """Process one event."""
        if (diagnostic := event.diagnostic_event) and diagnostic.severity == "error" and diagnostic.urn:
            self._diagnostics[diagnostic.urn] = diagnostic.message.strip()
        if begun := event.resource_pre_event:
            self._step(begun.metadata)
        if done := event.res_outputs_event:
            self._end(done.metadata)
        if failed := event.res_op_failed_event:
            self._end(failed.metadata).error = self._diagnostics.get(failed.metadata.urn, "failed")

    def as_json(self) -> list[dict[str, Any]]:
        """Return the operations in the order in which they started."""
        return [_as_json(each) for each in self._steps.values()]

    def _step(self, metadata: events.StepEventMetadata) -> _Step:
        return self._steps.setdefault((metadata.urn, metadata.op.value), _Step(metadata))

    def _end(self, metadata: events.StepEventMetadata) -> _Step:
        step = self._step(metadata)
        # During a refresh, the operation is known only at its end.
        step.metadata = metadata
        step.seconds = time.monotonic() - step.started
        return step


def _as_json(step: _Step) -> dict[str, Any]:
    metadata = step.metadata
    return {
        "op": metadata.op.value,
        "urn": metadata.urn,
        "type": metadata.type,
        "name": metadata.urn.rpartition("::")[2],
        "changes": [
            {
                "path": path,
                "kind": change.diff_kind.value.removesuffix(_REPLACE),
                "replaces": change.diff_kind.value.endswith(_REPLACE),
            }
            for path, change in (metadata.detailed_diff or {}).items()
        ],
        "error": step.error,
        "seconds": None if step.seconds is None else round(step.seconds, 3),
    }
