"""Check that the user may use Octavia, and that Octavia has the configured provider."""

from collections.abc import Iterator
from typing import Any, Final

from probes.openstack_names import absent
from probes.problem import Problem

_ROLES: Final = (
    "refuses the user (403): ask the cloud's administrators for the role load-balancer_member in the project, and "
    "load-balancer_observer for a user who only makes previews (docs/howto/new-environment.md#the-openstack-user)"
)
"""Octavia's default policies refuse a user with the role member alone (``octavia/policies/advanced_rbac.py``)."""


def problems(provider: str, api: Any) -> Iterator[Problem]:
    """Yield a fatal problem if Octavia refuses the user, or does not have the provider.

    For its API, Cluster API would use the default provider instead (``pkg/cloud/services/loadbalancer/loadbalancer.go``
    of cluster-api-provider-openstack). Only later Octavia would refuse the platform's load balancer, and the provider
    of a cluster cannot be changed.

    Args:
        provider: Name of the provider.
        api: Octavia, as by openstacksdk.
    """
    from openstack.exceptions import ForbiddenException

    try:
        known = {each.name for each in api.providers()}
    except ForbiddenException:
        yield Problem(where="Octavia", what=_ROLES)
        return
    if provider not in known:
        yield absent("rsp:ingress.loadBalancerProvider", provider, known, "Octavia provider")
