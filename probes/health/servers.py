"""Health of the Nova servers of the stack: the cluster's nodes, and the NFS server with its exports and volumes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from config import console
from config.console import Line
from config.names import cloud_name
from config.nfs import Nfs
from config.stack_config import StackConfig
from probes.health.finding import Finding, critical, ok, unknown, warning
from probes.namespace_causes import one_line
from probes.openstack_connection import first_line, openstack_errors

if TYPE_CHECKING:
    from openstack.connection import Connection

_SHARED_PREFIX: Final = 20
"""Number of characters of a cluster's name in the names of all its servers (Magnum's Heat driver, node groups)."""

_PASSING: Final = frozenset({"BUILD", "REBOOT", "HARD_REBOOT", "RESIZE", "VERIFY_RESIZE", "MIGRATING", "REBUILD"})
"""Statuses of a server that end by themselves."""

_NFS_RUNBOOK: Final = "docs/runbooks/nfs-server.md"

EXPORTS: Final = "NFS exports"
"""Subject of the finding about what the NFS server serves."""


def subject(name: str) -> str:
    """Return the subject of the findings about a server."""
    return f"server {name}"


def nodes(connection: "Connection", config: StackConfig, stack: str) -> Iterator[Finding]:
    """Check the servers of the clusters' nodes.

    Args:
        connection: Connection to the project.
        config: The stack configuration.
        stack: Name of the stack.
    """
    prefixes = tuple(cloud_name(stack, name)[:_SHARED_PREFIX] for name in config.clusters)
    found = [each for each in connection.compute.servers() if each.name.startswith(prefixes)]
    # With a long name of the stack, nothing of the cluster's name is left in the prefix.
    yield from judge_nodes([each for each in found if each.name != cloud_name(stack, "nfs")])


def judge_nodes(servers: Iterable[Any]) -> Iterator[Finding]:
    """Yield the findings about servers of nodes."""
    for each in servers:
        remedy = f"`openstack server show {each.name}`; {_start(each)}; see docs/howto/on-call.md#a-node-is-down"
        yield _judge(each, remedy)


def nfs(connection: "Connection", settings: Nfs, stack: str) -> Iterator[Finding]:
    """Check the NFS server and its volumes.

    Args:
        connection: Connection to the project.
        settings: Configuration of the server.
        stack: Name of the stack.
    """
    name = cloud_name(stack, "nfs")
    server = next((each for each in connection.compute.servers(name=f"^{name}$") if each.name == name), None)
    volumes = {each.name: each for each in connection.block_storage.volumes()}
    wanted = {export: volumes.get(cloud_name(stack, f"nfs-{export}")) for export in settings.volumes}
    yield from judge_nfs(name, server, wanted)
    if server is not None and server.status == "ACTIVE":
        yield _exports(connection, server)


def _exports(connection: "Connection", server: Any) -> Finding:
    """Judge whether NFS was installed and started, by the console, which a member of the project may read."""
    try:
        output = connection.compute.get_server_console_output(server.id).get("output") or ""
    except openstack_errors() as error:
        # Not all hypervisors keep it, and readers may not see it.
        return unknown(EXPORTS, f"the console of {server.name} cannot be read: {first_line(error)}", _try(server.name))
    return judge_exports(server.name, output)


def judge_exports(name: str, output: str) -> Finding:
    """Return the finding about the exports of the NFS server.

    Args:
        name: Name of the server.
        output: Output of its console.
    """
    log = f"`openstack console log show {name}`"
    match console.last(output):
        case Line.SERVING:
            return ok(EXPORTS, f"{name} {Line.SERVING}")
        case Line.INSTALLING as line:
            return warning(EXPORTS, f"{name} {line}", f"wait some minutes, then see {log}")
        case Line.INSTALLED as line:
            return critical(EXPORTS, f"{name} {line}", f"`openstack server volume list {name}`, {log}: {_NFS_RUNBOOK}")
        case Line.FAILED as line:
            return critical(EXPORTS, f"{name} {line}", f"{log} has the reason: {_NFS_RUNBOOK}#check-the-server")
        case Line.STOPPED as line:
            return critical(EXPORTS, f"{name} {line}", f"{log}, `openstack server reboot {name}`; see {_NFS_RUNBOOK}")
        case None:
            return unknown(EXPORTS, f"the console of {name} does not say whether it serves them", _try(name))


def _try(name: str) -> str:
    return f"connect from the cluster: {_NFS_RUNBOOK}#check-the-server; `openstack console log show {name}`"


def judge_nfs(name: str, server: Any | None, volumes: Mapping[str, Any | None]) -> Iterator[Finding]:
    """Yield the findings about the NFS server.

    Args:
        name: Name of the server.
        server: The server; None if it does not exist.
        volumes: Its volumes by export; None if one does not exist.
    """
    if server is None:
        yield critical(subject(name), "does not exist", _NFS_RUNBOOK)
    else:
        yield _judge(server, f"{_start(server)}; if it does not start, replace it: {_NFS_RUNBOOK}")
    for export, volume in volumes.items():
        about = f"volume of export /{export}"
        if volume is None:
            yield critical(about, "does not exist", "docs/runbooks/volumes.md")
            continue
        attached = [each["server_id"] for each in volume.attachments]
        if server is not None and server.id not in attached:
            yield critical(
                about,
                f"{volume.name} is {volume.status} and not attached to the NFS server",
                f"`openstack server add volume {name} {volume.name}`, or replace the server: {_NFS_RUNBOOK}",
            )
        elif volume.status.startswith("error"):
            yield critical(about, f"{volume.name} has status {volume.status}", "docs/runbooks/volumes.md")
        else:
            yield ok(about, f"{volume.size} GiB, {volume.status}")


def _judge(server: Any, remedy: str) -> Finding:
    about = subject(server.name)
    if server.status == "ACTIVE":
        return ok(about, "ACTIVE")
    message = one_line(server.status, (server.fault or {}).get("message"))
    judge = warning if server.status in _PASSING else critical
    return judge(about, message, remedy)


def _start(server: Any) -> str:
    verb = "start" if server.status == "SHUTOFF" else "reboot --hard"
    return f"`openstack server {verb} {server.name}`"
