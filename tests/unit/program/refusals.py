"""How the program refuses: with one message, before anything is made, in a preview as in an ``up``."""

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
"""That of Edinburgh's environment, whose path and role are `k8s_operator/roe` and `roe`."""

OURS = vault_description(STACK)


def refused(run_stack: StackRunner, stack: str = "roe", **given: Any) -> str:
    """Run the program, see that it registers nothing, and return what it tells people; arguments as for the runner."""
    told = []
    for preview in (True, False):
        recording = Recording()
        with pytest.raises(pulumi.RunError) as error:
            run_stack(stack, preview=preview, recording=recording, **given)
        assert recording.resources == []
        assert "planted" not in str(error.value)
        told.append(str(error.value))
    assert told[0] == told[1]
    return told[0]


def settings(vault: str, **changes: Any) -> dict[str, Any]:
    """The runner's arguments for a Vault at an address; changes are those of ``rsp:vault``."""
    return {"vault": vault, "changes": {"vault": {"address": vault, **changes}}}


def furnish(bao: OpenBao, secrets: Mapping[str, Mapping[str, str]] = ROE_STATIC) -> None:
    """Bring a server to what Edinburgh's stack expects, whatever a test before has left."""
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


def mount(bao: OpenBao, kind: str = "kv", **given: Any) -> None:
    """Mount an engine anew where Edinburgh's stack expects its own."""
    bao.root.sys.disable_secrets_engine(MOUNT)
    bao.root.sys.enable_secrets_engine(kind, path=MOUNT, **given)


@contextmanager
def token(value: str | None) -> Iterator[None]:
    """Set ``VAULT_TOKEN``; hvac would take the token of ``~/.vault-token`` where none is given."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(Path("/nonexistent")))
        patch.delenv("VAULT_TOKEN", raising=False)
        if value is not None:
            patch.setenv("VAULT_TOKEN", value)
        yield
