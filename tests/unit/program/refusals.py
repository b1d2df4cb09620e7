"""Runs of the program that fail before any resource is registered, in a preview and in an update."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulumi
import pytest

from config.names import vault_description
from tests.openbao import OpenBao
from tests.unit.program.conftest import ROE_STATIC, StackRunner
from tests.unit.recording import STACK, Recording

MOUNT = "kv-v2"
"""Mount of the environment ``roe``, whose path is ``k8s_operator/roe``."""

STACK_DESCRIPTION = vault_description(STACK)


def refused(run_stack: StackRunner, stack: str = "roe", **arguments: Any) -> str:
    """Return the error message of a run that registers no resources; arguments as for the runner."""
    messages = []
    for preview in (True, False):
        recording = Recording()
        with pytest.raises(pulumi.RunError) as error:
            run_stack(stack, preview=preview, recording=recording, **arguments)
        assert recording.resources == []
        assert "planted" not in str(error.value)
        messages.append(str(error.value))
    assert messages[0] == messages[1]
    return messages[0]


def settings(vault: str, **changes: Any) -> dict[str, Any]:
    """Return the runner's arguments for a Vault at an address, with changes of ``rsp:vault``."""
    return {"vault": vault, "changes": {"vault": {"address": vault, **changes}}}


def reset(bao: OpenBao, secrets: Mapping[str, Mapping[str, str]] = ROE_STATIC) -> None:
    """Reset a server to what the stack ``roe`` expects."""
    root = bao.root
    for name in root.sys.list_mounted_secrets_engines()["data"]:
        if name.startswith(MOUNT):
            root.sys.disable_secrets_engine(name)
    for policy in ("read", "write"):
        root.sys.delete_acl_policy(f"k8s_operator/roe/{policy}")
    root.sys.disable_auth_method("approle")
    root.sys.enable_auth_method("approle")
    root.sys.disable_secrets_engine(MOUNT)
    bao.mount_kv(MOUNT)
    for application, values in secrets.items():
        root.secrets.kv.v2.create_or_update_secret(f"k8s_operator/roe/{application}", dict(values), mount_point=MOUNT)


def mount(bao: OpenBao, kind: str = "kv", **options: Any) -> None:
    """Replace the mount of the stack ``roe``."""
    bao.root.sys.disable_secrets_engine(MOUNT)
    bao.root.sys.enable_secrets_engine(kind, path=MOUNT, **options)


@contextmanager
def token(value: str | None) -> Iterator[None]:
    """Set ``VAULT_TOKEN``, or unset it if None, without the fallback ``~/.vault-token``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(Path("/nonexistent")))
        patch.delenv("VAULT_TOKEN", raising=False)
        if value is not None:
            patch.setenv("VAULT_TOKEN", value)
        yield
