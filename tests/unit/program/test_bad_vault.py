"""An unsuitable Vault, a real OpenBao, stops the program before any resource is registered."""

from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest

from config.loader import load_file
from config.stack_config import StackConfig
from phalanx import environment, policies
from probes import vault_policy
from tests.openbao import OpenBao
from tests.unit.program.conftest import CHECKOUTS, ROOT, StackRunner
from tests.unit.program.refusals import MOUNT, STACK_DESCRIPTION, mount, refused, reset, settings, token
from tests.unit.program.test_graph import values_of

CREATED = {"mount": "create", "approle": {"ownership": "create"}}
READ_POLICY = policies.read_policy(MOUNT, "k8s_operator/roe")


@pytest.fixture
def bao(empty_vault: OpenBao) -> Iterator[OpenBao]:
    """Return a suitable Vault, with an operator's token in ``VAULT_TOKEN``."""
    reset(empty_vault)
    configured = load_file(ROOT / "Pulumi.roe.yaml", StackConfig).vault
    policy = vault_policy.operator(environment.load(CHECKOUTS["roe"], "roe"), configured, "roe")
    with token(empty_vault.token(policy)):
        yield empty_vault


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
    assert "`python -m operations vault-policy -s STACK` prints" in str(error.value)


def test_a_private_authority_is_trusted_by_program_and_operator(run_stack: StackRunner, private_vault: OpenBao) -> None:
    reset(private_vault)
    ca_file = Path(str(private_vault.ca_file))
    with token(private_vault.root_token):
        recording = run_stack("roe", **settings(private_vault.url, caFile=str(ca_file)))
    assert recording.of("SecretV2")
    assert recording.one("pulumi:providers:vault", "vault").inputs["caCertFile"] == str(ca_file)
    release = recording.one("Release", "cluster-vault-secrets-operator-release")
    for values in (values_of(recording, "vault-secrets-operator"), release.inputs["values"]):
        *kept, added = values["vault-secrets-operator"]["environmentVars"]
        assert added == {"name": "VAULT_CACERT_BYTES", "value": ca_file.read_text()}
        assert [each["name"] for each in kept] == ["VAULT_ROLE_ID", "VAULT_SECRET_ID"]


def test_a_stack_recognizes_what_it_has_created(run_stack: StackRunner, bao: OpenBao) -> None:
    first = run_stack("roe", changes={"vault": CREATED})
    described = {each.inputs["description"] for kind in ("Mount", "AuthBackend") for each in first.of(kind)}
    assert described == {STACK_DESCRIPTION}
    bao.root.sys.tune_mount_configuration(MOUNT, description=STACK_DESCRIPTION)
    bao.root.sys.tune_auth_method("approle", description=STACK_DESCRIPTION)
    with token(bao.root_token):
        assert run_stack("roe", **settings(bao.url, **CREATED)).of("SecretV2")


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
