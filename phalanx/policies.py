"""Vault policies of an environment, exactly as ``phalanx vault audit`` expects them.

They are rendered from src/phalanx/data/vault-read-policy.hcl.jinja and vault-write-policy.hcl.jinja of Phalanx, without
a line break at the end.
"""

import json


def read_policy(mount: str, path: str) -> str:
    """Return the policy that allows the applications to read their secrets.

    Args:
        mount: Mount point of the KV v2 engine.
        path: Path below it that contains one secret per application, without leading or trailing slash.
    """
    return _policy({f"{mount}/data/{path}/+": ["read"], f"{mount}/metadata/{path}/+": ["list", "read"]})


def write_policy(mount: str, path: str) -> str:
    """Return the policy that allows an operator to write, delete and restore the secrets.

    Args:
        mount: As for `read_policy`.
        path: As for `read_policy`.
    """
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
        blocks.append(f"path {json.dumps(path)} {{\n  capabilities = [{quoted}]\n}}")
    return "\n".join(blocks)
