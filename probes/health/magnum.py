"""Health of the cluster and its node groups, as Magnum reports it."""

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any, Final

from probes import api_address, magnum_api
from probes.explain_openstack import UPDATE_FAILED, explain_cluster, retry_update
from probes.health.finding import Finding, State, critical, ok, warning
from probes.magnum_api import is_complete
from probes.namespace_causes import one_line

if TYPE_CHECKING:
    from openstack.connection import Connection

CLUSTER: Final = "cluster"
API_ADDRESS: Final = "address of the Kubernetes API"

_RUNBOOK: Final = "docs/runbooks/cluster-loss.md"


def cluster(connection: "Connection", name: str) -> Iterator[Finding]:
    """Check the cluster and its node groups.

    Args:
        connection: Connection to the project.
        name: Name of the cluster.
    """
    found = magnum_api.cluster(connection, name)
    if found is None:
        yield critical(CLUSTER, f"Magnum has no cluster {name}", _RUNBOOK)
        return
    groups = magnum_api.node_groups(connection, found["uuid"])
    yield judge_cluster(found, [] if is_complete(found) else [*explain_cluster(connection, name)], groups)
    yield from (_judge_group(name, each) for each in groups)


def address(connection: "Connection", name: str, network: IPv4Network, *, public: bool) -> Iterator[Finding]:
    """Check that the Kubernetes API is public only if it is configured.

    Args:
        connection: Connection to the project.
        name: Name of the cluster.
        network: Network of the nodes.
        public: Whether it should be.
    """
    found = magnum_api.cluster(connection, name) or {}
    url = found.get("api_address")
    is_public = api_address.is_public(connection, url, network)
    if is_public is public:
        yield ok(API_ADDRESS, f"{url}, {'public' if public else 'private'}")
    elif is_public:
        yield critical(
            API_ADDRESS,
            f"{url} is a floating IP although publicApi is false, which magnum-capi-helm before 1.3.0 ignores",
            "have the cloud's administrators upgrade it, and build another cluster: docs/runbooks/blue-green.md",
        )
    elif public and is_public is not None:
        yield warning(
            API_ADDRESS,
            f"{url} is not a floating IP although publicApi is true",
            "build another cluster: docs/runbooks/blue-green.md",
        )


def judge_cluster(found: Mapping[str, Any], reasons: list[str], groups: Sequence[Mapping[str, Any]] = ()) -> Finding:
    """Return the finding about a cluster.

    Args:
        found: The cluster in Magnum's API.
        reasons: Why it is not complete.
        groups: Its node groups in Magnum's API.
    """
    status = found["status"]
    show = f"`openstack coe cluster show {found['name']}`"
    if not is_complete(found):
        # The reasons of node groups are findings about these.
        message = "\n".join(each for each in reasons if not each.startswith("node group")) or status
        if status.endswith("_IN_PROGRESS"):
            return warning(CLUSTER, message, f"wait; {show}")
        retry = f"; {retry_update(found['name'], groups)}" if status == UPDATE_FAILED else ""
        return critical(CLUSTER, message, f"{show}{retry}; if it cannot be repaired: {_RUNBOOK}")
    health, reason = found.get("health_status"), found.get("health_status_reason")
    if health == "UNHEALTHY":
        parts = [f"{key}: {value}" for key, value in (reason or {}).items() if str(value).lower() not in {"true", "ok"}]
        return warning(CLUSTER, one_line(f"{status}, but {health}", ", ".join(parts)), show)
    return ok(CLUSTER, f"{status}, {found.get('coe_version') or 'unknown release'}")


def _judge_group(cluster_name: str, group: Mapping[str, Any]) -> Finding:
    about, status = f"node group {group['name']}", group["status"]
    if is_complete(group):
        return ok(about, f"{status}, {group['node_count']} node{'s' if group['node_count'] != 1 else ''}")
    retry = f"; {retry_update(cluster_name, [group])}" if status == UPDATE_FAILED else ""
    return Finding(
        subject=about,
        state=State.WARNING if status.endswith("_IN_PROGRESS") else State.CRITICAL,
        message=one_line(status, group.get("status_reason")),
        remedy=f"`openstack coe nodegroup show {cluster_name} {group['name']}`{retry}",
        because_of=(CLUSTER,),
    )
