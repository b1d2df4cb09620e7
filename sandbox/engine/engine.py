"""The commands of the engine on one stack: preview, up, refresh, outputs, destroy."""

import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Final

from sandbox.engine import diff, urns
from sandbox.engine.adapters import PROVIDER_PREFIX, Registry
from sandbox.engine.adapters.base import Clients
from sandbox.engine.config import StackConfig
from sandbox.engine.deployment import Deployment
from sandbox.engine.errors import EngineError
from sandbox.engine.provision import Provisioner, sealed
from sandbox.engine.removal import Kept, Removal, keep_protected, refuse_protected, verb
from sandbox.engine.report import Display, Report
from sandbox.engine.resources import Pending, Resource
from sandbox.engine.run import Program, interruptible, run_pass
from sandbox.engine.state import State, locked
from sandbox.engine.values import Properties

PARALLEL: Final = 64
"""Operations at a time. They wait and do not compute; and all applications that are deployed side by side must be under
way at once, as one may wait in the cluster for another."""


@dataclass(frozen=True, kw_only=True)
class Destruction:
    """What a destruction did, and what it left.

    Attributes:
        kept: What still exists and is recorded, with the reason.
        retained: What still exists but is no longer recorded, as its option retain_on_delete asks.
    """

    report: Report
    kept: list[Kept]
    retained: list[Resource]


class Engine:
    """One stack.

    Every command takes up first what an interrupted one has left, and leaves the state whole whenever it ends.

    Args:
        config: The stack's configuration.
        program: Registers the stack's resources.
        directory: Where the state is kept: `<stack>.json`, mode 0600.
        registry: The known types.
        parallel: How many operations at a time.
    """

    def __init__(
        self, config: StackConfig, program: Program, directory: Path, registry: Registry, parallel: int = PARALLEL
    ) -> None:
        self._config = config
        self._program = program
        self._file = directory / f"{config.stack}.json"
        self._registry = registry
        self._parallel = parallel

    def preview(self, display: Display) -> Report:
        """What `up` would do; nothing is made or written. Faults are in the report."""
        with self._session() as (state, clients):
            return self._preview(state, clients, display)[0]

    def up(self, planning: Display, display: Display) -> tuple[Report, Report]:
        """Bring the real resources to where the program wants them.

        A pass of preview comes first, so that an unknown type, a wrong input or a missing service stops the command
        before anything is made.

        Args:
            planning: Shows the preview.
            display: Shows the work.

        Returns:
            The report of the preview, and that of the work, which is the same one if there was nothing to do.

        Raises:
            EngineError: The program refused its input, or it was interrupted.
        """
        with self._session() as (state, clients):
            self._recover(state, clients, display)
            planned, foreseen = self._preview(state, clients, planning)
            if planned.errors or foreseen.same_as(state):
                return planned, planned
            report = Report(display)
            counted = ", ".join(f"{number} to {verb}" for verb, number in planned.counts.items() if verb != "same")
            report.say(f"Planned in {planned.seconds:.1f} s: {counted or 'only what is recorded changes'}")
            provisioner = Provisioner(state, self._registry, self._config, clients)
            deployment = Deployment(self._config, provisioner, report, dry_run=False)
            run_pass(self._program, deployment, self._parallel)
            if not report.errors:
                self._remove(self._unregistered(state, deployment), provisioner, report)
            report.close()
            return planned, report

    def refresh(self, display: Display) -> Report:
        """Read every real resource, and record what differs; the next preview shows it against the program."""
        with self._session() as (state, clients):
            self._recover(state, clients, display)
            report = Report(display)
            provisioner = Provisioner(state, self._registry, self._config, clients)
            halted = Event()

            def refresh(resource: Resource) -> None:
                if not halted.is_set():
                    self._refresh(resource, provisioner, report)

            wanted = [
                each
                for each in state.live()
                if each.custom and not each.external and not each.type.startswith((PROVIDER_PREFIX, "pulumi:"))
            ]
            with interruptible(halted.set), ThreadPoolExecutor(self._parallel) as pool:
                for future in [pool.submit(refresh, each) for each in wanted]:
                    future.exception()  # waits; failures are in the report
            report.close()
            return report

    def outputs(self) -> Properties:
        """The stack's outputs as recorded by the last `up`, with their secrets sealed.

        Raises:
            EngineError: There was none.
        """
        stack = next((each for each in State.open(self._file).live() if each.type == urns.STACK_TYPE), None)
        if stack is None:
            raise EngineError(f"stack {self._config.stack!r} has no outputs: run `python -m sandbox up` first")
        return stack.outputs

    def destroy(self, display: Display) -> Destruction:
        """Remove every resource that is not protected, nor needed by one that is; dependants before what they need."""
        with self._session() as (state, clients):
            self._recover(state, clients, display)
            report = Report(display)
            provisioner = Provisioner(state, self._registry, self._config, clients)
            kept = keep_protected(state.live())
            held = {each.resource.urn for each in kept}
            condemned = [each for each in state.live() if each.urn not in held] + state.doomed()
            self._remove(condemned, provisioner, report)
            report.close()
            gone = {step.urn for step in report.steps if step.verb == "retain" and not step.error}
            retained = [each for each in condemned if each.urn in gone]
            return Destruction(report=report, kept=kept, retained=retained)

    @contextmanager
    def _session(self) -> Iterator[tuple[State, Clients]]:
        """The stack's state, locked, with clients that are closed at the end."""
        clients = Clients()
        with locked(self._file), _private_temporary_directory(self._file.parent / f".{self._config.stack}.tmp"):
            try:
                yield State.open(self._file), clients
            finally:
                clients.close()

    def _preview(self, state: State, clients: Clients, display: Display) -> tuple[Report, State]:
        report = Report(display)
        for pending in state.pending():
            report.say(f"{pending.resource.name}: its creation was interrupted; `up` looks first what became of it")
        foreseen = state.scratch()
        provisioner = Provisioner(foreseen, self._registry, self._config, clients)
        deployment = Deployment(self._config, provisioner, report, dry_run=True)
        run_pass(self._program, deployment, self._parallel)
        if not report.errors:
            condemned = self._unregistered(foreseen, deployment)
            for fault in refuse_protected(condemned):
                report.fail(fault)
            for each in condemned:
                if each.custom and not each.external:
                    with report.step(verb(each, foreseen), each.urn):
                        foreseen.forget(each)
        report.close()
        return report, foreseen

    @staticmethod
    def _unregistered(state: State, deployment: Deployment) -> list[Resource]:
        """What has to go: resources that the program no longer registers, and those that were replaced."""
        registered = deployment.registered
        return [each for each in state.live() if each.urn not in registered] + state.doomed()

    def _remove(self, condemned: list[Resource], provisioner: Provisioner, report: Report) -> None:
        removal = Removal(provisioner, report, self._parallel)
        with interruptible(removal.halt):
            removal.run(condemned)

    def _recover(self, state: State, clients: Clients, display: Display) -> None:
        """Take up what an interrupted run has made but not recorded."""
        report = Report(display)
        provisioner = Provisioner(state, self._registry, self._config, clients)
        for pending in state.pending():
            with _explained(pending), report.step("recover", pending.resource.urn) as step:
                found = provisioner.recover(pending, partial(report.waiting, step))
                step.reason = "made by an interrupted run" if found else "an interrupted run had not made it yet"

    @staticmethod
    def _refresh(resource: Resource, provisioner: Provisioner, report: Report) -> None:
        outputs = provisioner.read(resource)
        if outputs is None:
            with report.step("delete", resource.urn, reason="it is gone"):
                provisioner.state.forget(resource)
            return
        adapter = provisioner.registry.adapter(resource.type)
        now = sealed(adapter, resource, outputs, resource.outputs)
        inputs = diff.adopt_drift(resource.inputs, resource.outputs, now)
        drift = diff.changes(resource.inputs, inputs)
        # What the service alone decides (a status, the volumes attached) moves without being drift.
        with report.step("refresh" if drift else "same", resource.urn, drift):
            if resource.outputs != now:
                provisioner.state.put(replace(resource, inputs=inputs, outputs=now))


@contextmanager
def _explained(pending: Pending) -> Iterator[None]:
    try:
        yield
    except EngineError as error:
        name = pending.resource.name
        raise EngineError(
            f"{name}: an interrupted run was making it; what became of it is not known: {error}"
        ) from error


@contextmanager
def _private_temporary_directory(directory: Path) -> Iterator[None]:
    """Let temporary files of this process lie in a directory of mode 0700, which a killed run's successor empties."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(mode=0o700)
    before, tempfile.tempdir = tempfile.tempdir, str(directory)
    try:
        yield
    finally:
        tempfile.tempdir = before
        shutil.rmtree(directory, ignore_errors=True)
