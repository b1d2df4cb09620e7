"""Whether each secret of a stack is there, in words for people and for machines."""

from collections import Counter
from collections.abc import Collection, Mapping
from enum import StrEnum
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from operations.needed_secrets import Needs
from phalanx.errors import PhalanxError
from phalanx.secrets import Copied, Generated, Literal, Plan, PlannedSecret, SecretKey, Static, Wired
from phalanx.undeclared import PULL_SECRET
from probes import vault_preflight, vault_secrets
from probes.problem import Problem


class State(StrEnum):
    """Whether a secret has a value."""

    CONFIGURED = "configured"
    IN_VAULT = "in Vault"
    COMES_WITH_UP = "comes with up"
    MISSING = "missing"
    UNKNOWN = "not known"
    NOT_NEEDED = "not needed"


def judge(
    plan: Plan, configured: Collection[SecretKey], in_vault: Mapping[SecretKey, bool] | None
) -> dict[SecretKey, State]:
    """Tell of each secret whether it has a value, and of what Vault has besides that nothing reads it.

    Args:
        plan: Every secret.
        configured: Those that the stack's configuration gives; only static ones are given.
        in_vault: Those that Vault has, and whether their value is more than empty; None if Vault could not be asked.
    """
    given = {at for at in configured if at in plan and isinstance(plan[at].origin, Static)}
    held = in_vault or {}
    there = {at for at, has_value in held.items() if has_value}
    missing = set(plan.unresolved(given | there))

    def state(at: SecretKey) -> State:
        if at in missing:
            return State.MISSING if in_vault is not None else State.UNKNOWN
        if at in given:
            return State.CONFIGURED
        return State.IN_VAULT if at in there else State.COMES_WITH_UP

    return dict(
        sorted({at: state(at) for at in plan}.items() | dict.fromkeys(plan.unneeded(held), State.NOT_NEEDED).items())
    )


def look_into_vault(needed: Needs) -> tuple[list[Problem], dict[SecretKey, bool] | None]:
    """Ask Vault which secrets it has, and tell why if it does not say.

    Returns:
        What is wrong with Vault, and the keys that are in it with whether they have a value, or None if it does not
        say. No value is kept.
    """
    settings, found = needed.config.vault, needed.environment
    looked = vault_preflight.check_readable(needed.address, found, settings, needed.stack)
    if problems := [problem for problem in looked if problem.fatal]:
        return problems, None
    try:
        held = vault_secrets.read(needed.address, found)
    except PhalanxError as error:
        return [Problem(where=f"Vault at {needed.address}", what=str(error))], None
    return [], {at: bool(value) for at, value in held.items()}


def as_data(plan: Plan, states: Mapping[SecretKey, State], problems: list[Problem]) -> dict[str, object]:
    """Give all that is known, but no value, in the form of JSON."""
    return {
        "secrets": [
            {
                "application": at.application,
                "key": at.key,
                "from": _words(plan.get(at)),
                "state": state.value,
                "description": plan[at].description if at in plan else "",
            }
            for at, state in states.items()
        ],
        "counts": {state.value: count for state, count in _counts(states).items()},
        "problems": [vars(problem) for problem in problems],
    }


_STYLES = {
    State.MISSING: "bold red",
    State.UNKNOWN: "yellow",
    State.NOT_NEEDED: "yellow",
    State.COMES_WITH_UP: "dim",
}


def show(needed: Needs, plan: Plan, states: Mapping[SecretKey, State], problems: list[Problem]) -> None:
    """Print a table, how many there are of each kind, and what a person has to do."""
    console = Console()
    table = Table(title=f"Secrets under {needed.environment.vault_path_prefix}")
    for heading in ("Application", "Key", "State", "From"):
        # A name that is cut short cannot be looked for.
        table.add_column(heading, overflow="fold")
    for name, group in groupby(states, key=lambda at: at.application):
        for number, at in enumerate(group):
            secret, state = plan.get(at), states[at]
            described = f": {secret.description}" if secret and isinstance(secret.origin, Static) else ""
            come_from = escape(f"{_words(secret)}{described}")
            table.add_row("" if number else name, escape(at.key), state.value, come_from, style=_STYLES.get(state))
        table.add_section()
    console.print(table)
    for problem in problems:
        console.print(str(problem), style="bold red", markup=False)
    counts = _counts(states)
    console.print(f"{len(states)} secrets: {', '.join(f'{count} {state}' for state, count in counts.items())}.")
    if State.NOT_NEEDED in counts:
        console.print(f"Nothing reads what is not needed: `python -m operations secrets prune -s {needed.stack}`.")
    missing = [at for at, state in states.items() if state is State.MISSING]
    if asked := [at for at in missing if isinstance(plan[at].origin, Static)]:
        console.print("A person must give:")
    for at in asked:
        command = f'pulumi config set --secret --path \'rsp:secrets.applications["{at.application}"]["{at.key}"]\''
        console.print(f"  {command}", markup=False, highlight=False, soft_wrap=True)


def _counts(states: Mapping[SecretKey, State]) -> dict[State, int]:
    """How many are in each state, in the order of the states; those that are in none are left out."""
    found = Counter(states.values())
    return {state: found[state] for state in State if found[state]}


def _words(secret: PlannedSecret | None) -> str:
    if secret is None:
        return ""
    match secret.origin:
        case Literal():
            return "rsp:secrets.registries" if secret.at == PULL_SECRET else "Phalanx"
        case Copied(source):
            return f"copy of {source}"
        case Generated(type=generator, source=source):
            return f"generated: {generator.value}" + (f" of {source.key}" if source else "")
        case Static():
            return "a person"
        case Wired():
            return "the object store"
