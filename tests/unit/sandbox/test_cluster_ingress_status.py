"""Ingresses of ingress-nginx get the address of the controller's Service."""

from typing import Any

from sandbox.cluster import ingress_status
from sandbox.cluster.kube import Object
from tests.unit.sandbox.fake_kube import FakeKube

PATH = "/apis/networking.k8s.io/v1/namespaces/squareone/ingresses/squareone"


def cluster(address: str | None, ingress: Object) -> FakeKube:
    kube = FakeKube()
    status: dict[str, Any] = {"loadBalancer": {"ingress": [{"ip": address, "ipMode": "VIP"}]} if address else {}}
    kube.add(
        "/class",
        {"kind": "IngressClass", "metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}},
    )
    kube.add(
        "/service",
        {
            "kind": "Service",
            "metadata": {"name": "ingress-nginx-controller", "labels": ingress_status.SERVICE_LABELS},
            "spec": {"type": "LoadBalancer"},
            "status": status,
        },
    )
    kube.add(PATH, ingress)
    return kube


def ingress(spec: Object, **annotations: str) -> Object:
    metadata = {"name": "squareone", "namespace": "squareone", "annotations": annotations}
    return {"kind": "Ingress", "metadata": metadata, "spec": spec}


def shown(kube: FakeKube) -> Any:
    return kube.objects[PATH].get("status", {}).get("loadBalancer", {}).get("ingress")


def test_address_is_copied() -> None:
    kube = cluster("203.0.113.9", ingress({"ingressClassName": "nginx"}))
    ingress_status.reconcile(kube)
    assert shown(kube) == [{"ip": "203.0.113.9"}]


def test_class_may_be_an_annotation() -> None:
    kube = cluster("203.0.113.9", ingress({}, **{"kubernetes.io/ingress.class": "nginx"}))
    ingress_status.reconcile(kube)
    assert shown(kube) == [{"ip": "203.0.113.9"}]


def test_ingress_of_another_class_is_left_alone() -> None:
    kube = cluster("203.0.113.9", ingress({"ingressClassName": "traefik"}))
    ingress_status.reconcile(kube)
    assert shown(kube) is None


def test_status_is_empty_before_the_service_has_an_address() -> None:
    kube = cluster(None, ingress({"ingressClassName": "nginx"}))
    ingress_status.reconcile(kube)
    assert kube.writes == []


def test_unchanged_status_is_not_written() -> None:
    kube = cluster("203.0.113.9", ingress({"ingressClassName": "nginx"}))
    ingress_status.reconcile(kube)
    kube.writes.clear()
    ingress_status.reconcile(kube)
    assert kube.writes == []


def test_address_may_be_an_argument_of_the_controller() -> None:
    kube = cluster(None, ingress({"ingressClassName": "nginx"}))
    labels = ingress_status.SERVICE_LABELS
    for name, address in (("new", "203.0.113.16"), ("old", "203.0.113.8")):
        container = {"args": ["--configmap=a", f"--publish-status-address={address}"]}
        pod: Object = {
            "kind": "Pod",
            "metadata": {"name": name, "labels": labels},
            "spec": {"containers": [container]},
        }
        if name == "old":
            pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        kube.add(f"/{name}", pod)
    ingress_status.reconcile(kube)
    assert shown(kube) == [{"ip": "203.0.113.16"}]
