"""Stand-in for the part of ingress-nginx that Argo CD waits for: the address in the status of each Ingress.

The real controller publishes the address of its own Service (`--publish-service`) in the Ingresses of its class;
without one Argo CD calls an Ingress Progressing for ever. Nothing is routed here.
"""

from typing import Final

from sandbox.cluster.kube import Kube, Object

CONTROLLER: Final = "k8s.io/ingress-nginx"
SERVICE_LABELS: Final = {"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"}
CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"

_GROUP: Final = "/apis/networking.k8s.io/v1"


def reconcile(kube: Kube) -> None:
    """Copy the controller's address to every Ingress of its classes that shows another one."""
    classes = {
        each["metadata"]["name"]
        for each in kube.list(f"{_GROUP}/ingressclasses")
        if each["spec"].get("controller") == CONTROLLER
    }
    ingresses = [each for each in kube.list(f"{_GROUP}/ingresses") if class_of(each) in classes]
    if not ingresses:
        return
    selector = ",".join(f"{label}={value}" for label, value in SERVICE_LABELS.items())
    addresses = published(kube.list("/api/v1/services", labelSelector=selector))
    for ingress in ingresses:
        if ingress.get("status", {}).get("loadBalancer", {}).get("ingress", []) != addresses:
            metadata = ingress["metadata"]
            path = f"{_GROUP}/namespaces/{metadata['namespace']}/ingresses/{metadata['name']}/status"
            kube.merge(path, {"status": {"loadBalancer": {"ingress": addresses}}})


def class_of(ingress: Object) -> str | None:
    """The class of an Ingress, by its spec or by the older annotation."""
    annotations = ingress["metadata"].get("annotations", {})
    name: str | None = ingress["spec"].get("ingressClassName") or annotations.get(CLASS_ANNOTATION)
    return name


def published(services: list[Object]) -> list[Object]:
    """The addresses that the controller's Services have got, as an Ingress shows them."""
    entries = [
        entry
        for service in services
        if service["spec"].get("type") == "LoadBalancer"
        for entry in service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
    ]
    return [{key: entry[key] for key in ("ip", "hostname") if key in entry} for entry in entries]
