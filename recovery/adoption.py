"""Find existing resources that the program would create, and record them in the state."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import uuid4

from phalanx.errors import PhalanxError
from recovery.document import (
    Creation,
    KnownInputs,
    State,
    is_known,
    known_part,
    provider_of,
    resources,
    secret,
    with_resources,
)
from recovery.kubernetes import RELEASE
from recovery.openstack import FINDERS as OPENSTACK_FINDERS
from recovery.pulumi_stack import PulumiStack
from recovery.recover import record
from recovery.report import Item, Outcome, Report
from recovery.search import Progress, Search
from recovery.services import SERVICES, repeatable

ROUNDS = 12
"""Maximum number of previews; the longest chain of resources that need another one's outputs is shorter."""

Planned = Mapping[str, dict[str, Any]]
"""Resources that the program would create by URN, in the order of their creation."""


def adopt(stack: PulumiStack, *, dry_run: bool = False, progress: Progress = lambda _text: None) -> Report:
    """Record existing resources that the program would create, although they are not in the state.

    These are resources in OpenStack and in the clusters, up to all of a stack whose state is lost. The program itself
    imports what is in Vault. A resource that needs another one's outputs is found once that one is recorded, so there
    are several rounds.

    Args:
        stack: The stack; it must not have pending operations.
        dry_run: Report only, change nothing. This is the first round, so that it does not find everything.
        progress: Receives a message for each wait.

    Raises:
        StackChangedError: Another run has changed the state in the meantime.
        PhalanxError: There may be more after the last round.
        PulumiError: The program or the CLI failed.
    """
    report = Report(dry_run=dry_run)
    answering: dict[str, bool] = {}
    for _ in range(ROUNDS):
        progress("previewing the program to find unrecorded resources")
        planned = {str(each["urn"]): each for each in stack.planned()}
        search = Search(_with_providers(stack, planned), dry_run=dry_run, progress=progress, attempts=1)
        report.items += _found(search, _reachable(search, planned, answering))
        if not search.recorded:
            report.items += _masked(search, planned.values())
            break
        record(stack, search)
        if report.undecided or report.failed:
            # A preview would fail if the failed resource is protected.
            break
    else:
        raise PhalanxError(
            f"{ROUNDS} rounds have recorded resources, and there may be more: run the same command again"
        )
    return report


def _with_providers(stack: PulumiStack, planned: Planned) -> State:
    """Return the state with the planned providers, by which the other resources are found."""
    exported = stack.export()
    state = State(exported, stack.export(secrets=True), exported)
    known = _urns(state)
    added: list[dict[str, Any]] = []
    for urn, each in planned.items():
        inputs = _provider_inputs(each, state) if each["type"].startswith("pulumi:providers:") else None
        if inputs and is_known(inputs):
            added += _missing_parents(urn, planned, known)
            added.append({**_recordable(each, inputs, known), "id": str(uuid4()), "outputs": inputs})
            known.add(urn)
    return State(with_resources(exported, added), with_resources(state.clear, added), exported)


def _provider_inputs(planned: Mapping[str, Any], state: State) -> dict[str, Any]:
    """Return the inputs of a provider; a plan masks the kubeconfig, which is that of the cluster."""
    inputs = dict(planned["inputs"])
    for urn in (planned.get("propertyDependencies") or {}).get("kubeconfig") or []:
        if kubeconfig := state.kubeconfig(urn):
            inputs["kubeconfig"] = secret(kubeconfig)
    return inputs


def _reachable(search: Search, planned: Planned, answering: dict[str, bool]) -> Planned:
    """Return the planned resources without those in clusters that do not answer, which are left to the next run.

    It may first create the cluster, or change its address.

    Args:
        search: The search of this round.
        planned: The planned resources.
        answering: Whether the APIs of the clusters answer, by provider; completed for the next rounds.
    """
    known = _urns(search.state)
    providers = {provider_of(each) for each in planned.values() if each["type"].startswith("kubernetes:")}
    for provider in sorted(providers & known - answering.keys()):
        answering[provider] = search.answers(provider)
        if not answering[provider]:
            search.progress(f"the API of {provider.rpartition('::')[2]} does not answer: left to the next run")
    return {
        urn: each
        for urn, each in planned.items()
        if not each["type"].startswith("kubernetes:") or answering.get(provider_of(each), True)
    }


def _found(search: Search, planned: Planned) -> list[Item]:
    """Return the planned resources that exist; the search then has what is to be recorded."""
    known = _urns(search.state)
    items = _remove_helm_records(search, planned.values(), known)
    for urn, each in planned.items():
        inputs = _inputs(each)
        if inputs is None or provider_of(each) not in known:
            continue
        place = len(search.recorded)
        new = _recordable(each, inputs, known) | {"provider": search.state.reference(provider_of(each))}
        item = search.resolve_creation(Creation(new, inputs))
        # The next run also takes over the objects of others.
        left = {Outcome.ABSENT} if each["type"] in OPENSTACK_FINDERS else {Outcome.ABSENT, Outcome.UNDECIDED}
        if item.outcome in left:
            continue
        items.append(item)
        if len(search.recorded) > place:
            # A state is valid only if parents precede their children.
            search.recorded[place:place] = _missing_parents(urn, planned, known)
            known.add(urn)
    return items


def _inputs(planned: Mapping[str, Any]) -> Any:
    """Return the inputs with which a resource can be found and recorded, or None if it cannot.

    An object or release in a cluster is found by its name. The next run changes what is not recorded of its inputs.
    """
    kind, inputs = planned["type"], planned.get("inputs", {})
    if kind in OPENSTACK_FINDERS:
        return inputs if is_known(inputs) else None
    if kind.startswith("kubernetes:") and repeatable(kind) is None:
        known = known_part(inputs)
        return known if known.get("metadata", known).get("name") else None
    return None


def _remove_helm_records(search: Search, planned: Iterable[dict[str, Any]], known: Collection[str]) -> list[Item]:
    """Remove the records that block planned releases, as after a lost connection, and return these releases.

    An API that does not answer is left to the next run, which may first create the cluster or change its address.
    """
    releases = (Creation(each, KnownInputs(each["inputs"])) for each in planned if each["type"] == RELEASE)
    items = (search.remove_helm_record(each, planned=True) for each in releases if each.provider in known)
    return [each for each in items if each and each.outcome is not Outcome.UNDECIDED]


def _masked(search: Search, planned: Iterable[dict[str, Any]]) -> list[Item]:
    """Return the planned resources of OpenStack that exist, but cannot be recorded, as some inputs are masked."""
    found = []
    known = _urns(search.state)
    for each in planned:
        finder = OPENSTACK_FINDERS.get(each["type"])
        creation = Creation(each, each.get("inputs", {}))
        # A type whose existing resource is discarded cannot be imported either.
        if finder and finder.discard is None and creation.provider in known and not is_known(creation.inputs):
            item = search.inspect_masked(creation, finder, SERVICES["openstack"].connect)
            found += [item] if item.outcome is not Outcome.ABSENT else []
    return found


def _recordable(planned: Mapping[str, Any], inputs: Any, known: Collection[str]) -> dict[str, Any]:
    """Return a planned resource as in a state, without the dependencies that are not in it: the next run adds them."""
    dependencies = [each for each in planned.get("dependencies") or [] if each in known]
    by_property = planned.get("propertyDependencies") or {}
    remaining = {key: [each for each in urns or [] if each in known] for key, urns in by_property.items()}
    return {**planned, "inputs": inputs, "dependencies": dependencies, "propertyDependencies": remaining}


def _missing_parents(urn: str, planned: Planned, known: set[str]) -> list[dict[str, Any]]:
    """Return the ancestors of a planned resource that are not in the state, outermost first."""
    missing: list[dict[str, Any]] = []
    parent = str(planned[urn].get("parent"))
    while parent in planned and parent not in known:
        known.add(parent)
        missing.insert(0, _recordable(planned[parent], planned[parent].get("inputs", {}), known))
        parent = str(planned[parent].get("parent"))
    return missing


def _urns(state: State) -> set[str]:
    return {str(each["urn"]) for each in resources(state.sealed)}
