"""Check whether the token in ``VAULT_TOKEN`` has the capabilities that the program requires."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from config.vault import Vault
from phalanx.environment import Environment
from phalanx.secrets import PULL_SECRET
from probes.problem import Problem
from probes.vault_rules import PathRule, rules

if TYPE_CHECKING:
    import hvac


def check(client: "hvac.Client", environment: Environment, settings: Vault, *, preview: bool) -> Iterator[Problem]:
    """Check the token's capabilities, as Vault reports them.

    Args:
        client: Client of Vault with the token.
        environment: The Phalanx environment.
        settings: The stack's settings of Vault.
        preview: Whether the run is a preview; capabilities that only an update requires then cause a warning.
    """
    applicable = [rule for rule in rules(environment, settings) if rule.applies]
    names = (*environment.enabled_applications, PULL_SECRET.application)
    paths = {
        rule.path: [rule.path.replace("+", name) for name in names] if "+" in rule.path else [rule.path]
        for rule in applicable
    }
    answer: Any = client.sys.get_capabilities(paths=[path for each in paths.values() for path in each])
    granted: Mapping[str, list[str]] = answer["data"]

    def lacking(required: Callable[[PathRule], Iterable[str]]) -> Iterator[str]:
        for rule in applicable:
            held = [{*granted[path]} for path in paths[rule.path]]
            if missing := [each for each in required(rule) if not all(each in one or "root" in one for one in held)]:
                yield f"{rule.path} ({', '.join(missing)})"

    if for_preview := list(lacking(lambda rule: rule.for_preview)):
        yield _problem(f"lacks capabilities in Vault that every run requires: {'; '.join(for_preview)}")
    for_update = list(lacking(lambda rule: rule.for_update))
    if for_update and preview:
        # A warning without the paths: a workflow's token is meant to lack them, and each pull request shows it.
        yield _problem(
            f"is sufficient for previews only: it lacks capabilities for `pulumi up` at {len(for_update)} paths",
            fatal=False,
        )
    elif for_update:
        yield _problem(f"lacks capabilities in Vault that `pulumi up` requires: {'; '.join(for_update)}")


def _problem(what: str, *, fatal: bool = True) -> Problem:
    remedy = "`python -m operations vault-policy -s STACK` prints the required policy"
    return Problem(where="VAULT_TOKEN", what=f"{what}; {remedy}", fatal=fatal)
