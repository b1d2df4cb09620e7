"""Settings of ingress-nginx that its load balancer requires."""

from config.ingress import Mode


def service_annotations(mode: Mode, *, health_monitors: bool) -> dict[str, str]:
    """Return the annotations of the Service of ingress-nginx for the cloud controller.

    The keys are documented in cloud-provider-openstack, docs/openstack-cloud-controller-manager,
    "Exposing applications using services of LoadBalancer type".
    """
    if mode == "octavia":
        # The cloud controller writes the ID of its load balancer here, and would look for that one if it became
        # responsible again.
        return {"loadbalancer.openstack.org/load-balancer-id": ""}
    return {
        "loadbalancer.openstack.org/keep-floatingip": "true",
        "loadbalancer.openstack.org/enable-health-monitor": str(health_monitors).lower(),
    }


def controller_kind(*, health_monitors: bool) -> str:
    """Return DaemonSet if the load balancer does not probe the nodes, else Deployment.

    Phalanx sets ``externalTrafficPolicy: Local``: a node without a controller pod drops requests, and without health
    monitors the load balancer continues to send them there.
    """
    return "Deployment" if health_monitors else "DaemonSet"
