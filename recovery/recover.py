"""Find the resources that a killed run was creating, and record them in the state."""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from phalanx.errors import PhalanxError
from recovery import plugins
from recovery.document import Creation, KnownInputs, State, is_known, pending, provider_of, resources, with_resources
from recovery.kubernetes import RELEASE
from recovery.openstack import FINDERS as OPENSTACK_FINDERS
from recovery.pulumi_stack import PulumiError, PulumiStack
from recovery.report import Item, Outcome, Report
from recovery.search import Progress, Search
from recovery.services import SERVICES

ROUNDS = 10
"""Maximum number of previews; the longest dependency chain of OpenStack resources is shorter."""


class StackLockedError(PhalanxError):
    """Another run on the stack may be in progress."""


class NotRefreshedError(PhalanxError):
    """Resources are recorded in the state with their inputs only; the message has the command that completes them."""


def recover(
    stack: PulumiStack,
    *,
    dry_run: bool = False,
    force_unlock: bool = False,
    progress: Progress = lambda _text: None,
) -> Report:
    """Release a stale lock and resolve all interrupted operations.

    Args:
        stack: The stack; like the providers, clients take their credentials from the environment.
        dry_run: Report only, change nothing.
        force_unlock: Release the lock even if its holder may be running.
        progress: Receives a message for each wait.

    Raises:
        StackLockedError: Another run may be in progress.
        NotRefreshedError: Resources were recorded, but not refreshed.
        PulumiError: The CLI failed.
    """
    report = Report(dry_run=dry_run)
    _unlock(stack, report, force=force_unlock)
    if not dry_run and (left := plugins.abandoned(stack.directory)):
        progress(f"ending {len(left)} provider plugins of a killed run")
        plugins.end(left)
    sealed = stack.export()
    if not any(pending(sealed)) and not any(each.get("initErrors") for each in resources(sealed)):
        return report
    search = Search(State(sealed, stack.export(secrets=True)), dry_run=dry_run, progress=progress)
    report.items += [search.resolve_creation(each) for each in search.state.creations()]
    report.items += [search.resolve_change(each) for each in pending(sealed, "updating", "deleting", "reading")]
    for each in search.state.unfinished():
        # The next run brings other services' objects up to date, and releases unless Helm awaits another operation.
        if finder := OPENSTACK_FINDERS.get(each.type):
            report.items.append(search.resolve_unfinished(each, finder, SERVICES["openstack"].connect))
        elif each.type == RELEASE and (item := search.unblock(each)):
            report.items.append(item)
    if not dry_run and not report.undecided and (search.recorded or search.changed or any(pending(sealed))):
        _record(stack, search)
    return report


def adopt(stack: PulumiStack, *, dry_run: bool = False, progress: Progress = lambda _text: None) -> Report:
    """Record existing OpenStack resources that the program would create, although they are not in the state.

    A resource that depends on another one is found once that one is recorded, so there are several rounds.

    Args:
        stack: The stack; it must not have pending operations.
        dry_run: Report only, change nothing.
        progress: Receives a message for each wait.

    Raises:
        NotRefreshedError: Resources were recorded, but not refreshed.
        PulumiError: The program or the CLI failed.
    """
    report = Report(dry_run=dry_run)
    for _ in range(ROUNDS):
        planned = {str(each["urn"]): each for each in stack.planned()}
        state = State(stack.export(), stack.export(secrets=True))
        search = Search(state, dry_run=dry_run, progress=progress, attempts=1)
        known = {each["urn"] for each in resources(state.sealed)}
        report.items += _unblocked(search, planned.values(), known)
        for urn, each in planned.items():
            if each["type"] not in OPENSTACK_FINDERS or not is_known(each["inputs"]):
                continue
            if not known.issuperset(_prerequisites(each)):
                continue
            place = len(search.recorded)
            item = search.resolve_creation(Creation(each, each["inputs"]))
            if item.outcome is not Outcome.ABSENT:
                report.items.append(item)
            if len(search.recorded) > place:
                # A state is valid only if parents precede their children.
                search.recorded[place:place] = _missing_parents(urn, planned, known)
        if not report.items:
            # Inputs that are unknown in an earlier round may be known in a later one.
            masked = (each for each in planned.values() if not is_known(each.get("inputs", {})))
            report.items += _existing(search, masked, known)
        if dry_run or report.undecided or not search.recorded:
            break
        _record(stack, search)
    return report


def _unblocked(search: Search, planned: Iterable[dict[str, Any]], known: set[str]) -> list[Item]:
    """Unblock planned releases of which Helm has a record, as after a lost connection, and return them.

    An API that does not answer is left to the next run, which may first create the cluster or change its address.
    """
    releases = (Creation(each, KnownInputs(each["inputs"])) for each in planned if each["type"] == RELEASE)
    items = (search.unblock(each, planned=True) for each in releases if each.provider in known)
    return [each for each in items if each and each.outcome is not Outcome.UNDECIDED]


def _existing(search: Search, masked: Iterable[dict[str, Any]], known: set[str]) -> list[Item]:
    """Return the masked resources that exist, as far as that can be determined."""
    found = []
    for each in masked:
        finder = OPENSTACK_FINDERS.get(each["type"])
        planned = Creation(each, each["inputs"])
        # A type whose existing resource is discarded cannot be imported either.
        if finder is not None and finder.discard is None and planned.provider in known:
            item = search.inspect_masked(planned, finder, SERVICES["openstack"].connect)
            found += [item] if item.outcome is not Outcome.ABSENT else []
    return found


def _prerequisites(resource: Mapping[str, Any]) -> Iterable[str]:
    """Return the URNs that must be in the state before a resource; a refused run has recorded its provider."""
    return [provider_of(resource), *(resource.get("dependencies") or [])]


def _missing_parents(urn: str, planned: Mapping[str, dict[str, Any]], known: set[str]) -> list[dict[str, Any]]:
    """Return the ancestors of a planned resource that are not in the state, outermost first."""
    missing: list[dict[str, Any]] = []
    parent = str(planned[urn].get("parent"))
    while parent in planned and parent not in known:
        known.add(parent)
        missing.insert(0, planned[parent])
        parent = str(planned[parent].get("parent"))
    return missing


def _unlock(stack: PulumiStack, report: Report, *, force: bool) -> None:
    holders = stack.holders(read_only=report.dry_run)
    if holders is None:
        report.lock_unknown = True
        return
    running = [each for each in holders if not each.stale]
    if running and not force:
        raise StackLockedError(
            f"the stack {stack.name} is locked by {', '.join(map(str, running))}: wait until that run ends, or pass "
            "--force-unlock if it is no longer running"
        )
    report.unlocked = holders
    if holders and not report.dry_run:
        stack.unlock()


def _record(stack: PulumiStack, search: "Search") -> None:
    stack.replace(with_resources(search.state.sealed, search.recorded))
    recorded = {each["urn"] for each in resources(search.state.sealed)}
    changed = [urn for urn in search.changed if urn in recorded]
    # Only the service has a resource's remaining properties, such as its addresses.
    if urns := list(dict.fromkeys([*(each["urn"] for each in search.recorded), *changed])):
        search.progress(f"refreshing {len(urns)} resources")
        try:
            stack.refresh(urns)
        except PulumiError as error:
            # The import has removed the pending operations, so that another recovery would find nothing to do.
            targets = " ".join(f"--target {shlex.quote(urn)}" for urn in urns)
            project = "" if stack.directory == Path() else f"-C {shlex.quote(str(stack.directory))} "
            raise NotRefreshedError(
                f"{len(urns)} resources are recorded in the state, but without the properties that only their service "
                f"has, as the refresh failed: {error}",
                "Before any other command on the stack, repeat it until it succeeds:",
                f"pulumi refresh {project}-s {stack.name} {targets}",
            ) from error
