"""Whether the token of ``VAULT_TOKEN`` may do what the program is going to do."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from config.vault import Vault
from operations.problem import Problem
from operations.vault_rules import Rule, rules
from phalanx.environment import Environment
from phalanx.undeclared import PULL_SECRET

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

    def lacking(rule: Rule, capabilities: Iterable[str]) -> list[str]:
        return [each for each in capabilities if not all({each, "root"} & set(held[path]) for path in asked[rule.path])]

    look = {rule.path: lacking(rule, rule.look) for rule in needed}
    change = {rule.path: lacking(rule, rule.change) for rule in needed}
    yield from _tell(look, "which this needs", fatal=True)
    yield from _tell(change, "which `pulumi up` needs", fatal=not preview)


def _tell(lacking: Mapping[str, list[str]], purpose: str, *, fatal: bool) -> Iterator[Problem]:
    found = [f"{path} ({', '.join(each)})" for path, each in lacking.items() if each]
    if found:
        yield Problem(
            where="VAULT_TOKEN",
            what=f"lacks capabilities in Vault {purpose}: {'; '.join(found)}. The policy that suffices is "
            "docs/vault-operator-policy.hcl; `python -m operations vault-policy` writes it for any stack",
            fatal=fatal,
        )
