"""The variables with which clients find the sandbox."""

import os
import shlex

from sandbox import paths
from sandbox.errors import SandboxError
from sandbox.ports import Port


def variables() -> dict[str, str]:
    """What the program, the Pulumi CLI and every other client need to work in the sandbox as its tenant.

    The passphrase is public on purpose: it protects nothing but the sandbox's own values.

    Raises:
        SandboxError: The sandbox was not brought up yet.
    """
    from sandbox import tools  # noqa: PLC0415 - not needed by those who only import this module

    token = paths.VAULT / "operator-token"
    try:
        vault_token = token.read_text().strip()
    except OSError as error:
        raise SandboxError(
            f"cannot read {token} ({error.strerror}): run `python -m sandbox cloud up` first, as root"
        ) from error
    return {
        "OS_CLIENT_CONFIG_FILE": str(paths.CLOUDS_YAML),
        "OS_CLOUD": "rsp",
        "VAULT_ADDR": Port.VAULT.url,
        "VAULT_TOKEN": vault_token,
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        "PATH": os.pathsep.join([str(tools.bin_dir()), os.environ.get("PATH", os.defpath)]),
    }


def export_lines() -> str:
    """`variables` as lines that a shell can evaluate: `eval "$(python -m sandbox env)"`."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables().items())
