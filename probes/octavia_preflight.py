"""Check that Octavia has the configured provider."""

from collections.abc import Iterator
from typing import Any

from probes.openstack_names import absent
from probes.problem import Problem


def problems(provider: str, api: Any) -> Iterator[Problem]:
    """Yield a fatal problem if Octavia does not have the provider.

    For its API, Cluster API would use the default provider instead (``pkg/cloud/services/loadbalancer/loadbalancer.go``
    of cluster-api-provider-openstack). Only later Octavia would refuse the platform's load balancer, and the provider
    of a cluster cannot be changed.

    Args:
        provider: Name of the provider.
        api: Octavia, as by openstacksdk.
    """
    known = {each.name for each in api.providers()}
    if provider not in known:
        yield absent("rsp:ingress.loadBalancerProvider", provider, known, "Octavia provider")
