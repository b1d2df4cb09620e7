"""Least-privilege policies for the tokens of operators and of previews, in HCL."""

import json
from collections.abc import Iterable

from config.vault import Vault
from phalanx.environment import Environment
from probes.vault_rules import PathRule, rules

_OPERATOR = """\
# Permissions in Vault that `pulumi up -s {stack}` requires.
# An administrator of Vault writes this policy once, and provides each operator with a short-lived token:
#   python -m operations vault-policy --stack {stack} | vault policy write rsp-operator-{stack} -
#   vault token create -policy=rsp-operator-{stack} -orphan -ttl=4h -explicit-max-ttl=12h
# or, if operators log in with OpenID Connect, adds the policy to the `token_policies` of their role.
# A token with this policy can create neither another policy, nor a token or a role with more permissions.
"""
_PREVIEW = """\
# Permissions in Vault that the workflows Preview and Drift require: to read, and to renew the write token.
#   python -m operations vault-policy --stack {stack} --preview | vault policy write rsp-preview-{stack} -
#   vault token create -policy=rsp-preview-{stack} -orphan -period=768h
"""


def operator(environment: Environment, settings: Vault, stack: str) -> str:
    """Return the policy of an operator's token in HCL.

    Args:
        environment: The Phalanx environment.
        settings: The stack's settings of Vault; rules that do not apply to them are commented out.
        stack: Name of the stack.
    """
    blocks = (
        _block(rule, (*rule.for_preview, *rule.for_update), constrained=True) for rule in rules(environment, settings)
    )
    return "\n".join([_OPERATOR.format(stack=stack), *blocks])


def preview(environment: Environment, settings: Vault, stack: str) -> str:
    """Return the policy of a token for previews in HCL, which can only read and renew; arguments as for `operator`."""
    applicable = (rule for rule in rules(environment, settings) if rule.for_preview)
    blocks = (_block(rule, rule.for_preview, constrained=False) for rule in applicable)
    return "\n".join([_PREVIEW.format(stack=stack), *blocks])


def _block(rule: PathRule, capabilities: Iterable[str], *, constrained: bool) -> str:
    lines = [f"path {json.dumps(rule.path)} {{", f"  capabilities = {json.dumps(list(capabilities))}"]
    if constrained:
        constraints = {"allowed_parameters": rule.allowed, "denied_parameters": {name: [] for name in rule.denied}}
        for kind, values in constraints.items():
            if values:
                # Strings and lists have the same syntax in HCL and JSON.
                entries = (f"    {json.dumps(name)} = {json.dumps(each)}" for name, each in values.items())
                lines += [f"  {kind} = {{", *entries, "  }"]
        if rule.required:
            lines.append(f"  required_parameters = {json.dumps(list(rule.required))}")
    lines.append("}")
    return "\n".join([f"# {rule.purpose}", *(line if rule.applies else f"#{line}" for line in lines)]) + "\n"
