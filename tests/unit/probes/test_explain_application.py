from typing import Any

from probes.explain_application import explain
from tests.unit.probes.recorded_cluster import RecordedCluster, event, owned, pod

PATH = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/squareone"
NAMESPACE = "/api/v1/namespaces/squareone"
REPLICA_SETS = "/apis/apps/v1/namespaces/squareone/replicasets"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
INPUTS = {"metadata": {"name": "squareone", "namespace": "argocd"}}

# Argo CD 3 does not record the health of single objects in an Application.
DEPLOYMENT = {
    "group": "apps",
    "version": "v1",
    "kind": "Deployment",
    "namespace": "squareone",
    "name": "squareone",
    "status": "Synced",
}
SERVICE = {"version": "v1", "kind": "Service", "namespace": "squareone", "name": "squareone", "status": "Synced"}
SECRET = {**SERVICE, "kind": "Secret"}
CLUSTER = {
    "/apis/apps/v1": {
        "resources": [
            {"name": "deployments/scale", "kind": "Deployment", "namespaced": True},
            {"name": "deployments", "kind": "Deployment", "namespaced": True},
        ]
    },
    "/api/v1": {"resources": [{"name": "services", "kind": "Service", "namespaced": True}]},
    "/apis/apps/v1/namespaces/squareone/deployments/squareone": owned("Deployment", "squareone", spec={}, status={}),
    "/api/v1/namespaces/squareone/services/squareone": owned("Service", "squareone", spec={"type": "ClusterIP"}),
}
REPLICA_SET = owned("ReplicaSet", "squareone-6d", ("Deployment", "squareone"))
LACKS_A_KEY = {"waiting": {"reason": "CreateContainerConfigError", "message": "no key x in secret a/b"}}


def application(**status: Any) -> dict[str, Any]:
    return {
        "spec": {"source": {"targetRevision": COMMIT}, "destination": {"namespace": "squareone"}},
        "status": {
            "sync": {"status": "Synced", "revision": COMMIT},
            "health": {"status": "Progressing"},
            "operationState": {"phase": "Succeeded", "message": "successfully synced (all tasks run)"},
            **status,
        },
    }


def explained(found: dict[str, Any] | None, **answers: Any) -> list[str]:
    return explain(RecordedCluster({PATH: found, **CLUSTER, **answers}), INPUTS)


def test_a_waiting_pod_is_the_cause() -> None:
    answers = {
        f"{NAMESPACE}/pods": [
            pod("squareone-6d-1", LACKS_A_KEY, ("ReplicaSet", "squareone-6d")),
            pod("squareone-6d-2", LACKS_A_KEY, ("ReplicaSet", "squareone-6d")),
            pod("other-1", LACKS_A_KEY, ("ReplicaSet", "other-6d")),
        ],
        REPLICA_SETS: [REPLICA_SET, owned("ReplicaSet", "other-6d", ("Deployment", "other"))],
    }
    assert explained(application(resources=[SERVICE, SECRET, DEPLOYMENT]), **answers) == [
        "The Application is Synced, Progressing",
        "Deployment squareone/squareone: 0 of 1 pods ready",
        "  pod squareone-6d-1 and 1 more: CreateContainerConfigError: no key x in secret a/b, container main",
    ]


def test_events_explain_a_starting_pod() -> None:
    starting = pod("squareone-6d-1", {"waiting": {"reason": "ContainerCreating"}}, ("ReplicaSet", "squareone-6d"))
    about = ("Pod", "squareone-6d-1")
    answers = {
        f"{NAMESPACE}/pods": [starting],
        f"{NAMESPACE}/events": [
            event(about, "FailedMount", 'secret "first" not found', "2026-01-01T10:00:00Z"),
            event(about, "FailedMount", 'secret "last" not found', "2026-01-01T10:09:00Z"),
            event(("Pod", "other"), "FailedMount", "no matter"),
        ],
        REPLICA_SETS: [REPLICA_SET],
    }
    assert explained(application(resources=[DEPLOYMENT]), **answers)[2:] == [
        '  pod squareone-6d-1: FailedMount: secret "last" not found',
        '  pod squareone-6d-1: FailedMount: secret "first" not found',
    ]


def test_without_pods_the_events_of_the_replica_set_are_the_cause() -> None:
    quota = event(("ReplicaSet", "squareone-6d"), "FailedCreate", "exceeded quota: pods")
    answers = {f"{NAMESPACE}/events": [quota], REPLICA_SETS: [REPLICA_SET]}
    assert explained(application(resources=[DEPLOYMENT]), **answers)[2:] == ["  FailedCreate: exceeded quota: pods"]


def test_an_object_that_does_not_exist_is_a_cause() -> None:
    assert explained(application(resources=[{**DEPLOYMENT, "name": "absent"}]))[1:] == [
        "Deployment squareone/absent: does not exist"
    ]


def test_a_render_error_comes_first() -> None:
    found = application(
        sync={"status": "Unknown"},
        health={"status": "Healthy"},
        conditions=[
            {"type": "SharedResourceWarning", "message": "no cause of anything"},
            {"type": "ComparisonError", "message": "Failed to load target state:\n  helm template failed"},
        ],
        resources=[DEPLOYMENT],
    )
    assert explained(found)[:2] == [
        "The Application is Unknown, Healthy",
        "ComparisonError: Failed to load target state: helm template failed",
    ]


def test_failed_sync_tasks_come_before_unhealthy_objects() -> None:
    failed = {
        "kind": "VaultSecret",
        "namespace": "squareone",
        "name": "squareone",
        "status": "SyncFailed",
        "message": 'no matches for kind "VaultSecret"',
    }
    applied = {"kind": "Service", "name": "squareone", "status": "Synced", "message": "service/squareone created"}
    hook = {"kind": "Job", "name": "migrate", "hookPhase": "Failed", "message": "Job has reached its backoff limit"}
    found = application(
        sync={"status": "OutOfSync", "revision": COMMIT},
        health={"status": "Missing"},
        operationState={
            "phase": "Running",
            "message": "failed to apply. Retrying attempt #3",
            "syncResult": {"resources": [applied, failed, hook]},
        },
        resources=[{**SERVICE, "status": "OutOfSync", "requiresPruning": True}, DEPLOYMENT],
    )
    assert explained(found) == [
        "The Application is OutOfSync, Missing; last sync Running: failed to apply. Retrying attempt #3",
        'VaultSecret squareone/squareone: SyncFailed: no matches for kind "VaultSecret"',
        "Job migrate: Failed: Job has reached its backoff limit",
        "Deployment squareone/squareone: 0 of 1 pods ready",
        "Service squareone/squareone: OutOfSync, to be pruned",
    ]


def test_an_outdated_comparison_is_reported() -> None:
    source = {"helm": {"valuesObject": {"global": {"factsHash": "old"}}}}
    sync = {"status": "Synced", "revision": "f" * 40, "comparedTo": {"source": source}}
    assert explained(application(sync=sync, health={"status": "Healthy"})) == [
        "The Application is Synced, Healthy",
        "Argo CD has compared revision ffffffff but not yet 01234567",
        "Argo CD has not yet compared the Application's current facts",
    ]


def test_a_missing_status_is_explained_with_the_pods_of_argo_cd() -> None:
    crashing = pod(
        "repo-1",
        {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}},
        ready=False,
        lastState={"terminated": {"exitCode": 1, "reason": "Error"}},
    )
    assert explained(application(sync=None), **{"/api/v1/namespaces/argocd/pods": [crashing]}) == [
        "Argo CD has not reconciled the Application yet",
        "  pod repo-1: CrashLoopBackOff: back-off 5m0s (last terminated with exit code 1, Error), container main",
    ]


def test_a_healthy_or_absent_application_has_no_causes() -> None:
    assert explained(application(health={"status": "Healthy"}, resources=[SERVICE])) == []
    assert explained(None) == []
