"""The smallest policies for the tokens of operators and of previews, in HCL."""

import json
from collections.abc import Iterable

from config.vault import Vault
from phalanx.environment import Environment
from probes.vault_rules import Rule, rules

_OPERATOR = """\
# What a person who runs `pulumi up -s {stack}` may do in Vault, and nothing else; made by
#   python -m operations vault-policy --stack {stack}
# An administrator of Vault writes it once, and gives each operator a way to a token that lives for hours:
#   vault policy write rsp-operator-{stack} docs/vault-operator-policy.hcl
#   vault token create -policy=rsp-operator-{stack} -orphan -ttl=4h -explicit-max-ttl=12h
# or, where people log in by OpenID Connect, adds it to the `token_policies` of their role.
# A token with it cannot make itself another policy, nor a token or a role that may do more.
"""
_PREVIEW = """\
# What the token of the Preview workflow may do: look, and nothing else; made by
#   python -m operations vault-policy --stack {stack} --preview
#   vault policy write rsp-preview-{stack} .github/vault-preview-policy.hcl
#   vault token create -policy=rsp-preview-{stack} -orphan -period=768h
"""


def operator(environment: Environment, settings: Vault, stack: str) -> str:
    """Write the policy of an operator's token in HCL.

    Args:
        environment: The Phalanx environment.
        settings: What the stack makes itself; what else it could make is a comment.
        stack: Name of the stack.
    """
    blocks = (_block(rule, (*rule.look, *rule.change), constrained=True) for rule in rules(environment, settings))
    return "\n".join([_OPERATOR.format(stack=stack), *blocks])


def preview(environment: Environment, settings: Vault, stack: str) -> str:
    """Write the policy of a token that looks and changes nothing; arguments as for `operator`."""
    looked_at = (rule for rule in rules(environment, settings) if rule.look)
    blocks = (_block(rule, rule.look, constrained=False) for rule in looked_at)
    return "\n".join([_PREVIEW.format(stack=stack), *blocks])


def _block(rule: Rule, capabilities: Iterable[str], *, constrained: bool) -> str:
    lines = [f'path "{rule.path}" {{', f"  capabilities = {json.dumps(list(capabilities))}"]
    if constrained:
        constraints = {"allowed_parameters": rule.allowed, "denied_parameters": {name: [] for name in rule.denied}}
        for kind, values in constraints.items():
            if values:
                # HCL writes text and lists as JSON does.
                entries = (f"    {json.dumps(name)} = {json.dumps(each)}" for name, each in values.items())
                lines += [f"  {kind} = {{", *entries, "  }"]
        if rule.required:
            lines.append(f"  required_parameters = {json.dumps(list(rule.required))}")
    lines.append("}")
    return "\n".join([f"# {rule.why}", *(line if rule.applies else f"#{line}" for line in lines)]) + "\n"
