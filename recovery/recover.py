"""Find the resources that a killed run was creating, and record them in the state."""

import shlex
from pathlib import Path

from phalanx.errors import PhalanxError
from recovery import plugins
from recovery.document import State, pending, resources, with_resources
from recovery.kubernetes import RELEASE
from recovery.openstack import FINDERS as OPENSTACK_FINDERS
from recovery.pulumi_stack import PulumiError, PulumiStack
from recovery.report import Report
from recovery.search import Progress, Search
from recovery.services import SERVICES


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
        elif each.type == RELEASE and (item := search.remove_helm_record(each)):
            report.items.append(item)
    if not dry_run and not report.undecided and (search.recorded or search.changed or any(pending(sealed))):
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
    """Add what a search has found to the state, and refresh it.

    Raises:
        NotRefreshedError: Resources were recorded, but not refreshed.
        PulumiError: The CLI failed.
    """
    stack.replace(with_resources(search.state.sealed, search.recorded))
    recorded = {each["urn"] for each in resources(search.state.sealed)}
    changed = [urn for urn in search.changed if urn in recorded]
    # What its service has failed to create is as if a run had seen that: the next recovery looks at it again.
    created = [each["urn"] for each in search.recorded if not each.get("initErrors")]
    # Only the service has a resource's remaining properties, such as its addresses.
    if urns := list(dict.fromkeys([*created, *changed])):
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
