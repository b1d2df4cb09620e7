"""Simulates how ingress-nginx publishes its address in the status of Ingresses.

The real controller publishes the address of its Service (`--publish-service`), or the address that it is given
(`--publish-status-address`), in the Ingresses of its class. Without an address Argo CD considers an Ingress
Progressing. Traffic is not routed.
"""

from typing import Final

from sandbox.cluster.kube import Kube, Object

CONTROLLER: Final = "k8s.io/ingress-nginx"
SERVICE_LABELS: Final = {"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"}
"""Labels of the controller's Service and of its Pods."""
CLASS_ANNOTATION: Final = "kubernetes.io/ingress.class"
ADDRESS_OPTION: Final = "--publish-status-address="

_GROUP: Final = "/apis/networking.k8s.io/v1"


def reconcile(kube: Kube) -> None:
    """Copy the controller's address to all Ingresses of its classes."""
    classes = {
        each["metadata"]["name"]
        for each in kube.list(f"{_GROUP}/ingressclasses")
        if each["spec"].get("controller") == CONTROLLER
    }
    ingresses = [each for each in kube.list(f"{_GROUP}/ingresses") if class_of(each) in classes]
    if not ingresses:
        return
    selector = ",".join(f"{label}={value}" for label, value in SERVICE_LABELS.items())
    addresses = given(kube.list("/api/v1/pods", labelSelector=selector))
    addresses = addresses or published(kube.list("/api/v1/services", labelSelector=selector))
    for ingress in ingresses:
        if ingress.get("status", {}).get("loadBalancer", {}).get("ingress", []) != addresses:
            metadata = ingress["metadata"]
            path = f"{_GROUP}/namespaces/{metadata['namespace']}/ingresses/{metadata['name']}/status"
            kube.merge(path, {"status": {"loadBalancer": {"ingress": addresses}}})


def class_of(ingress: Object) -> str | None:
    """Return the class of an Ingress, from its spec or the older annotation."""
    annotations = ingress["metadata"].get("annotations", {})
    name: str | None = ingress["spec"].get("ingressClassName") or annotations.get(CLASS_ANNOTATION)
    return name


def given(pods: list[Object]) -> list[Object]:
    """Return the addresses in the arguments of the controller's running Pods, in the form of an Ingress's status."""
    arguments = {
        argument
        for pod in pods
        if "deletionTimestamp" not in pod["metadata"]
        for container in pod["spec"]["containers"]
        for argument in container.get("args", [])
    }
    given = [each.removeprefix(ADDRESS_OPTION) for each in sorted(arguments) if each.startswith(ADDRESS_OPTION)]
    return [{"ip": address} for each in given for address in each.split(",")]


def published(services: list[Object]) -> list[Object]:
    """Return the addresses of the controller's Services in the form of an Ingress's status."""
    entries = [
        entry
        for service in services
        if service["spec"].get("type") == "LoadBalancer"
        for entry in service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
    ]
    return [{key: entry[key] for key in ("ip", "hostname") if key in entry} for entry in entries]
