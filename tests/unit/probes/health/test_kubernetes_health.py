"""Nodes, certificates, claims, pods and Applications in a cluster."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from probes.health import applications, kubernetes, load_balancer, pods, volumes
from probes.health.finding import Finding, State, critical
from probes.health.root_causes import explain
from probes.kubernetes_api import KubernetesError
from sandbox.site_certificate import issue
from tests.unit.probes.recorded_cluster import RecordedCluster, event

NOW = datetime(2026, 1, 1, 10, 30, tzinfo=UTC)
ON = pods.Dependencies(nfs_address="10.20.0.10", nfs=("server rsp-test-nfs",), secrets=("Vault", "secrets"))
APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def node(name: str, ready: str = "True", version: str = "v1.36.3", **spec: Any) -> dict[str, Any]:
    condition = {
        "type": "Ready",
        "status": ready,
        "reason": "NodeStatusUnknown",
        "message": "Kubelet stopped posting node status.",
        "lastTransitionTime": "2026-01-01T10:00:00Z",
    }
    return {
        "metadata": {"name": name},
        "spec": spec,
        "status": {"conditions": [condition], "nodeInfo": {"kubeletVersion": version}},
    }


def pod(name: str, namespace: str = "tap", on: str = "a", ready: str = "True", **container: Any) -> dict[str, Any]:
    state = {"name": "main", "ready": ready == "True", "restartCount": 0, "state": {"running": {}}, **container}
    conditions = [{"type": "Ready", "status": ready}, {"type": "PodScheduled", "status": "True"}]
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"nodeName": on},
        "status": {"phase": "Running", "conditions": conditions, "containerStatuses": [state]},
    }


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"state": {"waiting": {"reason": reason, "message": message}}}


def application(name: str, health: str = "Healthy", sync: str = "Synced", **status: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {"source": {"targetRevision": COMMIT}, "destination": {"namespace": name}},
        "status": {"sync": {"status": sync, "revision": COMMIT}, "health": {"status": health}, **status},
    }


def checked(*apps: dict[str, Any], nodes: list[Any], **answers: Any) -> dict[str, Finding]:
    """Return the findings about nodes, pods and Applications, with their root causes."""
    client = RecordedCluster(
        {
            "/api/v1/nodes": nodes,
            APPLICATIONS: list(apps),
            **answers,
            **{f"{APPLICATIONS}/{each['metadata']['name']}": each for each in apps},
        }
    )
    found = [
        *kubernetes.judge_nodes(nodes, "v1.36.3"),
        *applications.check(client, ON, load_balancer.INGRESS, NOW),
    ]
    return {each.subject: each for each in explain(found)}


def roots(found: dict[str, Finding]) -> dict[str, State]:
    return {each.subject: each.state for each in found.values() if each.is_root}


def test_a_node_without_its_kubelet_is_critical() -> None:
    up, down = kubernetes.judge_nodes([node("a"), node("b", "Unknown")], "v1.36.3")
    assert (up.state, up.message) == (State.OK, "Ready, v1.36.3")
    assert (down.state, down.because_of) == (State.CRITICAL, ("server b",))
    assert down.message == (
        "NotReady since 2026-01-01T10:00:00Z: NodeStatusUnknown: Kubelet stopped posting node status."
    )


@pytest.mark.parametrize(
    ("kubelet", "state"),
    [
        ("v1.36.9", State.OK),
        ("v1.33.0", State.OK),
        ("v1.32.9", State.CRITICAL),
        ("v1.37.0", State.CRITICAL),
        ("an unknown release", State.OK),
    ],
)
def test_a_kubelet_may_be_three_releases_older_and_not_newer(kubelet: str, state: State) -> None:
    (found,) = kubernetes.judge_nodes([node("a", version=kubelet)], "v1.36.3")
    assert found.state is state


def test_a_cordoned_node_is_a_warning() -> None:
    (found,) = kubernetes.judge_nodes([node("a", unschedulable=True)], "v1.36.3")
    assert (found.state, found.message) == (State.WARNING, "is cordoned")


def test_a_node_that_reports_the_maximum_of_images_is_a_warning() -> None:
    """It then has more, most likely: a master has no labs, and without a maximum the number is another one."""

    def with_images(number: int, ready: str = "True", **labels: str) -> dict[str, Any]:
        found = node("a", ready)
        found["metadata"]["labels"] = labels
        found["status"]["images"] = [{"names": [f"image:{each}"]} for each in range(number)]
        return found

    role = {"node-role.kubernetes.io/control-plane": ""}
    nodes = [with_images(50), with_images(49), with_images(51), with_images(50, **role)]
    found, *others = kubernetes.judge_nodes(nodes, "v1.36.3")
    assert [each.state for each in others] == [State.OK] * 3
    assert found.state is State.WARNING
    assert found.message.startswith("reports 50 images, the maximum of its kubelet: Nublado takes others for absent")
    assert found.remedy == "docs/howto/labs.md#nodes-with-more-than-50-images"
    (lost,) = kubernetes.judge_nodes([with_images(50, "Unknown")], "v1.36.3")
    assert lost.state is State.CRITICAL
    assert lost.remedy.startswith(
        "`kubectl describe node a`; docs/howto/on-call.md#a-node-is-down; docs/howto/labs.md#"
    )


def test_a_lost_node_has_to_be_taken_out_of_a_load_balancer_without_monitors() -> None:
    label = "node.kubernetes.io/exclude-from-external-load-balancers"
    lost, back = node("a", "Unknown"), node("a")
    for monitored, remedy in ((True, "`kubectl describe node a`; "), (False, f"`kubectl label node a {label}=true`, ")):
        (found,) = kubernetes.judge_nodes([lost], "v1.36.3", monitored=monitored)
        assert found.remedy.startswith(remedy)
    lost["metadata"]["labels"] = back["metadata"]["labels"] = {label: "true"}
    (found,) = kubernetes.judge_nodes([lost], "v1.36.3", monitored=False)
    assert label not in found.remedy
    (found,) = kubernetes.judge_nodes([back], "v1.36.3", monitored=False)
    assert (found.state, found.message) == (State.WARNING, "is excluded from load balancers")
    assert found.remedy.startswith(f"`kubectl label node a {label}-`")
    back["metadata"]["labels"]["node-role.kubernetes.io/control-plane"] = ""
    (found,) = kubernetes.judge_nodes([back], "v1.36.3", monitored=False)
    assert found.state is State.OK


def test_the_expiry_in_a_kubeconfig_is_the_earliest() -> None:
    now = datetime.now(UTC)
    soon, late = (issue("x", now, now + timedelta(days=days))[0].encode() for days in (10, 100))
    document = {
        "users": [{"user": {"client-certificate-data": base64.b64encode(soon).decode()}}],
        "clusters": [{"cluster": {"certificate-authority-data": base64.b64encode(late).decode()}}],
    }
    (found,) = kubernetes.program_kubeconfig(yaml.safe_dump(document))
    assert (found.subject, found.state) == ("kubeconfig", State.WARNING)
    with pytest.raises(KubernetesError, match="no certificates"):
        list(kubernetes.program_kubeconfig("users: [{user: {token: planted}}]"))


def test_a_healthy_application_has_its_revision() -> None:
    found = checked(application("tap"), nodes=[node("a")], **{"/api/v1/pods": [pod("tap-1")]})
    assert roots(found) == {}
    assert found["application tap"].message == "Synced, Healthy, 01234567"


def test_a_lost_node_explains_its_pods_and_their_applications() -> None:
    lost = [pod(f"{name}-1", name, on="b", ready="False") for name in ("tap", "portal")]
    apps = [application("tap", "Progressing"), application("portal", "Degraded"), application("mobu")]
    found = checked(*apps, nodes=[node("a"), node("b", "Unknown")], **{"/api/v1/pods": [*lost, pod("m", "mobu")]})
    assert roots(found) == {"node b": State.CRITICAL}
    explained = {each.subject for each in found.values() if each.explained_by == "node b"}
    assert explained == {"pod tap/tap-1", "pod portal/portal-1", "application tap", "application portal"}


def test_a_lost_node_does_not_explain_a_crash_elsewhere() -> None:
    crashing = pod("tap-2", ready="False", **waiting("CrashLoopBackOff", "back-off 5m0s"))
    found = checked(
        application("tap", "Degraded"),
        nodes=[node("a"), node("b", "Unknown")],
        **{"/api/v1/pods": [pod("tap-1", on="b", ready="False"), crashing]},
    )
    assert roots(found) == {"node b": State.CRITICAL, "application tap": State.CRITICAL}
    assert found["pod tap/tap-1"].explained_by == "node b"
    assert found["pod tap/tap-2"].explained_by == "application tap"


def test_a_pod_that_cannot_start_is_a_failure_of_its_application() -> None:
    starting = pod("tap-1", ready="False", **waiting("CreateContainerConfigError", 'secret "absent" not found'))
    found = checked(application("tap", "Progressing"), nodes=[node("a")], **{"/api/v1/pods": [starting]})
    assert roots(found) == {"application tap": State.CRITICAL}
    message = found["application tap"].message
    assert message.splitlines()[0] == "Synced, Progressing, 01234567"
    assert 'CreateContainerConfigError: secret "absent" not found, container main' in message


def test_a_sealed_vault_explains_a_pod_without_its_secret() -> None:
    starting = pod("tap-1", ready="False", **waiting("CreateContainerConfigError", 'secret "tap" not found'))
    found = checked(application("tap", "Progressing"), nodes=[node("a")], **{"/api/v1/pods": [starting]})
    sealed = explain([critical("Vault", "is sealed"), *found.values()])
    assert [each.subject for each in sealed if each.is_root] == ["Vault"]


def test_the_nfs_server_explains_a_pod_that_cannot_mount() -> None:
    starting = pod("tap-1", ready="False", **waiting("ContainerCreating"))
    failed = event(("Pod", "tap-1"), "FailedMount", "mount.nfs: Connection timed out for 10.20.0.10:/data")
    found = checked(
        application("tap", "Progressing"),
        nodes=[node("a")],
        **{"/api/v1/pods": [starting], "/api/v1/namespaces/tap/events": [failed]},
    )
    assert found["pod tap/tap-1"].state is State.CRITICAL
    down = explain([critical("server rsp-test-nfs", "SHUTOFF"), *found.values()])
    assert [each.subject for each in down if each.is_root] == ["server rsp-test-nfs"]


@pytest.mark.parametrize(
    ("finished", "state"), [("2026-01-01T10:00:00Z", State.WARNING), ("2026-01-01T09:00:00Z", State.OK)]
)
def test_a_recent_restart_is_a_warning_with_its_reason(finished: str, state: State) -> None:
    ended = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": finished}}
    restarted = pod("tap-1", restartCount=3, lastState=ended)
    found = checked(application("tap"), nodes=[node("a")], **{"/api/v1/pods": [restarted]})["application tap"]
    assert found.state is state
    assert ("restarted 3 times, last after exit code 137, OOMKilled" in found.message) == (state is State.WARNING)


def test_a_failure_of_a_users_pod_is_a_warning() -> None:
    crashing = pod("lab", "nublado-alice", ready="False", **waiting("CrashLoopBackOff"))
    found = checked(application("tap"), nodes=[node("a")], **{"/api/v1/pods": [crashing]})
    assert roots(found) == {"pod nublado-alice/lab": State.WARNING}


def test_an_application_that_cannot_be_synced_is_no_consequence_of_its_pods() -> None:
    errors = [{"type": "ComparisonError", "message": "repository not accessible"}]
    found = checked(
        application("tap", sync="Unknown", conditions=errors),
        nodes=[node("b", "Unknown")],
        **{"/api/v1/pods": [pod("tap-1", on="b", ready="False")]},
    )
    assert roots(found) == {"node b": State.CRITICAL, "application tap": State.CRITICAL}
    assert "ComparisonError: repository not accessible" in found["application tap"].message


def test_an_out_of_sync_application_is_a_warning() -> None:
    found = checked(application("tap", sync="OutOfSync"), nodes=[node("a")])
    assert roots(found) == {"application tap": State.WARNING}


def test_a_service_without_an_address_is_explained_by_the_load_balancer() -> None:
    service = {"kind": "Service", "version": "v1", "namespace": "nginx", "name": "controller", "status": "Synced"}
    found = checked(
        application("nginx", "Progressing", resources=[service]),
        nodes=[node("a")],
        **{
            "/api/v1": {"resources": [{"name": "services", "kind": "Service", "namespaced": True}]},
            "/api/v1/namespaces/nginx/services/controller": {
                "kind": "Service",
                "metadata": {"name": "controller"},
                "spec": {"type": "LoadBalancer"},
            },
        },
    )
    assert found["application nginx"].because_of == (load_balancer.INGRESS,)


def test_a_cluster_without_applications_is_critical() -> None:
    assert roots(checked(nodes=[node("a")])) == {"applications": State.CRITICAL}


def claim(name: str, phase: str) -> dict[str, Any]:
    return {"metadata": {"namespace": "tap", "name": name}, "status": {"phase": phase}}


def test_a_pending_claim_is_critical_once_a_pod_uses_it() -> None:
    using = pod("tap-1")
    using["spec"]["volumes"] = [{"name": "v", "persistentVolumeClaim": {"claimName": "used"}}]
    answers = {
        "/api/v1/persistentvolumeclaims": [
            claim("used", "Pending"),
            claim("unused", "Pending"),
            claim("bound", "Bound"),
        ],
        "/api/v1/pods": [using],
        "/api/v1/namespaces/tap/events": [
            event(("PersistentVolumeClaim", "used"), "ProvisioningFailed", "VolumeLimitExceeded")
        ],
    }
    (found,) = volumes.claims(RecordedCluster(answers))
    assert (found.subject, found.state) == ("claim tap/used", State.CRITICAL)
    assert found.message == "is Pending\nProvisioningFailed: VolumeLimitExceeded"
    (bound,) = volumes.claims(RecordedCluster({"/api/v1/persistentvolumeclaims": [claim("bound", "Bound")]}))
    assert (bound.state, bound.message) == (State.OK, "1 bound")


def test_the_space_of_claims_and_exports_comes_from_the_kubelets() -> None:
    mounting = pod("lab", "nublado-alice")
    mounting["spec"]["volumes"] = [{"name": "home", "nfs": {"server": "10.20.0.10", "path": "/jhome"}}]
    ref = {"podRef": {"namespace": "nublado-alice", "name": "lab"}}
    size = {"capacityBytes": 100 * 2**30}
    summary = {
        "pods": [
            {
                **ref,
                "volume": [
                    {"name": "home", **size, "availableBytes": 2 * 2**30},
                    {"name": "v", "pvcRef": {"namespace": "tap", "name": "db"}, **size, "availableBytes": 9 * 2**30},
                    {"name": "w", "pvcRef": {"namespace": "tap", "name": "ok"}, **size, "availableBytes": 60 * 2**30},
                    {"name": "token", **size, "availableBytes": 0},
                ],
            }
        ]
    }
    answers = {
        "/api/v1/nodes": [node("a"), node("b")],
        "/api/v1/nodes/a/proxy/stats/summary": summary,
        "/api/v1/pods": [mounting],
    }
    found = {each.subject: each for each in volumes.space(RecordedCluster(answers))}
    assert {about: each.state for about, each in found.items()} == {
        "free space of claim tap/db": State.WARNING,
        "free space of export /jhome": State.CRITICAL,
    }
    assert found["free space of export /jhome"].message == "98% of 100.0 GiB used"


def test_unknown_space_is_not_a_problem() -> None:
    (found,) = volumes.space(RecordedCluster({"/api/v1/nodes": [node("a")]}))
    assert (found.state, found.message) == (State.OK, "not known: no kubelet reports volumes")
