from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console

from sandbox import paths
from sandbox.engine import config, display
from sandbox.engine.adapters import standard
from sandbox.engine.engine import Engine
from sandbox.engine.report import Display, Report
from sandbox.engine.run import main_of
from sandbox.engine.values import mask, reveal
from sandbox.runner import Left, Options, Outcome


class EngineRunner:
    """Runs the program by the sandbox's own engine.

    Args:
        stack: Name of the stack.
        console: Where progress is shown.
        options: How to work; `--debug` has Python's own logging on, which is all there is to it here.

    Raises:
        EngineError: The stack's configuration is missing or malformed.
    """

    def __init__(self, stack: str, console: Console, options: Options) -> None:
        settings = config.load(paths.CHECKOUT, stack, options.config_file)
        self._engine = Engine(settings, main_of(settings), paths.STACKS, standard())
        self._console = console
        self._quiet = options.quiet

    def preview(self) -> Outcome:
        """Tell what `up` would change."""
        with self._display(details=True, planned=True) as shown:
            report = self._engine.preview(shown)
        self._conclude(report, planned=True)
        return _outcome(report, {"preview": report})

    def up(self) -> Outcome:
        """Bring the real resources to where the program wants them."""
        with self._display() as shown:
            planned, report = self._engine.up(display.MessagesOnly(shown), shown)
        self._conclude(report)
        return _outcome(report, {"preview": planned} if report is planned else {"preview": planned, "apply": report})

    def refresh(self) -> Outcome:
        """Read every real resource and record what differs."""
        with self._display() as shown:
            report = self._engine.refresh(shown)
        self._conclude(report)
        return _outcome(report, {"refresh": report})

    def destroy(self) -> Outcome:
        """Remove what is not protected."""
        with self._display() as shown:
            done = self._engine.destroy(shown)
        self._conclude(done.report)
        left = [(kept.resource, kept.reason) for kept in done.kept]
        left += [(resource, "its data outlive the stack; no longer recorded") for resource in done.retained]
        return _outcome(
            done.report,
            {"destroy": done.report},
            [Left(name=each.name, type=each.type, reason=reason) for each, reason in left],
        )

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs; secret ones masked unless asked for."""
        found: dict[str, Any] = (reveal if show_secrets else mask)(self._engine.outputs())
        return found

    @contextmanager
    def _display(self, *, details: bool = False, planned: bool = False) -> Iterator[Display]:
        if self._quiet:
            yield display.QuietDisplay()
        else:
            with display.LiveDisplay(self._console, details=details, planned=planned) as shown:
                yield shown

    def _conclude(self, report: Report, *, planned: bool = False) -> None:
        if not self._quiet:
            display.summary(self._console, report, planned=planned)


def _outcome(report: Report, phases: Mapping[str, Report], left: Sequence[Left] = ()) -> Outcome:
    told = report.as_json()
    return Outcome(
        summary=told["summary"],
        seconds=told["seconds"],
        errors=told["errors"],
        steps=told["steps"],
        left=left,
        phases={name: each.seconds for name, each in phases.items()},
    )
