"""The sandbox's engine on any project, in a process of its own: ``python -m benchmarks.engine up|preview PROJECT``.

Prints one JSON object: ``errors``, ``changes`` (how many resources are not as they should be) and ``seconds`` of the
last pass, from the program's first line to the last resource.
"""

import json
import sys
from pathlib import Path

from sandbox.engine import config
from sandbox.engine.adapters import standard
from sandbox.engine.display import QuietDisplay
from sandbox.engine.engine import Engine
from sandbox.engine.run import main_of


def main(command: str, project: Path) -> None:
    """Run one command on the project's stack ``bench``, with its state in the project."""
    settings = config.load(project, "bench")
    engine = Engine(settings, main_of(settings), project / "state", standard())
    report = engine.preview(QuietDisplay()) if command == "preview" else engine.up(QuietDisplay(), QuietDisplay())[1]
    changes = sum(count for verb, count in report.counts.items() if verb != "same")
    json.dump({"errors": report.errors, "changes": changes, "seconds": report.seconds}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
