"""Recorded runs of the Pulumi CLI."""

from pathlib import Path

from review import changes, comment, run
from review.changes import Changes

DATA = Path(__file__).parent / "data"


def of(name: str, stack: str = "sandbox") -> Changes:
    """Return the changes of a recorded run."""
    return changes.of_run(run.read(DATA / f"{name}.jsonl", stack))


def report(name: str, stack: str = "sandbox") -> str:
    """Return the report of a recorded run, with the output of the CLI if it was recorded, too."""
    diff = DATA / f"{name}.txt"
    return comment.render(of(name, stack), diff.read_text() if diff.exists() else "")
