"""Find the resources that a killed run was creating, and record them in the state."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from phalanx.errors import PhalanxError
from recovery import plugins
from recovery.document import State, pending, resources, unread, with_resources, with_unread
from recovery.kubernetes import RELEASE
from recovery.openstack import FINDERS as OPENSTACK_FINDERS
from recovery.pulumi_stack import PulumiError, PulumiStack
from recovery.report import Item, Outcome, Report
from recovery.search import Progress, Search
from recovery.services import SERVICES


class StackLockedError(PhalanxError):
    """Another run on the stack may be in progress."""


class StackChangedError(PhalanxError):
    """Another run has changed the state since it was exported."""


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
        StackChangedError: Another run has changed the state in the meantime; what was found was not recorded.
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
    search = Search(State(sealed, stack.export(secrets=True), sealed), dry_run=dry_run, progress=progress)
    report.items += [search.resolve_creation(each) for each in search.state.creations()]
    report.items += [search.resolve_change(each) for each in pending(sealed, "updating", "deleting", "reading")]
    for each in search.state.unfinished():
        # The next run brings other services' objects up to date, and releases unless Helm awaits another operation.
        if finder := OPENSTACK_FINDERS.get(each.type):
            report.items.append(search.resolve_unfinished(each, finder, SERVICES["openstack"].connect))
        elif each.type == RELEASE and (item := search.remove_helm_record(each)):
            report.items.append(item)
    known = {each.urn for each in report.items}
    report.unrecorded = report.undecided
    if not report.undecided:
        report.items += [
            Item(urn, Outcome.REFRESHED, "it was recorded, but not read yet")
            for urn in unread(sealed)
            if urn not in known
        ]
    if not dry_run and not report.undecided and (search.changed or any(pending(sealed)) or unread(sealed)):
        record(stack, search)
    return report


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


def record(stack: PulumiStack, search: Search) -> None:
    """Add what a search has found to the state, and read it from the services.

    Raises:
        StackChangedError: Another run has changed the state in the meantime; what was found was not recorded.
        PulumiError: The CLI failed.
    """
    # The search may have waited for more than an hour, without the lock.
    if stack.export() != search.state.exported:
        raise StackChangedError(
            f"another run has changed the stack {stack.name} in the meantime, and what was found was not recorded: run "
            "the same command again"
        )
    document = with_unread(with_resources(search.state.sealed, search.recorded), search.changed)
    stack.replace(document)
    read(stack, document, search.progress)


def read(stack: PulumiStack, document: Mapping[str, Any], progress: Progress) -> None:
    """Refresh what is marked as `UNREAD`: only its service has the remaining properties, such as addresses.

    Args:
        stack: The stack.
        document: Its state.
        progress: Receives a message.

    Raises:
        PulumiError: The CLI failed; another recovery then continues here.
    """
    urns = unread(document)
    if not urns:
        return
    progress(f"refreshing {len(urns)} resources")
    try:
        stack.refresh(urns)
    except PulumiError as error:
        project = "" if stack.directory == Path() else f" -C {shlex.quote(str(stack.directory))}"
        raise PulumiError(
            f"what is recorded in the state could not be read from its service: {error}",
            f"Before any other command on the stack, run `python -m operations recover -s {stack.name}{project}`: it "
            "reads them",
        ) from error
