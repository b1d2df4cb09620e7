"""What the Pulumi CLI did to each resource, from the events that it tells while it works."""

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
    """Collects the operations of one run; no value of a property is kept."""

    def __init__(self) -> None:
        self._steps: dict[tuple[str, str], _Step] = {}
        self._told: dict[str, str] = {}

    def note(self, event: events.EngineEvent) -> None:
        """Take up one event."""
        if (said := event.diagnostic_event) and said.severity == "error" and said.urn:
            self._told[said.urn] = said.message.strip()
        if begun := event.resource_pre_event:
            self._step(begun.metadata)
        if done := event.res_outputs_event:
            self._end(done.metadata)
        if failed := event.res_op_failed_event:
            self._end(failed.metadata).error = self._told.get(failed.metadata.urn, "failed")

    def as_json(self) -> list[dict[str, Any]]:
        """The steps in the order in which they began."""
        return [_as_json(each) for each in self._steps.values()]

    def _step(self, metadata: events.StepEventMetadata) -> _Step:
        return self._steps.setdefault((metadata.urn, metadata.op.value), _Step(metadata))

    def _end(self, metadata: events.StepEventMetadata) -> _Step:
        step = self._step(metadata)
        # Only after a refresh is it known what the operation was.
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
