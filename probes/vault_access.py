"""Whether the token of ``VAULT_TOKEN`` may do what the program is going to do."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from config.vault import Vault
from phalanx.environment import Environment
from phalanx.undeclared import PULL_SECRET
from probes.problem import Problem
from probes.vault_rules import Rule, rules

if TYPE_CHECKING:
    import hvac


def check(client: "hvac.Client", environment: Environment, settings: Vault, *, preview: bool) -> Iterator[Problem]:
    """Ask Vault whether the token suffices.

    Args:
        client: Vault, with the token.
        environment: The Phalanx environment.
        settings: What the stack makes itself.
        preview: Whether nothing is to be changed: then what only a change needs is no more than a warning.
    """
    needed = [rule for rule in rules(environment, settings) if rule.applies]
    names = (*environment.enabled_applications, PULL_SECRET.application)
    asked = {
        rule.path: [rule.path.replace("+", name) for name in names] if "+" in rule.path else [rule.path]
        for rule in needed
    }
    answer: Any = client.sys.get_capabilities(paths=[path for paths in asked.values() for path in paths])
    held: Mapping[str, list[str]] = answer["data"]

    def lacking(wanted: Callable[[Rule], Iterable[str]]) -> Iterator[str]:
        for rule in needed:
            have = [{*held[path]} for path in asked[rule.path]]
            if missing := [each for each in wanted(rule) if not all(each in one or "root" in one for one in have)]:
                yield f"{rule.path} ({', '.join(missing)})"

    if look := list(lacking(lambda rule: rule.look)):
        yield _problem(f"lacks capabilities in Vault that this needs: {'; '.join(look)}")
    change = list(lacking(lambda rule: rule.change))
    if change and preview:
        # That is how it should be for the token of a workflow, which prints this at each pull request.
        yield _problem(f"is for previews: it lacks what `pulumi up` needs at {len(change)} paths", fatal=False)
    elif change:
        yield _problem(f"lacks capabilities in Vault that `pulumi up` needs: {'; '.join(change)}")


def _problem(what: str, *, fatal: bool = True) -> Problem:
    suffices = "the policy that suffices is docs/vault-operator-policy.hcl, or `python -m operations vault-policy`"
    return Problem(where="VAULT_TOKEN", what=f"{what}; {suffices}", fatal=fatal)
