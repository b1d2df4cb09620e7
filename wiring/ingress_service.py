"""Settings of ingress-nginx that its load balancer requires."""

from typing import Final

from config.ingress import Mode

INGRESS_NGINX: Final = "ingress-nginx"
"""Application that receives the platform's requests."""


def service_annotations(mode: Mode, *, health_monitors: bool, active: bool = True) -> dict[str, str]:
    """Return the annotations of the Service of ingress-nginx for the cloud controller.

    The keys are documented in cloud-provider-openstack, docs/openstack-cloud-controller-manager,
    "Exposing applications using services of LoadBalancer type".

    Args:
        mode: Owner of the load balancer.
        health_monitors: Whether Octavia probes the nodes.
        active: Whether the cluster serves the platform. If not, its load balancer has no floating IP, and the cloud
            controller releases the one that it had (``ensureFloatingIP``).
    """
    if mode == "octavia":
        # The cloud controller writes the ID of its load balancer here, and would look for that one if it became
        # responsible again.
        return {"loadbalancer.openstack.org/load-balancer-id": ""}
    annotations = {
        "loadbalancer.openstack.org/keep-floatingip": "true",
        "loadbalancer.openstack.org/enable-health-monitor": str(health_monitors).lower(),
    }
    return (
        annotations
        if active
        else {**annotations, "service.beta.kubernetes.io/openstack-internal-load-balancer": "true"}
    )


def controller_kind(*, health_monitors: bool) -> str:
    """Return DaemonSet if the load balancer does not probe the nodes, else Deployment.

    Phalanx sets ``externalTrafficPolicy: Local``: a node without a controller pod drops requests, and without health
    monitors the load balancer continues to send them there.
    """
    return "Deployment" if health_monitors else "DaemonSet"
