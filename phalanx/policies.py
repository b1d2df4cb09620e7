"""Vault policies of an environment, as ``phalanx vault audit`` expects them to the letter.

The texts are those of src/phalanx/data/vault-read-policy.hcl.jinja and vault-write-policy.hcl.jinja, rendered as
Phalanx renders them: without a line break at the end.
"""


def read_policy(mount: str, path: str) -> str:
    """Give the policy that lets the applications read their secrets, and nothing else.

    Args:
        mount: Mount point of the KV v2 engine.
        path: Path below it that holds one secret an application, without slashes around it.
    """
    return _policy({f"{mount}/data/{path}/+": ["read"], f"{mount}/metadata/{path}/+": ["list", "read"]})


def write_policy(mount: str, path: str) -> str:
    """Give the policy that lets an operator write, delete and restore the secrets; arguments as for `read_policy`."""
    return _policy(
        {
            f"{mount}/data/{path}": ["create", "delete", "read", "update"],
            f"{mount}/data/{path}/+": ["create", "delete", "read", "update"],
            f"{mount}/metadata/{path}": ["delete", "list", "read", "update"],
            f"{mount}/metadata/{path}/+": ["delete", "list", "read", "update"],
            f"{mount}/delete/{path}/+": ["update"],
            f"{mount}/destroy/{path}/+": ["update"],
            f"{mount}/undelete/{path}/+": ["update"],
        }
    )


def _policy(rules: dict[str, list[str]]) -> str:
    blocks = []
    for path, capabilities in rules.items():
        quoted = ", ".join(f'"{capability}"' for capability in capabilities)
        blocks.append(f'path "{path}" {{\n  capabilities = [{quoted}]\n}}')
    return "\n".join(blocks)
