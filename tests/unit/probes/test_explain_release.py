from probes.explain_release import explain
from tests.unit.probes.recorded_cluster import RecordedCluster, event, owned, pod

INPUTS = {"name": "argocd", "namespace": "argocd", "values": {"secret": "value-of-the-test"}}
APPS = "/apis/apps/v1/namespaces/argocd"
JOBS = "/apis/batch/v1/namespaces/argocd/jobs"
PODS = "/api/v1/namespaces/argocd/pods"
EVENTS = "/api/v1/namespaces/argocd/events"
DEPLOYMENT = owned("Deployment", "server", spec={"replicas": 2}, status={"readyReplicas": 1})
REPLICA_SET = owned("ReplicaSet", "server-7c", ("Deployment", "server"))
READY = owned("Pod", "server-7c-1", ("ReplicaSet", "server-7c"), status={"phase": "Running", "containerStatuses": []})


def test_unready_pods_have_their_reasons() -> None:
    pulling = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "a/b:c"'}}
    cluster = RecordedCluster(
        {
            f"{APPS}/deployments": [DEPLOYMENT, owned("Deployment", "redis", spec={}, status={"readyReplicas": 1})],
            f"{APPS}/replicasets": [REPLICA_SET],
            PODS: [READY, pod("server-7c-2", pulling, ("ReplicaSet", "server-7c"))],
        }
    )
    assert explain(cluster, INPUTS) == [
        "Not ready in the namespace argocd:",
        "Deployment argocd/server: 1 of 2 pods ready",
        '  pod server-7c-2: ImagePullBackOff: Back-off pulling image "a/b:c", container main',
    ]


def test_unschedulable_pods() -> None:
    pending = owned("Pod", "controller-0", ("StatefulSet", "controller"), status={"phase": "Pending"})
    pending["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}
    ]
    cluster = RecordedCluster(
        {
            f"{APPS}/statefulsets": [owned("StatefulSet", "controller", spec={"replicas": 1}, status={})],
            PODS: [pending],
            EVENTS: [event(("Pod", "controller-0"), "FailedScheduling", "0/3 nodes are available")],
        }
    )
    assert explain(cluster, INPUTS)[1:] == [
        "StatefulSet argocd/controller: 0 of 1 pods ready",
        "  pod controller-0: Unschedulable: 0/3 nodes are available",
    ]


def test_a_failed_hook() -> None:
    condition = {
        "type": "Failed",
        "status": "True",
        "reason": "BackoffLimitExceeded",
        "message": "backoff limit reached",
    }
    ended = pod("init-x", {"terminated": {"exitCode": 1, "reason": "Error"}}, ("Job", "init"))
    done = owned("Job", "done", status={"conditions": [{"type": "Complete", "status": "True"}]})
    cluster = RecordedCluster({JOBS: [owned("Job", "init", status={"conditions": [condition]}), done], PODS: [ended]})
    assert explain(cluster, INPUTS)[1:] == [
        "Job argocd/init: not complete",
        "  BackoffLimitExceeded: backoff limit reached",
        "  pod init-x: container main terminated with exit code 1, Error",
    ]


def test_a_daemon_set_and_a_pod_without_an_owner() -> None:
    unready = pod("loose", {"running": {}}, started=True)
    daemon = owned("DaemonSet", "agent", status={"desiredNumberScheduled": 3, "numberReady": 2})
    cluster = RecordedCluster(
        {
            f"{APPS}/daemonsets": [daemon],
            PODS: [unready],
            EVENTS: [event(("Pod", "loose"), "Unhealthy", "Readiness probe failed: HTTP 503")],
        }
    )
    assert explain(cluster, INPUTS)[1:] == [
        "DaemonSet argocd/agent: 2 of 3 pods ready",
        "pod loose: container main is running but not ready",
        "pod loose: Unhealthy: Readiness probe failed: HTTP 503",
    ]


def test_a_ready_release_has_no_causes() -> None:
    assert explain(RecordedCluster({f"{APPS}/replicasets": [REPLICA_SET], PODS: [READY]}), INPUTS) == []
