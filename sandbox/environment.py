"""Environment variables by which clients find the sandbox."""

import json
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox import paths
from sandbox.errors import SandboxError
from sandbox.ports import Port


def variables() -> dict[str, str]:
    """Return the variables for the Pulumi CLI and all other clients, as a tenant of the sandbox.

    The passphrase is public on purpose: it protects only values of the sandbox.

    Raises:
        SandboxError: The sandbox has not been brought up yet.
    """
    from sandbox import tools

    return {
        "OS_CLIENT_CONFIG_FILE": str(paths.CLOUDS_YAML),
        "OS_CLOUD": "rsp",
        "VAULT_ADDR": Port.VAULT.url,
        "VAULT_TOKEN": _read(paths.VAULT / "operator-token"),
        "PULUMI_HOME": str(tools.pulumi_home()),
        "PULUMI_BACKEND_URL": f"file://{paths.STACKS}",
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # Only use the plugins in PULUMI_HOME, whose versions match the Python SDKs: none from the network or PATH.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
        "PATH": os.pathsep.join([str(tools.bin_dir()), os.environ.get("PATH", os.defpath)]),
    }


def administrators() -> dict[str, str]:
    """Return `variables` for an administrator of the cloud and of Vault.

    Raises:
        SandboxError: The sandbox has not been brought up yet.
    """
    return {
        **variables(),
        "OS_CLOUD": "admin",
        "VAULT_TOKEN": json.loads(_read(paths.VAULT / "init.json"))["root_token"],
    }


@contextmanager
def exported(**more: str) -> Iterator[None]:
    """Set `variables` in this process for the duration of the `with` block.

    Args:
        more: Additional variables.

    Raises:
        SandboxError: The sandbox has not been brought up yet.
    """
    before = dict(os.environ)
    os.environ.update({**variables(), **more})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def export_lines(found: dict[str, str]) -> str:
    """Return variables as shell commands: `eval "$(python -m sandbox env)"`."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in found.items())


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise SandboxError(
            f"cannot read {path} ({error.strerror}): run `python -m sandbox cloud up` first, as root"
        ) from error
