import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from components.vault_secrets_operator import VaultSecretsOperator, VaultSecretsOperatorArgs
from phalanx.source import BootstrapChart
from tests.unit.recording import ProgramRunner, Recording


@pytest.fixture
def recording(run_program: ProgramRunner) -> Recording:
    def program() -> None:
        provider = kubernetes.Provider("cluster", kubeconfig="kubeconfig")
        args = VaultSecretsOperatorArgs(
            chart=BootstrapChart(path="charts/operator", values={"vault": {"address": "https://vault"}}),
            namespace={"name": "vault-secrets-operator", "labels": {"team": "square"}},
            role_id=pulumi.Output.secret("the-role-id"),
            secret_id=pulumi.Output.secret("the-secret-id"),
            timeout=300,
        )
        VaultSecretsOperator("operator", args, pulumi.ResourceOptions(providers=[provider]))

    return run_program(program)


def test_the_approle_is_in_the_secret_of_the_operator(recording: Recording) -> None:
    secret = recording.one("Secret")
    metadata = secret.inputs["metadata"]
    assert (metadata["name"], metadata["namespace"]) == ("vault-credentials", "vault-secrets-operator")
    assert secret.inputs["stringData"] == {
        "VAULT_ROLE_ID": "the-role-id",
        "VAULT_SECRET_ID": "the-secret-id",
    }


def test_the_operator_depends_on_its_credentials(recording: Recording) -> None:
    release = recording.one("Release")
    assert (release.inputs["name"], release.inputs["namespace"]) == ("vault-secrets-operator", "vault-secrets-operator")
    assert release.inputs["chart"] == "charts/operator"
    assert recording.one("Secret").urn in release.dependencies
    assert recording.one("Namespace").inputs["metadata"]["labels"] == {"team": "square"}
