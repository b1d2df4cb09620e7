"""The variables with which clients find the sandbox."""

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
    """What the program, the Pulumi CLI and every other client need to work in the sandbox as its tenant.

    The passphrase is public on purpose: it protects nothing but the sandbox's own values.

    Raises:
        SandboxError: The sandbox was not brought up yet.
    """
    from sandbox import tools  # noqa: PLC0415 - not needed by those who only import this module

    return {
        "OS_CLIENT_CONFIG_FILE": str(paths.CLOUDS_YAML),
        "OS_CLOUD": "rsp",
        "VAULT_ADDR": Port.VAULT.url,
        "VAULT_TOKEN": _read(paths.VAULT / "operator-token"),
        "PULUMI_HOME": str(tools.pulumi_home()),
        "PULUMI_BACKEND_URL": f"file://{paths.STACKS}",
        "PULUMI_CONFIG_PASSPHRASE": "sandbox",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # The plugins in PULUMI_HOME are the releases of the Python SDKs: no other may come from the network or PATH.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
        "PATH": os.pathsep.join([str(tools.bin_dir()), os.environ.get("PATH", os.defpath)]),
    }


def administrators() -> dict[str, str]:
    """`variables` for who runs the cloud and Vault: what neither the tenant nor the operator may do can be done so.

    Raises:
        SandboxError: The sandbox was not brought up yet.
    """
    return {
        **variables(),
        "OS_CLOUD": "admin",
        "VAULT_TOKEN": json.loads(_read(paths.VAULT / "init.json"))["root_token"],
    }


@contextmanager
def exported(**more: str) -> Iterator[None]:
    """Set `variables` in this process while the `with` block runs.

    Args:
        more: Further variables.

    Raises:
        SandboxError: The sandbox was not brought up yet.
    """
    before = dict(os.environ)
    os.environ.update({**variables(), **more})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def export_lines(found: dict[str, str]) -> str:
    """Variables as lines that a shell can evaluate: `eval "$(python -m sandbox env)"`."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in found.items())


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise SandboxError(
            f"cannot read {path} ({error.strerror}): run `python -m sandbox cloud up` first, as root"
        ) from error
