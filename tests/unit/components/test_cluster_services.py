import json

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from components.cluster_services import ClusterServices, ClusterServicesArgs, StorageClassArgs
from phalanx.source import BootstrapChart
from tests.unit.recording import ProgramRunner, Recording


@pytest.fixture
def recording(run_program: ProgramRunner) -> Recording:
    def program() -> None:
        provider = kubernetes.Provider("cluster", kubeconfig="kubeconfig")
        args = ClusterServicesArgs(
            storage_classes={
                "ceph-hdd": StorageClassArgs(volume_type="hdd", availability_zone="nova", default=True),
                "scratch": StorageClassArgs(volume_type="ssd", reclaim_policy="Delete"),
            },
            operator_chart=BootstrapChart(path="charts/operator", values={"vault": {"address": "https://vault"}}),
            operator_namespace={"name": "vault-secrets-operator", "labels": {"team": "square"}},
            role_id=pulumi.Output.secret("the-role-id"),
            secret_id=pulumi.Output.secret("the-secret-id"),
            timeout=300,
        )
        ClusterServices("services", args, pulumi.ResourceOptions(providers=[provider]))

    return run_program(program)


def test_volumes_in_cinder_outlive_their_claims(recording: Recording) -> None:
    hdd = recording.one("StorageClass", "services-ceph-hdd").inputs
    assert hdd["provisioner"] == "cinder.csi.openstack.org"
    assert hdd["parameters"] == {"type": "hdd", "availability": "nova"}
    assert (hdd["reclaimPolicy"], hdd["volumeBindingMode"]) == ("Retain", "WaitForFirstConsumer")
    assert hdd["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}


def test_a_storage_class_may_delete_its_volumes(recording: Recording) -> None:
    scratch = recording.one("StorageClass", "services-scratch").inputs
    assert scratch["reclaimPolicy"] == "Delete"
    assert scratch["parameters"] == {"type": "ssd"}
    assert "is-default-class" not in json.dumps(scratch)


def test_the_approle_is_secret(recording: Recording) -> None:
    secret = recording.one("Secret")
    metadata = secret.inputs["metadata"]
    assert (metadata["name"], metadata["namespace"]) == ("vault-credentials", "vault-secrets-operator")
    assert secret.inputs["stringData"] == {
        "VAULT_ROLE_ID": "the-role-id",
        "VAULT_SECRET_ID": "the-secret-id",
    }
    hidden = {"the-role-id", "the-secret-id"}
    seen = json.dumps([each.veiled for each in recording.resources])
    assert [value for value in hidden if value in seen] == []


def test_the_operator_depends_on_its_credentials(recording: Recording) -> None:
    release = recording.one("Release")
    assert (release.inputs["name"], release.inputs["namespace"]) == ("vault-secrets-operator", "vault-secrets-operator")
    assert release.inputs["chart"] == "charts/operator"
    assert recording.one("Secret").urn in release.dependencies
    assert recording.one("Namespace").inputs["metadata"]["labels"] == {"team": "square"}
