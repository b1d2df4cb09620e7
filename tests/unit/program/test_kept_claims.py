"""Claims of applications are annotated once they exist."""

from types import SimpleNamespace
from typing import Any, cast

import pulumi
import pytest

from phalanx.claims import Claim
from probes.kubernetes_api import Object
from program import kept_claims
from program.kept_claims import KEPT
from tests.unit.probes.recorded_cluster import RecordedCluster
from tests.unit.program.conftest import StackRunner
from tests.unit.recording import ProgramRunner
from tests.unit.sample import environment

APPLICATION = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/tap"
PATH = "/api/v1/namespaces/tap/persistentvolumeclaims/data"
CLAIM: dict[str, Any] = {"namespace": "tap", "name": "data", "storage_class": None, "size": 1}
WAITING: dict[str, Any] = {"applications__overrides": {"tap": {"wait": False}}}
MANUAL: dict[str, Any] = {"applications__sync": "manual"}


class Cluster(RecordedCluster):
    """A cluster that records changes."""

    def __init__(self) -> None:
        self.claims: list[Object | None] = []
        """The claim at each query; the last one stays."""
        self.queried = 0
        self.merged: list[tuple[str, Object]] = []
        self.applications: list[Object | None] = [None]
        """The Application at each query; the last one stays."""
        super().__init__({})

    def get(self, path: str, **_query: str) -> Object | None:
        """Return the claim, or its Application."""
        assert path in {PATH, APPLICATION}
        self.queried += path == PATH
        answers = self.claims if path == PATH else self.applications
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def merge(self, path: str, change: Object) -> None:
        """Record a change."""
        self.merged.append((path, change))


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    found = Cluster()
    monkeypatch.setattr(kept_claims, "KubernetesApi", lambda _: found)
    monkeypatch.setattr(kept_claims, "_PAUSE", 0)
    return found


def update(run_program: ProgramRunner, *claims: Claim, preview: bool = False, **changes: Any) -> list[str]:
    """Run a program that keeps claims, and return its warnings."""
    settings = environment(**changes).applications

    def program() -> None:
        application = cast("pulumi.Resource", SimpleNamespace(urn=pulumi.Output.from_input("urn")))
        kept_claims.keep(settings, claims, pulumi.Output.secret("kubeconfig"), {"tap": application})

    return [text for _, text in run_program.having(preview=preview)(program).logged]


def live(annotations: dict[str, str] | None = None) -> Object:
    return {"metadata": {"name": "data", "annotations": annotations}}


@pytest.mark.parametrize("changes", [{}, WAITING, MANUAL], ids=["awaited", "not awaited", "manual"])
def test_a_claim_is_annotated_once(run_program: ProgramRunner, cluster: Cluster, changes: dict[str, Any]) -> None:
    cluster.claims = [live(), live({"owner": "somebody", **KEPT})]
    for _ in range(2):
        assert update(run_program, Claim(application="tap", **CLAIM), **changes) == []
    assert cluster.merged == [(PATH, {"metadata": {"annotations": KEPT}})]


def test_claims_of_charts_are_kept(run_stack: StackRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[Claim] = []
    monkeypatch.setattr(kept_claims, "keep", lambda _, claims, *__: found.extend(claims))
    run_stack("sandbox")
    assert [(each.namespace, each.name) for each in found if each.deletable] == [("postgres", "postgres-physpvc")]


def test_a_claim_that_was_created_again_is_annotated_again(run_program: ProgramRunner, cluster: Cluster) -> None:
    cluster.claims = [live(), live()]
    for _ in range(2):
        assert update(run_program, Claim(application="tap", **CLAIM)) == []
    assert cluster.merged == [(PATH, {"metadata": {"annotations": KEPT}})] * 2


def test_a_claim_that_argo_cd_is_about_to_create_is_awaited(run_program: ProgramRunner, cluster: Cluster) -> None:
    cluster.claims = [None, None, live()]
    assert update(run_program, Claim(application="tap", **CLAIM), **WAITING) == []
    assert len(cluster.merged) == 1


@pytest.mark.parametrize(
    ("changes", "patience"), [({}, 30), (WAITING, -1), (MANUAL, 30)], ids=["awaited", "not awaited", "manual"]
)
def test_a_claim_that_does_not_exist_is_no_error(
    run_program: ProgramRunner,
    cluster: Cluster,
    changes: dict[str, Any],
    patience: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept_claims, "PATIENCE", patience)
    cluster.claims = [None]
    (warning,) = update(run_program, Claim(application="tap", **CLAIM), **changes)
    assert warning.startswith("tap: tap/data: no such PersistentVolumeClaim yet. Once there is, the next `pulumi up`")
    assert cluster.queried == 1


OLD, NEW = {"targetRevision": "1" * 40}, {"targetRevision": "2" * 40}


def application(
    status: str, phase: str, *, compared: Object = NEW, synced: Object = NEW, operation: Object | None = None
) -> Object:
    """Return an Application with the source `NEW`."""
    return {
        "spec": {"source": NEW},
        **({"operation": operation} if operation else {}),
        "status": {
            "sync": {
                "status": status,
                "comparedTo": {"source": compared},
                "revision": compared["targetRevision"],
            },
            "operationState": {
                "phase": phase,
                "syncResult": {"source": synced, "revision": synced["targetRevision"]},
            },
        },
    }


@pytest.mark.parametrize(
    "over",
    [application("Synced", "Succeeded"), application("OutOfSync", "Failed"), application("Synced", "", synced=OLD)],
    ids=["synced", "given up", "nothing to sync"],
)
@pytest.mark.parametrize(
    "before",
    [
        {"spec": {"source": NEW}},
        application("Synced", "Succeeded", compared=OLD, synced=OLD),
        application("OutOfSync", "Succeeded", synced=OLD),
        application("OutOfSync", "Running"),
        application("Synced", "Succeeded", operation={"sync": {}}),
    ],
    ids=["not compared", "compared before", "synced before", "running", "to be synced"],
)
def test_no_run_waits_for_a_claim_once_the_sync_is_over(
    run_program: ProgramRunner, cluster: Cluster, before: Object, over: Object
) -> None:
    cluster.claims = [None]
    cluster.applications = [before, before, over]
    (warning,) = update(run_program, Claim(application="tap", **CLAIM), **WAITING)
    assert "tap/data: no such PersistentVolumeClaim yet" in warning
    assert cluster.queried == 3


def test_a_claim_of_the_sync_that_is_just_over_is_annotated(run_program: ProgramRunner, cluster: Cluster) -> None:
    cluster.claims = [None, live()]
    cluster.applications = [application("OutOfSync", "Running"), application("Synced", "Succeeded")]
    assert update(run_program, Claim(application="tap", **CLAIM), **WAITING) == []
    assert len(cluster.merged) == 1


def test_other_claims_are_left_alone(run_program: ProgramRunner, cluster: Cluster) -> None:
    cluster.claims = [live()]
    update(run_program, Claim(application="tap", **CLAIM), preview=True)
    update(run_program, Claim(application="tap", **CLAIM, template=True))
    update(run_program, Claim(application="tap", **CLAIM, decided=True))
    assert cluster.queried == 0
