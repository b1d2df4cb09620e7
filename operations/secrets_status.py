"""State of each secret of a stack, as a table and as JSON."""

from collections import Counter
from collections.abc import Collection, Mapping
from enum import StrEnum
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from operations.needed_secrets import NeededSecrets
from phalanx.errors import PhalanxError
from phalanx.secrets import PULL_SECRET, Copied, Generated, Literal, Plan, PlannedSecret, SecretKey, Static, Wired
from phalanx.static_secrets import set_command
from probes import vault_preflight, vault_secrets
from probes.problem import Problem


class SecretState(StrEnum):
    """State of a secret."""

    CONFIGURED = "configured"
    IN_VAULT = "in Vault"
    SET_BY_UP = "set by pulumi up"
    MISSING = "missing"
    UNKNOWN = "unknown"
    NOT_NEEDED = "not needed"


def states(
    plan: Plan, configured: Collection[SecretKey], in_vault: Mapping[SecretKey, bool] | None
) -> dict[SecretKey, SecretState]:
    """Return the state of each planned secret, and of each other secret in Vault, in alphabetical order.

    Args:
        plan: All planned secrets.
        configured: Secrets in the stack's configuration; only static ones count.
        in_vault: Secrets in Vault, and whether their value is not empty; None if Vault could not be read.
    """
    static = {key for key in configured if key in plan and isinstance(plan[key].origin, Static)}
    held = in_vault or {}
    with_value = {key for key, has_value in held.items() if has_value}
    missing = set(plan.unresolved(static | with_value))

    def state(key: SecretKey) -> SecretState:
        if key in missing:
            return SecretState.MISSING if in_vault is not None else SecretState.UNKNOWN
        if key in static:
            return SecretState.CONFIGURED
        return SecretState.IN_VAULT if key in with_value else SecretState.SET_BY_UP

    return dict(
        sorted(
            {key: state(key) for key in plan}.items()
            | dict.fromkeys(plan.unneeded(held), SecretState.NOT_NEEDED).items()
        )
    )


def read_vault(needed: NeededSecrets) -> tuple[list[Problem], dict[SecretKey, bool] | None]:
    """Read from Vault which secrets exist.

    Returns:
        The problems if Vault cannot be read, and the keys in Vault, each with whether its value is not empty; None
        instead of the keys if Vault cannot be read.
    """
    stack = needed.stack
    settings, found = stack.config.vault, stack.environment
    checked = vault_preflight.check_readable(stack.vault, found, settings, stack.name)
    if problems := [problem for problem in checked if problem.fatal]:
        return problems, None
    try:
        held = vault_secrets.read(stack.vault, found, settings)
    except PhalanxError as error:
        return [Problem(where=f"Vault at {stack.vault}", what=str(error))], None
    return [], {key: bool(value) for key, value in held.items()}


def missing(needed: NeededSecrets) -> list[Problem]:
    """Return a problem for each secret that the operator must provide; none if Vault cannot be read.

    Raises:
        PhalanxError: The file of static secrets cannot be read or decrypted.
    """
    _, in_vault = read_vault(needed)
    if in_vault is None:
        return []
    plan = needed.complete_plan([key for key, has_value in in_vault.items() if has_value])
    found, name = states(plan, needed.configured(), in_vault), needed.stack.name
    return [
        Problem(where=f"secret {key}", what=f"is missing ({plan[key].description}): `{set_command(key, name)}`")
        for key in _missing_static(plan, found)
    ]


def as_data(plan: Plan, states: Mapping[SecretKey, SecretState], problems: list[Problem]) -> dict[str, object]:
    """Return the states as JSON values, without any secret value."""
    return {
        "secrets": [
            {
                "application": key.application,
                "key": key.name,
                "from": _origin(plan.get(key)),
                "state": state.value,
                "description": plan[key].description if key in plan else "",
            }
            for key, state in states.items()
        ],
        "counts": {state.value: count for state, count in _counts(states).items()},
        "problems": [vars(problem) for problem in problems],
    }


_STYLES = {
    SecretState.MISSING: "bold red",
    SecretState.UNKNOWN: "yellow",
    SecretState.NOT_NEEDED: "yellow",
    SecretState.SET_BY_UP: "dim",
}


def show(needed: NeededSecrets, plan: Plan, states: Mapping[SecretKey, SecretState], problems: list[Problem]) -> None:
    """Print a table, the number of secrets in each state, and the commands that set the missing ones."""
    console = Console()
    table = Table(title=f"Secrets below {needed.stack.environment.vault_path_prefix}")
    for heading in ("Application", "Key", "State", "From"):
        # Names must not be truncated.
        table.add_column(heading, overflow="fold")
    for name, group in groupby(states, key=lambda key: key.application):
        for number, key in enumerate(group):
            secret, state = plan.get(key), states[key]
            described = f": {secret.description}" if secret and isinstance(secret.origin, Static) else ""
            origin = escape(f"{_origin(secret)}{described}")
            table.add_row("" if number else name, escape(key.name), state.value, origin, style=_STYLES.get(state))
        table.add_section()
    console.print(table)
    for problem in problems:
        console.print(str(problem), style="bold red", markup=False)
    counts = _counts(states)
    console.print(
        f"{len(states)} secrets: {', '.join(f'{count} {state}' for state, count in counts.items())}.", soft_wrap=True
    )
    if SecretState.NOT_NEEDED in counts:
        console.print(
            f"To remove secrets that are not needed: `python -m operations secrets prune -s {needed.stack.name}`.",
            soft_wrap=True,
        )
    if missing_static := _missing_static(plan, states):
        console.print("You must provide these secrets:")
    for key in missing_static:
        console.print(f"  {set_command(key, needed.stack.name)}", markup=False, highlight=False, soft_wrap=True)


def _missing_static(plan: Plan, states: Mapping[SecretKey, SecretState]) -> list[SecretKey]:
    missing = (key for key, state in states.items() if state is SecretState.MISSING)
    return [key for key in missing if isinstance(plan[key].origin, Static)]


def _counts(states: Mapping[SecretKey, SecretState]) -> dict[SecretState, int]:
    """Return the number of secrets in each state that occurs."""
    found = Counter(states.values())
    return {state: found[state] for state in SecretState if found[state]}


def _origin(secret: PlannedSecret | None) -> str:
    if secret is None:
        return ""
    match secret.origin:
        case Literal():
            return "rsp:secrets.registries" if secret.key == PULL_SECRET else "Phalanx"
        case Copied(source):
            return f"copy of {source}"
        case Generated(type=generator, source=source):
            return f"generated: {generator.value}" + (f" of {source.name}" if source else "")
        case Static():
            return "operator"
        case Wired():
            return "object store"
