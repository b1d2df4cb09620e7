"""An unsuitable Vault, a real OpenBao, is refused. That it stops the program: tests/unit/program/test_bad_vault.py."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components import private_authority
from config.vault import Vault
from phalanx import policies
from probes import vault_preflight
from probes.problem import Problem
from tests import openbao
from tests.openbao import OpenBao
from tests.unit.given_phalanx import source
from tests.unit.json_server import json_server
from tests.unit.program.refusals import MOUNT, STACK_DESCRIPTION, mount, reset, token
from tests.unit.recording import STACK

READ_POLICY = policies.read_policy(MOUNT, "k8s_operator/roe")


@pytest.fixture
def bao(empty_vault: OpenBao) -> Iterator[OpenBao]:
    """Return a suitable Vault, with the root token in ``VAULT_TOKEN``."""
    reset(empty_vault)
    with token(empty_vault.root_token):
        yield empty_vault


def problems(url: str, *, preview: bool = False, **settings: Any) -> list[Problem]:
    """Return the problems of a Vault at an address, with changes of ``rsp:vault``."""
    configured = Vault.model_validate({"mount": "existing", "approle": {"ownership": "existing"}, **settings})
    environment = source({}).environment.model_copy(update={"vault_url": url})
    return list(vault_preflight.check(url, environment, configured, STACK, preview=preview))


def refused(url: str, *, preview: bool = False, **settings: Any) -> str:
    """Return the lines of all fatal problems, of which there must be one."""
    message = "\n".join(str(each) for each in problems(url, preview=preview, **settings) if each.fatal)
    assert message
    assert "planted" not in message
    return message


def test_all_missing_capabilities_are_reported_together(bao: OpenBao) -> None:
    with token(bao.token('path "kv-v2/data/k8s_operator/roe/tap" { capabilities = ["read"] }')):
        message = refused(bao.url, preview=True)
    assert "kv-v2/data/k8s_operator/roe/+ (read); kv-v2/metadata/k8s_operator/roe (list); " in message
    assert "auth/approle/role/roe (read)" in message


def test_no_token(bao: OpenBao) -> None:
    with token(None):
        message = refused(bao.url)
    assert message == f"Vault at {bao.url}: no token for Vault: set VAULT_TOKEN (`vault login -method=... -no-store`)"


def test_a_wrong_token(bao: OpenBao) -> None:
    with token("s.planted"):
        message = refused(bao.url)
    assert message == f"Vault at {bao.url}: refuses the token in VAULT_TOKEN: it is wrong or has expired; log in again"


def test_a_token_that_is_no_longer_valid(bao: OpenBao) -> None:
    revoked = bao.token('path "*" { capabilities = ["read"] }')
    bao.root.auth.token.revoke(revoked)
    with token(revoked):
        assert "it is wrong or has expired; log in again" in refused(bao.url)


def test_a_sealed_vault(bao: OpenBao) -> None:
    bao.root.sys.seal()
    try:
        message = refused(bao.url)
    finally:
        bao.root.sys.submit_unseal_key(bao.unseal_key)
    assert message == f"Vault at {bao.url}: is sealed: unseal it with `vault operator unseal`"


def test_an_uninitialized_vault(tmp_path: Path) -> None:
    with openbao.uninitialized(tmp_path) as url, token("s.planted"):
        message = refused(url)
    assert message == f"Vault at {url}: is not initialized: run `vault operator init`, then unseal it"


def test_a_vault_that_does_not_answer() -> None:
    with json_server({}) as url:
        pass
    with token("s.planted"):
        message = refused(url)
    assert message == (
        f"Vault at {url}: does not answer (Connection refused): check rsp:vault.address, the network, and whether it "
        "runs"
    )


@pytest.fixture
def private_vault(private_vault: OpenBao) -> Iterator[OpenBao]:
    """Yield a suitable Vault with a certificate of a private CA, with the root token in ``VAULT_TOKEN``."""
    reset(private_vault)
    with token(private_vault.root_token):
        yield private_vault


def test_an_authority_that_only_this_machine_trusts_causes_a_warning(
    private_vault: OpenBao, monkeypatch: pytest.MonkeyPatch
) -> None:
    bao = private_vault
    monkeypatch.setenv("VAULT_CACERT", str(bao.ca_file))
    (warning,) = problems(bao.url)
    assert not warning.fatal
    assert str(warning).startswith(
        "rsp:vault.caFile (warning): is not set, so vault-secrets-operator does not trust Vault's certificate ("
    )
    assert problems(bao.url, caFile=str(bao.ca_file)) == []


def test_an_authority_that_has_not_signed_the_certificate(private_vault: OpenBao, tmp_path: Path) -> None:
    bao = private_vault
    (tmp_path / "other.pem").write_text(private_authority.create("localhost")["certificate"])
    for message in (refused(bao.url), refused(bao.url, caFile=str(tmp_path / "other.pem"))):
        assert message.startswith(f"Vault at {bao.url}: its certificate is not trusted (")
        assert message.endswith("): set rsp:vault.caFile to the file with the certificate of the CA that has signed it")


def test_a_mount_of_kv_version_1(bao: OpenBao) -> None:
    mount(bao)
    assert refused(bao.url) == (
        "rsp:vault.mount: Vault's mount `kv-v2` is KV version 1, Phalanx requires version 2: upgrade it with "
        "`vault kv enable-versioning kv-v2`, which keeps its secrets"
    )


def test_a_mount_of_another_type(bao: OpenBao) -> None:
    mount(bao, "transit")
    assert "Vault's mount `kv-v2` is of type transit, Phalanx requires KV version 2" in refused(bao.url)


def test_a_missing_mount(bao: OpenBao) -> None:
    bao.root.sys.disable_secrets_engine(MOUNT)
    assert refused(bao.url).startswith(
        "rsp:vault.mount: `existing`, but Vault has no mount `kv-v2` that this token can access: create it (`vault ",
    )


def test_a_mount_of_another_owner(bao: OpenBao) -> None:
    mount(bao, options={"version": "2"}, description="Of the archive")
    message = refused(bao.url, mount="create")
    assert message == (
        "rsp:vault.mount: `create`, but Vault has the mount `kv-v2` already, with the description 'Of the archive': "
        "set `existing`; if it is in the state of this stack, mark it: "
        f"`vault secrets tune -description='{STACK_DESCRIPTION}' kv-v2`"
    )


def test_a_missing_auth_method(bao: OpenBao) -> None:
    bao.root.sys.disable_auth_method("approle")
    assert refused(bao.url).startswith(
        "rsp:vault.approle.ownership: `existing`, but Vault has no auth method at `approle` that this token can access",
    )


def test_an_auth_method_of_another_type(bao: OpenBao) -> None:
    bao.root.sys.disable_auth_method("approle")
    bao.root.sys.enable_auth_method("userpass", path="approle")
    message = refused(bao.url)
    assert "rsp:vault.approle.path: Vault's auth method at `approle` is of type userpass, expected approle" in message


def test_an_auth_method_of_another_owner(bao: OpenBao) -> None:
    message = refused(bao.url, approle={"ownership": "create"})
    assert message.startswith("rsp:vault.approle.ownership: `create`, but Vault has the auth method `approle` already")
    assert f"`vault auth tune -description='{STACK_DESCRIPTION}' approle`" in message


def test_what_a_stack_has_created_stays_its_own(bao: OpenBao) -> None:
    bao.root.sys.tune_mount_configuration(MOUNT, description=STACK_DESCRIPTION)
    bao.root.sys.tune_auth_method("approle", description=STACK_DESCRIPTION)
    mounted, enabled = refused(bao.url).splitlines()
    assert mounted == (
        "rsp:vault.mount: is `existing`, but this stack created the mount `kv-v2` in Vault: set it back to `create`; "
        "to hand it over to another owner, change its description (`vault secrets tune -description=Shared kv-v2`), "
        "and unprotect it in the state (`pulumi state unprotect`), then the stack forgets and keeps it"
    )
    assert enabled == (
        "rsp:vault.approle.ownership: is `existing`, but this stack created the auth method `approle` in Vault: set it "
        "back to `create`; to hand it over to another owner, change its description (`vault auth tune "
        "-description=Shared approle`), then the stack forgets and keeps it"
    )


def test_a_policy_that_differs(bao: OpenBao) -> None:
    bao.root.sys.create_or_update_acl_policy("k8s_operator/roe/read", READ_POLICY.replace("data", "xata", 1))
    first, *difference = refused(bao.url).splitlines()
    assert first == (
        "Vault's policy k8s_operator/roe/read: differs from the policy that Phalanx expects. Check whether anyone "
        "depends on it, then create it again: `vault policy delete k8s_operator/roe/read` and "
        "`pulumi up --refresh -s test`"
    )
    assert difference == [
        "    --- in Vault",
        "    +++ expected",
        '    -path "kv-v2/xata/k8s_operator/roe/+" {',
        '    +path "kv-v2/data/k8s_operator/roe/+" {',
    ]
