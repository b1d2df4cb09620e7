"""What the alerts and the dashboard of a stack require of its cluster."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from phalanx.errors import PhalanxError
from probes import cluster_access
from probes.kubernetes_api import KubernetesApi
from probes.openstack_connection import first_line, openstack_errors
from probes.problem import Problem

if TYPE_CHECKING:
    from openstack.connection import Connection

KINDS: Final = ("PrometheusRule", "PodMonitor")
"""Kinds of the Prometheus operator that the program creates."""

_API: Final = "monitoring.coreos.com/v1"
_WHERE: Final = "rsp:monitoring"
_INSTALL: Final = "install a Prometheus operator, such as the chart kube-prometheus-stack, or remove rsp:monitoring"


def problems(connection: "Connection", cluster: str, exists: bool, namespace: str) -> Iterator[Problem]:
    """Check that the cluster has the Prometheus operator's kinds, and the namespace.

    Args:
        connection: Connection to the project.
        cluster: Name of the cluster in Magnum.
        exists: Whether Magnum has the cluster.
        namespace: Namespace for what the program creates.

    """
    if not exists:
        yield Problem(
            where=_WHERE,
            what=f"the cluster `{cluster}` does not exist yet, so it cannot have a Prometheus operator: run "
            "`pulumi up` without this section first, then install the operator",
        )
        return
    try:
        client = KubernetesApi(cluster_access.kubeconfig(connection, cluster))
        yield from missing(client, namespace)
    except openstack_errors(PhalanxError) as error:
        # A preview may have credentials for which Magnum signs no certificate.
        yield Problem(where=_WHERE, what=f"cannot be checked: {first_line(error)}", fatal=False)


def missing(client: KubernetesApi, namespace: str) -> Iterator[Problem]:
    """Yield a problem for what a cluster lacks.

    Args:
        client: Client for the cluster.
        namespace: Namespace for what the program creates.

    Raises:
        KubernetesError: The API cannot be reached, or refuses the request.
    """
    absent = [kind for kind in KINDS if client.collection(_API, kind, namespace) is None]
    if absent:
        yield Problem(where=_WHERE, what=f"the cluster does not know {' and '.join(absent)} ({_API}): {_INSTALL}")
    if client.get(f"/api/v1/namespaces/{namespace}") is None:
        yield Problem(
            where=f"{_WHERE}.namespace",
            what=f"the cluster has no namespace `{namespace}`: set that of Prometheus, or create it",
        )
