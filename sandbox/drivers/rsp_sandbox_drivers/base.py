"""Base of both Magnum drivers: nodes are Nova servers that never boot.

As with Magnum's Heat driver, the conductor's calls only record what is requested, and the periodic task (every ten
seconds) creates, changes and deletes resources in `update_cluster_status`. Therefore work continues after a restart of
the conductor.
"""

from typing import Any

from keystoneauth1 import exceptions as keystone_errors
from magnum.common import clients, exception
from magnum.common import context as magnum_context
from magnum.conductor import utils as conductor_utils
from magnum.conductor.handlers.common import cert_manager, trust_manager
from magnum.drivers.common import driver, k8s_monitor
from magnum.objects.fields import ClusterStatus
from neutronclient.common import exceptions as neutron_errors
from oslo_log import log as logging
from oslo_utils import uuidutils

from rsp_sandbox_drivers import load_balancers
from rsp_sandbox_drivers.directory import Directory
from rsp_sandbox_drivers.stack import Stack, StackError

LOG = logging.getLogger(__name__)

SERVICE_AWAY = (keystone_errors.ConnectFailure, keystone_errors.HttpServerError, neutron_errors.ConnectionFailed)
"""Errors of a service that is restarting; the next pass tries again."""
FAILURE_LABEL = "sandbox_fail"
"""Label that makes a cluster or node group fail, for tests; its value is `create` or `update`."""


class SandboxDriver(driver.Driver):
    """Kubernetes clusters of the sandbox; see `magnum.drivers.common.driver` for the methods."""

    stack_class: type[Stack]
    """Servers, ports and security groups of this driver's clusters."""

    _busy: set[str] = set()  # noqa: RUF012 -- shared by all instances, as Magnum creates one for each call

    def start_kubernetes(self, context: Any, cluster: Any, template: Any, stack: Stack) -> None:
        """Start or change the control plane, and set the cluster's address and release; all servers are ACTIVE.

        Raises:
            Exception: It cannot be started; the message becomes the status reason.
        """
        raise NotImplementedError

    def delete_api(self, context: Any, cluster: Any) -> None:
        """Delete what `start_kubernetes` has created in OpenStack."""

    def update_cluster(self, context: Any, cluster: Any, scale_manager: Any = None, rollback: bool = False) -> None:  # noqa: ARG002
        """Record that the number of default workers has changed."""
        set_status(cluster.default_ng_worker, ClusterStatus.UPDATE_IN_PROGRESS)

    def resize_cluster(  # noqa: PLR0913, PLR0917 -- Magnum's signature
        self,
        context: Any,
        cluster: Any,
        resize_manager: Any,
        node_count: int,
        nodes_to_remove: list[str],
        nodegroup: Any = None,
    ) -> None:
        """Do nothing: Magnum has set the number, and the periodic task creates or deletes nodes."""

    def delete_cluster(self, context: Any, cluster: Any) -> None:  # noqa: ARG002
        """Record that all node groups have to be deleted."""
        for group in cluster.nodegroups:
            set_status(group, ClusterStatus.DELETE_IN_PROGRESS)

    def create_nodegroup(self, context: Any, cluster: Any, nodegroup: Any) -> None:
        """Set the node group's stack id; Magnum saves it."""
        nodegroup.stack_id = uuidutils.generate_uuid()
        _reopen(context, cluster)

    def update_nodegroup(self, context: Any, cluster: Any, nodegroup: Any) -> None:
        """Save the node group: only its bounds change here, as Magnum resizes with `resize_cluster`."""
        nodegroup.save()
        _reopen(context, cluster)

    def delete_nodegroup(self, context: Any, cluster: Any, nodegroup: Any) -> None:
        """Save the node group: Magnum has set its status but not saved it."""
        nodegroup.save()
        _reopen(context, cluster)

    def get_monitor(self, context: Any, cluster: Any) -> Any:
        """Return Magnum's monitor, which reads the cluster's health from the Kubernetes API."""
        return k8s_monitor.K8sMonitor(context, cluster)

    def create_federation(self, context: Any, federation: Any) -> None:
        """Reject federations, which Magnum does not implement completely.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("federations are not supported")

    update_federation = delete_federation = create_federation

    def update_cluster_status(self, context: Any, cluster: Any, use_admin_ctx: bool = False) -> None:
        """Bring servers, control plane and nodes in line with Magnum's database, and set the status."""
        deleting = cluster.status == ClusterStatus.DELETE_IN_PROGRESS
        if (cluster.stack_id is None and not deleting) or cluster.uuid in self._busy:
            # Without a stack id the conductor is still creating it. A pass may take longer than Magnum's interval.
            return
        self._busy.add(cluster.uuid)
        try:
            stack_context = context if use_admin_ctx else magnum_context.make_cluster_context(cluster)
            if not deleting:
                self._settle(context, stack_context, cluster)
                return
            try:
                self._delete(context, stack_context, cluster)
            except exception.AuthorizationFailure:
                LOG.warning("Cluster %s: its trust does not exist any more, deleting it as administrator", cluster.uuid)
                self._delete(context, context, cluster)
        except Exception as error:
            if not _is_passing(error):
                raise
            LOG.warning("Cluster %s: a service does not respond, trying again: %s", cluster.uuid, error)
        finally:
            self._busy.discard(cluster.uuid)

    def _settle(self, context: Any, stack_context: Any, cluster: Any) -> None:
        """Do one pass for a cluster that is being created or changed."""
        template = conductor_utils.retrieve_cluster_template(context, cluster)
        busy = _busy_groups(list(cluster.nodegroups))
        leaving = [group for group in busy if group.status == ClusterStatus.DELETE_IN_PROGRESS]
        staying = [group for group in busy if group.status != ClusterStatus.DELETE_IN_PROGRESS]
        if any(group.stack_id is None and not group.is_default for group in staying):
            return  # `create_nodegroup` is about to set it, and the names of the servers depend on it
        try:
            stack = self.stack_class(stack_context, cluster, template)
            stack.delete_groups(leaving)
            if not stack.match(staying):
                return
            for group in staying:
                _fail_if_told(group)
            self.start_kubernetes(context, cluster, template, stack)
        except Exception as error:
            if _is_passing(error):
                raise
            LOG.exception("Cluster %s failed", cluster.uuid)
            for group in _unchanged(cluster, busy):
                set_status(group, _with_outcome(group.status, "FAILED"), str(error))
        else:
            for group in leaving:
                group.destroy()
            for group in _unchanged(cluster, staying):
                group.node_addresses = [stack.address(server) for server in stack.nodes(group)]
                set_status(group, _with_outcome(group.status, "COMPLETE"))
        _sum_up(context, cluster)

    def _delete(self, context: Any, stack_context: Any, cluster: Any) -> None:
        """Delete all resources of the cluster; Magnum deletes a cluster in DELETE_COMPLETE from its database."""
        try:
            # First the controllers that would create load balancers again, then the load balancers, then their members.
            Directory(cluster.uuid).remove()
            load_balancers.delete(stack_context, cluster)
            if cluster.stack_id:  # None if the driver has rejected the cluster
                self.delete_api(stack_context, cluster)
                template = conductor_utils.retrieve_cluster_template(context, cluster)
                self.stack_class(stack_context, cluster, template).delete()
        except exception.AuthorizationFailure:
            raise
        except Exception as error:
            if _is_passing(error):
                raise
            LOG.exception("Cluster %s cannot be deleted", cluster.uuid)
            cluster.status, cluster.status_reason = ClusterStatus.DELETE_FAILED, str(error)
            cluster.save()
            return
        trust_manager.delete_trustee_and_trust(clients.OpenStackClients(stack_context), context, cluster)
        cert_manager.delete_certificates_from_cluster(cluster, context=context)
        cert_manager.delete_client_files(cluster, context=context)
        cluster.status = ClusterStatus.DELETE_COMPLETE
        cluster.save()


def _is_passing(error: BaseException | None) -> bool:
    """Return whether an error, or one in its context, is caused by a service that does not respond."""
    return error is not None and (isinstance(error, SERVICE_AWAY) or _is_passing(error.__context__))


def set_status(group: Any, status: str, reason: str | None = None) -> None:
    """Set and save the status of a node group."""
    group.status, group.status_reason = status, reason
    group.save()


def _busy_groups(groups: list[Any]) -> list[Any]:
    """Return the node groups in progress; the two default ones share their stack and status, as with Heat."""
    busy = [group for group in groups if group.status is None or group.status.endswith("_IN_PROGRESS")]
    default = next((group for group in busy if group.is_default), None)
    if default:
        for sibling in [group for group in groups if group.is_default and group not in busy]:
            set_status(sibling, default.status)
            busy.append(sibling)
    return busy


def _unchanged(cluster: Any, groups: list[Any]) -> list[Any]:
    """Return the node groups for which no other request was made during this pass."""
    now = {group.uuid: (group.status, group.node_count) for group in cluster.nodegroups}
    return [group for group in groups if now.get(group.uuid) == (group.status, group.node_count)]


def _fail_if_told(group: Any) -> None:
    action = _action(group.status).lower()
    if (group.labels or {}).get(FAILURE_LABEL) == action:
        raise StackError(f"the label {FAILURE_LABEL}={action} requests a failure")


def _action(status: str | None) -> str:
    """Return the action of a status: CREATE for CREATE_IN_PROGRESS."""
    return (status or ClusterStatus.CREATE_IN_PROGRESS).partition("_")[0]


def _with_outcome(status: str | None, outcome: str) -> str:
    """Return the status for an action's outcome: CREATE_FAILED for CREATE_IN_PROGRESS and FAILED."""
    return getattr(ClusterStatus, f"{_action(status)}_{outcome}")


def _sum_up(context: Any, cluster: Any) -> None:
    """Set the cluster's status from those of its node groups, like Magnum's Heat driver."""
    groups = list(cluster.nodegroups)
    if any(group.status is None or group.status.endswith("_IN_PROGRESS") for group in groups):
        return
    if type(cluster).get_by_uuid(context, cluster.uuid).status == ClusterStatus.DELETE_IN_PROGRESS:
        return  # requested during this pass; the next one deletes it
    failed: dict[str, list[str]] = {}
    for group in groups:
        if group.status.endswith("_FAILED"):
            failed.setdefault(group.status_reason, []).append(group.name)
    cluster.status = _with_outcome(cluster.status, "FAILED" if failed else "COMPLETE")
    cluster.status_reason = (
        "; ".join(f"{', '.join(names)} failed: {reason}" for reason, names in failed.items()) or None
    )
    cluster.save()
    _reopen(context, cluster)


def _reopen(context: Any, cluster: Any) -> None:
    """Set a cluster to UPDATE_IN_PROGRESS if it is not in progress while one of its node groups is.

    Magnum saves the cluster's status before the node group's. If a pass in between completed the cluster, Magnum would
    ignore the node group.
    """
    stored = type(cluster).get_by_uuid(context, cluster.uuid)
    in_progress = any(group.status.endswith("_IN_PROGRESS") for group in stored.nodegroups if group.status)
    if in_progress and not stored.status.endswith("_IN_PROGRESS"):
        stored.status = ClusterStatus.UPDATE_IN_PROGRESS
        stored.save()
