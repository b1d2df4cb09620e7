"""Environment variables for clients of the sandbox."""

import json
import shlex
from pathlib import Path

import pytest

from sandbox import environment, paths
from sandbox.errors import SandboxError


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "VAULT", tmp_path)
    return tmp_path


def test_the_tenant_is_not_an_administrator(vault: Path) -> None:
    (vault / "operator-token").write_text("operators\n")
    (vault / "init.json").write_text(json.dumps({"root_token": "roots", "unseal_key": "key"}))
    tenant, administrator = environment.variables(), environment.administrators()
    assert (tenant["OS_CLOUD"], tenant["VAULT_TOKEN"]) == ("rsp", "operators")
    assert (administrator["OS_CLOUD"], administrator["VAULT_TOKEN"]) == ("admin", "roots")
    assert "key" not in administrator.values()


def test_a_shell_reads_variables_unchanged() -> None:
    value = "a'b $HOME `id`"
    assert shlex.split(environment.export_lines({"NAME": value})) == ["export", f"NAME={value}"]


def test_a_missing_sandbox_is_reported_with_the_command(vault: Path) -> None:
    with pytest.raises(SandboxError, match=f"cannot read {vault}/operator-token .*cloud up"):
        environment.variables()
