"""Find what a killed run was making, and record it."""

from collections.abc import Iterable, Mapping
from typing import Any

from operations.recovery.document import Creation, State, is_known, pending, resources, with_resources
from operations.recovery.openstack import FINDERS as OF_OPENSTACK
from operations.recovery.pulumi_stack import PulumiStack
from operations.recovery.report import Outcome, Report
from operations.recovery.search import Progress, Search
from phalanx.errors import PhalanxError

ROUNDS = 10
"""How many times the program is asked at most; its longest chain of resources in OpenStack is shorter."""


class StackLockedError(PhalanxError):
    """Another run may be at work on the stack."""


def recover(
    stack: PulumiStack,
    *,
    dry_run: bool = False,
    force_unlock: bool = False,
    progress: Progress = lambda _text: None,
) -> Report:
    """Take a stale lock away, and settle every operation that was cut off.

    Args:
        stack: The stack; clients find their credentials in the environment, as the providers do.
        dry_run: Only look.
        force_unlock: Take the lock away even if its holder cannot be seen from here.
        progress: Is told what is waited for.

    Raises:
        StackLockedError: Another run may be at work.
        PulumiError: The CLI refuses.
    """
    report = Report(dry_run=dry_run)
    _unlock(stack, report, force=force_unlock)
    sealed = stack.export()
    if not any(pending(sealed)):
        return report
    search = Search(State(sealed, stack.export(secrets=True)), dry_run=dry_run, progress=progress)
    report.items += [search.settle(each) for each in search.state.creations()]
    report.items += [search.read_again(each) for each in pending(sealed, "updating", "deleting", "reading")]
    if not dry_run and not report.undecided:
        _record(stack, search)
    return report


def adopt(stack: PulumiStack, *, dry_run: bool = False, progress: Progress = lambda _text: None) -> Report:
    """Record what the program would make and OpenStack has already under its name, though the state does not know it.

    What depends on something that is not known yet shows itself in the round after.

    Args:
        stack: The stack; nothing may be pending in it.
        dry_run: Only look.
        progress: Is told what is waited for.

    Raises:
        PulumiError: The program fails, or the CLI refuses.
    """
    report = Report(dry_run=dry_run)
    for _ in range(ROUNDS):
        planned = {str(each["urn"]): each for each in stack.planned()}
        state = State(stack.export(), stack.export(secrets=True))
        search = Search(state, dry_run=dry_run, progress=progress, looks=1)
        known = {each["urn"] for each in resources(state.sealed)}
        for urn, each in planned.items():
            ready = each["type"] in OF_OPENSTACK and is_known(each["inputs"]) and known.issuperset(_needs(each))
            if ready and (item := search.settle(Creation(each, each["inputs"]))).outcome is not Outcome.ABSENT:
                report.items.append(item)
                search.recorded[:0] = _missing_parents(urn, planned, known)
        if dry_run or report.undecided or not search.recorded:
            break
        _record(stack, search)
    return report


def _needs(resource: Mapping[str, Any]) -> Iterable[str]:
    """The URNs of what must be in the state before a resource is; a refused run has registered its provider."""
    return [str(resource["provider"]).rpartition("::")[0], *(resource.get("dependencies") or [])]


def _missing_parents(urn: str, planned: Mapping[str, dict[str, Any]], known: set[str]) -> list[dict[str, Any]]:
    """The components around a planned resource that the state does not have either, from the outside inwards."""
    missing: list[dict[str, Any]] = []
    parent = str(planned[urn].get("parent"))
    while parent in planned and parent not in known:
        known.add(parent)
        missing.insert(0, planned[parent])
        parent = str(planned[parent].get("parent"))
    return missing


def _unlock(stack: PulumiStack, report: Report, *, force: bool) -> None:
    holders = stack.holders()
    at_work = [each for each in holders if not each.stale]
    if at_work and not force:
        raise StackLockedError(
            f"the stack {stack.name} is locked by {', '.join(map(str, at_work))}: wait until that run has ended; if "
            "you know that it is gone, say --force-unlock"
        )
    report.unlocked = holders
    if holders and not report.dry_run:
        stack.unlock()


def _record(stack: PulumiStack, search: "Search") -> None:
    stack.replace(with_resources(search.state.sealed, search.recorded))
    there = {each["urn"] for each in resources(search.state.sealed)}
    changed = [urn for urn in search.changed if urn in there]
    # Only its service knows the rest of a resource, such as its addresses.
    if urns := [*(each["urn"] for each in search.recorded), *changed]:
        search.progress(f"reading {len(urns)} resources again")
        stack.refresh(dict.fromkeys(urns))
