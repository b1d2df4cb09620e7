"""A run fails if a claim does not have the volume that the stack's file gives to it."""

from types import SimpleNamespace
from typing import Any, cast

import pulumi
import pytest

from probes.kubernetes_api import Object
from program import bound_claims
from tests.unit.probes.recorded_cluster import RecordedCluster
from tests.unit.recording import ProgramRunner
from tests.unit.sample import environment
from wiring.claimed_volumes import ClaimedVolume

ID = "6a3c6ab7-3f5b-4d0a-9e34-9c6f5b1f6f0e"
VOLUME = ClaimedVolume(
    namespace="postgres", name="physpvc", application="postgres", volume=ID, storage_class="ceph-hdd", size=8
)
KEY = r"rsp:clusters\.green\.claims\.postgres/physpvc"
MANUAL: dict[str, Any] = {"applications__sync": "manual"}


class Cluster(RecordedCluster):
    """A cluster with one claim, and PersistentVolumes of the Cinder volumes `old` and `ID`."""

    def __init__(self) -> None:
        self.claims: list[Object | None] = []
        """The claim at each query; the last one stays."""
        super().__init__({})

    def get(self, path: str, **_query: str) -> Object | None:
        """Return the claim or a volume."""
        if path in {"/api/v1/persistentvolumes/pvc-1", "/api/v1/persistentvolumes/restored"}:
            return {"spec": {"csi": {"volumeHandle": ID if path.endswith("restored") else "old"}}}
        assert path == "/api/v1/namespaces/postgres/persistentvolumeclaims/physpvc"
        return self.claims.pop(0) if len(self.claims) > 1 else self.claims[0]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    found = Cluster()
    monkeypatch.setattr(bound_claims, "KubernetesApi", lambda _: found)
    monkeypatch.setattr(bound_claims, "_PAUSE", 0)
    monkeypatch.setattr(bound_claims, "_PATIENCE", 0.2)
    return found


def run(run_program: ProgramRunner, *, preview: bool = False, **changes: Any) -> None:
    settings = environment(**changes).applications

    def program() -> None:
        application = cast("pulumi.Resource", SimpleNamespace(urn=pulumi.Output.from_input("urn")))
        kubeconfig = pulumi.Output.secret("kubeconfig")
        bound_claims.verify("green", [VOLUME], settings, kubeconfig, {"postgres": application})

    run_program.having(preview=preview)(program)


def bound(volume: str) -> Object:
    return {"spec": {"volumeName": volume}}


def test_a_claim_that_is_bound_to_its_volume_is_accepted(run_program: ProgramRunner, cluster: Cluster) -> None:
    cluster.claims = [None, {"spec": {}}, bound(f"cinder-{ID}")]
    run(run_program)
    assert len(cluster.claims) == 1


def test_the_volume_may_have_another_name_in_the_cluster(run_program: ProgramRunner, cluster: Cluster) -> None:
    cluster.claims = [bound("restored")]
    run(run_program)


@pytest.mark.parametrize("preview", [False, True])
def test_a_claim_with_another_volume_is_refused(run_program: ProgramRunner, cluster: Cluster, preview: bool) -> None:
    cluster.claims = [bound("pvc-1")]
    with pytest.raises(pulumi.RunError, match=f"{KEY}: the claim is bound to pvc-1, not to cinder-{ID}"):
        run(run_program, preview=preview)


@pytest.mark.parametrize("claim", [None, {"spec": {}}])
def test_a_claim_without_a_volume_after_an_update_is_refused(
    run_program: ProgramRunner, cluster: Cluster, claim: Object | None
) -> None:
    cluster.claims = [claim]
    with pytest.raises(pulumi.RunError, match=f"{KEY}: the claim is not bound"):
        run(run_program)


@pytest.mark.parametrize(("preview", "changes"), [(True, {}), (False, MANUAL)], ids=["preview", "manual"])
def test_a_claim_that_may_not_exist_yet_is_accepted(
    run_program: ProgramRunner, cluster: Cluster, preview: bool, changes: dict[str, Any]
) -> None:
    cluster.claims = [None]
    run(run_program, preview=preview, **changes)
