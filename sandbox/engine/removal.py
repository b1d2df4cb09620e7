"""Removes resources in reverse order of their dependencies, independent ones side by side."""

from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial

from sandbox.engine.provision import Provisioner
from sandbox.engine.report import Report, Verb
from sandbox.engine.resources import Resource
from sandbox.engine.state import State


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A resource that a destruction leaves in place, and why."""

    resource: Resource
    reason: str


def keep_protected(resources: Iterable[Resource]) -> list[Kept]:
    """The resources that a destruction must leave: the protected ones, and all that they need."""
    known = {each.urn: each for each in resources}
    kept = {urn: "protected" for urn, each in known.items() if each.protect and each.custom}
    queue = list(kept)
    while queue:
        holder = known[queue.pop()]
        for urn in holder.needs:
            if urn in known and urn not in kept:
                kept[urn] = f"needed by {holder.name}"
                queue.append(urn)
    return [Kept(resource=known[urn], reason=reason) for urn, reason in kept.items()]


def refuse_protected(resources: Iterable[Resource]) -> list[str]:
    """Why resources that the program no longer registers cannot be removed; empty if they can."""
    return [
        f"{each.name} ({each.type}) is no longer part of the program but protected: put it back, "
        "register it once with protect=False, and only then remove it"
        for each in resources
        if each.protect and each.custom
    ]


def verb(resource: Resource, state: State) -> Verb:
    """What the removal of a resource is called: one that was replaced is no longer the state's live one."""
    if resource.retain_on_delete:
        return "retain"
    return "delete" if state.get(resource.urn) is resource else "discard"


class Removal:
    """One removal of several resources.

    Args:
        provisioner: Removes each of them.
        report: Told of every step.
        workers: How many at a time.
    """

    def __init__(self, provisioner: Provisioner, report: Report, workers: int) -> None:
        self._provisioner = provisioner
        self._report = report
        self._workers = workers
        self._halted = False

    def halt(self) -> None:
        """Begin nothing new."""
        self._halted = True

    def run(self, resources: Iterable[Resource]) -> None:
        """Remove the resources, each when all that need it are gone; what cannot be removed holds what it needs.

        Failures are reported, not raised.
        """
        waiting = list(resources)
        condemned = {each.urn for each in waiting}
        running: dict[Future[None], Resource] = {}
        stuck: list[Resource] = []
        with ThreadPoolExecutor(self._workers, thread_name_prefix="remove") as pool:
            while waiting or running:
                held = {urn for each in (*waiting, *running.values(), *stuck) for urn in each.needs}
                free = [] if self._halted else [each for each in waiting if each.urn not in held]
                waiting = [each for each in waiting if each.urn in held or self._halted]
                running |= {pool.submit(self._remove, each, each.deleted_with in condemned): each for each in free}
                if not running:
                    return  # halted, or all that is left is needed by something that could not be removed
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    each = running.pop(future)
                    if future.exception():
                        stuck.append(each)

    def _remove(self, resource: Resource, along: bool) -> None:
        if not resource.custom or resource.external:
            self._provisioner.delete(resource, lambda _text: None)
            return
        with self._report.step(verb(resource, self._provisioner.state), resource.urn) as step:
            if along:
                self._provisioner.state.forget(resource)
            else:
                self._provisioner.delete(resource, partial(self._report.waiting, step))
