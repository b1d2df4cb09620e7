"""An unsuitable Vault, a real OpenBao, stops the program before any resource is registered."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pulumi
import pytest

from components import private_authority
from config.loader import load_file
from config.stack_config import StackConfig
from phalanx import environment, policies
from probes import vault_policy, vault_preflight
from sandbox.site_certificate import issue
from tests import openbao
from tests.openbao import OpenBao
from tests.unit.program.conftest import CHECKOUTS, ROOT, StackRunner
from tests.unit.program.refusals import MOUNT, STACK_DESCRIPTION, mount, refused, reset, settings, token
from tests.unit.program.test_graph import values_of

CREATED = {"mount": "create", "approle": {"ownership": "create"}}
READ_POLICY = policies.read_policy(MOUNT, "k8s_operator/roe")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    with openbao.server(tmp_path_factory.mktemp("openbao")) as bao:
        yield bao


@pytest.fixture
def bao(server: OpenBao) -> Iterator[OpenBao]:
    """Return a suitable Vault, with an operator's token in ``VAULT_TOKEN``."""
    reset(server)
    with token(operator(server)):
        yield server


def operator(bao: OpenBao, *, preview: bool = False, **settings_of_token: str) -> str:
    render = vault_policy.preview if preview else vault_policy.operator
    configured = load_file(ROOT / "Pulumi.roe.yaml", StackConfig).vault
    return bao.token(render(environment.load(CHECKOUTS["roe"], "roe"), configured, "roe"), **settings_of_token)


def test_the_operators_policy_is_sufficient(run_stack: StackRunner, bao: OpenBao) -> None:
    assert run_stack("roe", **settings(bao.url)).of("SecretV2")


def test_the_workflows_policy_is_sufficient_for_a_preview(run_stack: StackRunner, bao: OpenBao) -> None:
    workflow = bao.token((ROOT / ".github/vault-preview-policy.hcl").read_text())
    with token(workflow):
        assert run_stack("roe", preview=True, **settings(bao.url)).of("SecretV2")
        with pytest.raises(pulumi.RunError) as error:
            run_stack("roe", **settings(bao.url))
    assert str(error.value).startswith(
        "VAULT_TOKEN: lacks capabilities in Vault that `pulumi up` requires: "
        "kv-v2/data/k8s_operator/roe/+ (create, update, delete); ",
    )
    assert "auth/token/create (update, sudo)" in str(error.value)
    assert "`python -m operations vault-policy` prints" in str(error.value)


def test_all_missing_capabilities_are_reported_together(run_stack: StackRunner, bao: OpenBao) -> None:
    with token(bao.token('path "kv-v2/data/k8s_operator/roe/tap" { capabilities = ["read"] }')):
        message = refused_in_preview(run_stack, bao)
    assert "kv-v2/data/k8s_operator/roe/+ (read); kv-v2/metadata/k8s_operator/roe (list); " in message
    assert "auth/approle/role/roe (read)" in message


def refused_in_preview(run_stack: StackRunner, bao: OpenBao) -> str:
    with pytest.raises(pulumi.RunError) as error:
        run_stack("roe", preview=True, **settings(bao.url))
    return str(error.value)


def test_no_token(run_stack: StackRunner, bao: OpenBao) -> None:
    with token(None):
        message = refused(run_stack, **settings(bao.url))
    assert message == f"Vault at {bao.url}: no token for Vault: set VAULT_TOKEN (`vault login -method=... -no-store`)"


@pytest.mark.parametrize("character", ["\n", " ", "\N{EN DASH}"])
def test_an_invalid_token_is_not_repeated_in_the_message(run_stack: StackRunner, bao: OpenBao, character: str) -> None:
    with token(f"s.planted{character}"):
        message = refused(run_stack, **settings(bao.url))
    assert message.endswith(
        "VAULT_TOKEN contains a space, a line break or a character that is not ASCII: set it to the token alone"
    )


def test_a_wrong_token(run_stack: StackRunner, bao: OpenBao) -> None:
    with token("s.planted"):
        message = refused(run_stack, **settings(bao.url))
    assert message == f"Vault at {bao.url}: refuses the token in VAULT_TOKEN: it is wrong or has expired; log in again"


def test_an_expired_token(run_stack: StackRunner, bao: OpenBao) -> None:
    short = operator(bao, ttl="1s")
    time.sleep(1.2)
    with token(short):
        assert "it is wrong or has expired; log in again" in refused(run_stack, **settings(bao.url))


def test_a_sealed_vault(run_stack: StackRunner, bao: OpenBao) -> None:
    bao.root.sys.seal()
    try:
        message = refused(run_stack, **settings(bao.url))
    finally:
        bao.root.sys.submit_unseal_key(bao.unseal_key)
    assert message == f"Vault at {bao.url}: is sealed: unseal it with `vault operator unseal`"


def test_an_uninitialized_vault(run_stack: StackRunner, tmp_path: Path) -> None:
    with openbao.uninitialized(tmp_path) as url, token("s.planted"):
        message = refused(run_stack, **settings(url))
    assert message == f"Vault at {url}: is not initialized: run `vault operator init`, then unseal it"


def test_a_vault_that_does_not_answer(run_stack: StackRunner, tmp_path: Path) -> None:
    with openbao.uninitialized(tmp_path) as url:
        pass
    with token("s.planted"):
        message = refused(run_stack, **settings(url))
    assert message == (
        f"Vault at {url}: does not answer (Connection refused): check rsp:vault.address, the network, and whether it "
        "runs"
    )


def test_a_certificate_of_an_unknown_ca(run_stack: StackRunner, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    files = {"tls_cert_file": tmp_path / "tls.crt", "tls_key_file": tmp_path / "tls.key"}
    for file, pem in zip(files.values(), issue("127.0.0.1", now - timedelta(1), now + timedelta(1)), strict=True):
        file.write_text(pem)
    tls = {key: str(file) for key, file in files.items()}
    with openbao.uninitialized(tmp_path, tls=tls) as url, token("s.planted"):
        message = refused(run_stack, **settings(url))
    assert message.startswith(f"Vault at {url}: its certificate is not trusted (")
    assert message.endswith("): set rsp:vault.caFile to the file with the certificate of the CA that has signed it")


@pytest.fixture
def with_private_authority(tmp_path: Path) -> Iterator[tuple[OpenBao, Path]]:
    """Return a suitable Vault with a certificate of a private CA, and the file of that CA."""
    with openbao.with_private_authority(tmp_path) as bao:
        reset(bao)
        with token(bao.root_token):
            yield bao, Path(str(bao.ca_file))


def test_a_private_authority_is_trusted_by_program_and_operator(
    run_stack: StackRunner, with_private_authority: tuple[OpenBao, Path]
) -> None:
    bao, ca_file = with_private_authority
    recording = run_stack("roe", **settings(bao.url, caFile=str(ca_file)))
    assert recording.of("SecretV2")
    assert recording.one("pulumi:providers:vault", "vault").inputs["caCertFile"] == str(ca_file)
    release = recording.one("Release", "vault-secrets-operator-release")
    for values in (values_of(recording, "vault-secrets-operator"), release.inputs["values"]):
        *kept, added = values["vault-secrets-operator"]["environmentVars"]
        assert added == {"name": "VAULT_CACERT_BYTES", "value": ca_file.read_text()}
        assert [each["name"] for each in kept] == ["VAULT_ROLE_ID", "VAULT_SECRET_ID"]


def test_an_authority_that_only_this_machine_trusts_causes_a_warning(
    with_private_authority: tuple[OpenBao, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    bao, ca_file = with_private_authority
    found = environment.load(CHECKOUTS["roe"], "roe").model_copy(update={"vault_url": bao.url})
    configured = load_file(ROOT / "Pulumi.roe.yaml", StackConfig).vault
    monkeypatch.setenv("VAULT_CACERT", str(ca_file))
    (warning,) = vault_preflight.check(bao.url, found, configured, "roe")
    assert str(warning).startswith(
        "rsp:vault.caFile (warning): is not set, so that vault-secrets-operator does not trust Vault's certificate ("
    )
    named = configured.model_copy(update={"ca_file": ca_file})
    assert list(vault_preflight.check(bao.url, found, named, "roe")) == []


def test_an_authority_that_has_not_signed_the_certificate(
    run_stack: StackRunner, with_private_authority: tuple[OpenBao, Path], tmp_path: Path
) -> None:
    bao, _ = with_private_authority
    (tmp_path / "other.pem").write_text(private_authority.create("localhost")["certificate"])
    message = refused(run_stack, **settings(bao.url, caFile=str(tmp_path / "other.pem")))
    assert message.startswith(f"Vault at {bao.url}: its certificate is not trusted (")


def test_a_mount_of_kv_version_1(run_stack: StackRunner, bao: OpenBao) -> None:
    mount(bao)
    assert refused(run_stack, **settings(bao.url)) == (
        "rsp:vault.mount: Vault's mount `kv-v2` is KV version 1, Phalanx requires version 2: upgrade it with "
        "`vault kv enable-versioning kv-v2`, which keeps its secrets"
    )


def test_a_mount_of_another_type(run_stack: StackRunner, bao: OpenBao) -> None:
    mount(bao, "transit")
    assert "Vault's mount `kv-v2` is of type transit, Phalanx requires KV version 2" in refused(
        run_stack, **settings(bao.url)
    )


def test_a_missing_mount(run_stack: StackRunner, bao: OpenBao) -> None:
    bao.root.sys.disable_secrets_engine(MOUNT)
    assert refused(run_stack, **settings(bao.url)).startswith(
        "rsp:vault.mount: `existing`, but Vault has no mount `kv-v2` that this token can access: create it (`vault ",
    )


def test_a_mount_of_another_owner(run_stack: StackRunner, bao: OpenBao) -> None:
    mount(bao, options={"version": "2"}, description="Of the archive")
    with token(bao.root_token):
        message = refused(run_stack, **settings(bao.url, mount="create"))
    assert message == (
        "rsp:vault.mount: `create`, but Vault has the mount `kv-v2` already, with the description 'Of the archive': "
        "set `existing`; if it is in the state of this stack, mark it: "
        f"`vault secrets tune -description='{STACK_DESCRIPTION}' kv-v2`"
    )


def test_a_missing_auth_method(run_stack: StackRunner, bao: OpenBao) -> None:
    bao.root.sys.disable_auth_method("approle")
    assert refused(run_stack, **settings(bao.url)).startswith(
        "rsp:vault.approle.ownership: `existing`, but Vault has no auth method at `approle` that this token can access",
    )


def test_an_auth_method_of_another_type(run_stack: StackRunner, bao: OpenBao) -> None:
    bao.root.sys.disable_auth_method("approle")
    bao.root.sys.enable_auth_method("userpass", path="approle")
    message = refused(run_stack, **settings(bao.url))
    assert "rsp:vault.approle.path: Vault's auth method at `approle` is of type userpass, expected approle" in message


def test_an_auth_method_of_another_owner(run_stack: StackRunner, bao: OpenBao) -> None:
    with token(bao.root_token):
        message = refused(run_stack, **settings(bao.url, approle={"ownership": "create"}))
    assert message.startswith("rsp:vault.approle.ownership: `create`, but Vault has the auth method `approle` already")
    assert f"`vault auth tune -description='{STACK_DESCRIPTION}' approle`" in message


def test_a_stack_recognizes_what_it_has_created(run_stack: StackRunner, bao: OpenBao) -> None:
    first = run_stack("roe", changes={"vault": CREATED})
    described = {each.inputs["description"] for kind in ("Mount", "AuthBackend") for each in first.of(kind)}
    assert described == {STACK_DESCRIPTION}
    bao.root.sys.tune_mount_configuration(MOUNT, description=STACK_DESCRIPTION)
    bao.root.sys.tune_auth_method("approle", description=STACK_DESCRIPTION)
    with token(bao.root_token):
        assert run_stack("roe", **settings(bao.url, **CREATED)).of("SecretV2")


def test_what_a_stack_has_created_stays_its_own(run_stack: StackRunner, bao: OpenBao) -> None:
    bao.root.sys.tune_mount_configuration(MOUNT, description=STACK_DESCRIPTION)
    bao.root.sys.tune_auth_method("approle", description=STACK_DESCRIPTION)
    with token(bao.root_token):
        mounted, enabled = refused(run_stack, **settings(bao.url)).splitlines()
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


def test_a_policy_that_differs(run_stack: StackRunner, bao: OpenBao) -> None:
    bao.root.sys.create_or_update_acl_policy("k8s_operator/roe/read", READ_POLICY.replace("data", "xata", 1))
    first, *difference = refused(run_stack, **settings(bao.url)).splitlines()
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


def test_policies_are_compared_exactly(run_stack: StackRunner, bao: OpenBao) -> None:
    bao.root.sys.create_or_update_acl_policy("k8s_operator/roe/read", f"{READ_POLICY}\n")
    assert "only the line break at the end differs" in refused(run_stack, **settings(bao.url))
    bao.root.sys.create_or_update_acl_policy("k8s_operator/roe/read", READ_POLICY)
    assert run_stack("roe", **settings(bao.url)).of("Policy")


def test_all_problems_are_reported_together(run_stack: StackRunner, bao: OpenBao) -> None:
    mount(bao)
    bao.root.sys.disable_auth_method("approle")
    bao.root.sys.create_or_update_acl_policy("k8s_operator/roe/write", READ_POLICY)
    message = refused(run_stack, **settings(bao.url))
    assert [line.partition(":")[0] for line in message.splitlines() if not line.startswith(" ")] == [
        "rsp",
        "rsp",
        "Vault's policy k8s_operator/roe/write",
    ]
