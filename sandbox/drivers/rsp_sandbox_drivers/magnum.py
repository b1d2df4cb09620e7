"""Magnum driver: a cluster's nodes are Nova servers that never boot, its control plane runs as processes on this host.

Magnum's conductor calls a driver as it calls its Heat driver: the calls only note what is wanted, and the periodic
task (every ten seconds) brings the world to it through `update_cluster_status`. So a conductor that dies halfway goes
on where it was when it comes back.
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

from rsp_sandbox_drivers import load_balancers, versions
from rsp_sandbox_drivers.description import describe
from rsp_sandbox_drivers.directory import Directory
from rsp_sandbox_drivers.stack import Stack, StackError

LOG = logging.getLogger(__name__)

SERVICE_AWAY = (keystone_errors.ConnectFailure, keystone_errors.HttpServerError, neutron_errors.ConnectionFailed)
"""What a service that is just restarting causes; the next pass tries again."""
FAILURE_LABEL = "sandbox_fail"
"""A cluster or node group with this label fails on purpose: its value is `create` or `update`."""


class Driver(driver.Driver):
    """Kubernetes clusters of the sandbox; see `magnum.drivers.common.driver` for each call."""

    _busy: set[str] = set()  # noqa: RUF012 -- shared by every instance on purpose: Magnum makes one for each call

    @property
    def provides(self) -> list[dict[str, str]]:
        """The images that templates of this driver use."""
        return [{"server_type": "vm", "os": "fedora-coreos", "coe": "kubernetes"}]

    def create_cluster(self, context: Any, cluster: Any, cluster_create_timeout: int) -> None:  # noqa: ARG002
        """Give the cluster its identity; Magnum saves it, and the periodic task makes the rest."""
        cluster.stack_id = uuidutils.generate_uuid()

    def update_cluster(self, context: Any, cluster: Any, scale_manager: Any = None, rollback: bool = False) -> None:  # noqa: ARG002
        """Note that the default workers changed in number."""
        _set_status(cluster.default_ng_worker, ClusterStatus.UPDATE_IN_PROGRESS)

    def resize_cluster(  # noqa: PLR0913, PLR0917 -- Magnum's signature
        self,
        context: Any,
        cluster: Any,
        resize_manager: Any,  # noqa: ARG002
        node_count: int,  # noqa: ARG002 -- Magnum has put it into the node group
        nodes_to_remove: list[str],
        nodegroup: Any = None,
    ) -> None:
        """Remove the nodes that were named; the periodic task then makes or removes as many as are needed."""
        if nodes_to_remove:
            _stack(context, cluster).remove(nodegroup, nodes_to_remove)

    def upgrade_cluster(  # noqa: PLR0913, PLR0917 -- Magnum's signature
        self,
        context: Any,  # noqa: ARG002
        cluster: Any,
        cluster_template: Any,
        max_batch_size: int,  # noqa: ARG002 -- one control plane
        nodegroup: Any,
        scale_manager: Any = None,  # noqa: ARG002
        rollback: bool = False,  # noqa: ARG002
    ) -> None:
        """Take over the template's version, by the rules of Magnum's `FedoraKubernetesDriver.upgrade_cluster`.

        Raises:
            InvalidVersion: The template's version is lower than the cluster's.
            InvalidClusterTemplateForUpgrade: The template names no version.
        """
        labels = versions.upgraded_labels(nodegroup.labels or {}, cluster_template.name, cluster_template.labels or {})
        nodegroup.labels = labels
        if nodegroup.is_default:
            cluster.cluster_template_id = cluster_template.uuid
            cluster.labels = labels
            other = cluster.default_ng_worker if nodegroup.role == "master" else cluster.default_ng_master
            other.labels = labels
            other.save()

    def delete_cluster(self, context: Any, cluster: Any) -> None:  # noqa: ARG002
        """Note that every node group goes."""
        for group in cluster.nodegroups:
            _set_status(group, ClusterStatus.DELETE_IN_PROGRESS)

    def create_nodegroup(self, context: Any, cluster: Any, nodegroup: Any) -> None:
        """Give the node group its identity; Magnum saves it."""
        nodegroup.stack_id = uuidutils.generate_uuid()
        _reopen(context, cluster)

    def update_nodegroup(self, context: Any, cluster: Any, nodegroup: Any) -> None:
        """Only the bounds of a node group change here; Magnum resizes by `resize_cluster`."""
        nodegroup.save()
        _reopen(context, cluster)

    def delete_nodegroup(self, context: Any, cluster: Any, nodegroup: Any) -> None:
        """Magnum has set the status but not saved it."""
        nodegroup.save()
        _reopen(context, cluster)

    def rotate_ca_certificate(self, context: Any, cluster: Any) -> None:  # noqa: ARG002
        """Magnum has made the new authority; the periodic task hands it to the control plane."""
        _set_status(cluster.default_ng_master, ClusterStatus.UPDATE_IN_PROGRESS)

    def get_monitor(self, context: Any, cluster: Any) -> Any:
        """Health is asked from the Kubernetes API, as for Heat's clusters."""
        return k8s_monitor.K8sMonitor(context, cluster)

    def create_federation(self, context: Any, federation: Any) -> None:
        """Magnum's federations were never finished.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("federations are not supported")

    update_federation = delete_federation = create_federation

    def update_cluster_status(self, context: Any, cluster: Any, use_admin_ctx: bool = False) -> None:
        """Bring servers, control plane and nodes to what Magnum's database asks for, and the status after them."""
        if cluster.stack_id is None or cluster.uuid in self._busy:
            # Without a stack the conductor is still creating it; a pass may also take longer than Magnum's interval.
            return
        self._busy.add(cluster.uuid)
        try:
            stack_context = context if use_admin_ctx else magnum_context.make_cluster_context(cluster)
            if cluster.status != ClusterStatus.DELETE_IN_PROGRESS:
                _settle(context, stack_context, cluster)
                return
            try:
                _delete(context, stack_context, cluster)
            except exception.AuthorizationFailure:
                LOG.warning("Cluster %s: its trust is gone, an administrator removes it", cluster.uuid)
                _delete(context, context, cluster)
        except Exception as error:
            if not _is_passing(error):
                raise
            LOG.warning("Cluster %s: a service does not answer, trying again: %s", cluster.uuid, error)
        finally:
            self._busy.discard(cluster.uuid)


def _stack(context: Any, cluster: Any) -> Stack:
    return Stack(context, cluster, conductor_utils.retrieve_cluster_template(context, cluster))


def _is_passing(error: BaseException | None) -> bool:
    """Whether an error, or one that it wraps, comes from a service that does not answer just now."""
    return error is not None and (isinstance(error, SERVICE_AWAY) or _is_passing(error.__context__))


def _set_status(group: Any, status: str, reason: str | None = None) -> None:
    group.status, group.status_reason = status, reason
    group.save()


def _settle(context: Any, stack_context: Any, cluster: Any) -> None:
    """One pass over a cluster that is being created or changed."""
    template = conductor_utils.retrieve_cluster_template(context, cluster)
    busy = _busy_groups(list(cluster.nodegroups))
    leaving = [group for group in busy if group.status == ClusterStatus.DELETE_IN_PROGRESS]
    staying = [group for group in busy if group.status != ClusterStatus.DELETE_IN_PROGRESS]
    try:
        stack = Stack(stack_context, cluster, template)
        stack.delete_groups(leaving)
        if not stack.match(staying):
            return
        for group in staying:
            _fail_if_told(group)
        directory = Directory(cluster.uuid)
        directory.write(context, cluster, describe(stack, cluster, template))
        cluster.api_address = directory.up()
        cluster.coe_version = (cluster.labels or {}).get("kube_tag")
    except Exception as error:
        if _is_passing(error):
            raise
        LOG.exception("Cluster %s failed", cluster.uuid)
        for group in _unchanged(cluster, busy):
            _set_status(group, _with_outcome(group.status, "FAILED"), str(error))
    else:
        for group in leaving:
            group.destroy()
        for group in _unchanged(cluster, staying):
            group.node_addresses = [stack.address(server) for server in stack.nodes(group)]
            _set_status(group, _with_outcome(group.status, "COMPLETE"))
    _sum_up(context, cluster)


def _busy_groups(groups: list[Any]) -> list[Any]:
    """The node groups with something to do; the two default ones share their stack, hence their status, as in Heat."""
    busy = [group for group in groups if group.status is None or group.status.endswith("_IN_PROGRESS")]
    default = next((group for group in busy if group.is_default), None)
    if default:
        for sibling in [group for group in groups if group.is_default and group not in busy]:
            _set_status(sibling, default.status)
            busy.append(sibling)
    return busy


def _unchanged(cluster: Any, groups: list[Any]) -> list[Any]:
    """Those of the node groups of which nobody has asked something else since this pass read them."""
    now = {group.uuid: (group.status, group.node_count) for group in cluster.nodegroups}
    return [group for group in groups if now.get(group.uuid) == (group.status, group.node_count)]


def _fail_if_told(group: Any) -> None:
    action = _action(group.status).lower()
    if (group.labels or {}).get(FAILURE_LABEL) == action:
        raise StackError(f"told to fail by the label {FAILURE_LABEL}={action}")


def _action(status: str | None) -> str:
    """What goes on by a status, CREATE_IN_PROGRESS for example: CREATE."""
    return (status or ClusterStatus.CREATE_IN_PROGRESS).partition("_")[0]


def _with_outcome(status: str | None, outcome: str) -> str:
    """CREATE_IN_PROGRESS and FAILED give CREATE_FAILED."""
    return getattr(ClusterStatus, f"{_action(status)}_{outcome}")


def _sum_up(context: Any, cluster: Any) -> None:
    """Set the cluster's status from its node groups', as Magnum's Heat driver does."""
    groups = list(cluster.nodegroups)
    if any(group.status is None or group.status.endswith("_IN_PROGRESS") for group in groups):
        return
    if type(cluster).get_by_uuid(context, cluster.uuid).status == ClusterStatus.DELETE_IN_PROGRESS:
        return  # asked for meanwhile; the next pass does it
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

    Magnum saves the status of the cluster before that of the node group. A pass between the two completes the cluster,
    and Magnum would never look at the node group again.
    """
    stored = type(cluster).get_by_uuid(context, cluster.uuid)
    in_progress = any(group.status.endswith("_IN_PROGRESS") for group in stored.nodegroups if group.status)
    if in_progress and not stored.status.endswith("_IN_PROGRESS"):
        stored.status = ClusterStatus.UPDATE_IN_PROGRESS
        stored.save()


def _delete(context: Any, stack_context: Any, cluster: Any) -> None:
    """Remove all that the cluster made; on DELETE_COMPLETE Magnum removes it from its database."""
    try:
        # First what would make load balancers again, then the balancers, then the nodes behind them.
        Directory(cluster.uuid).remove()
        load_balancers.delete(stack_context, cluster)
        Stack(stack_context, cluster, conductor_utils.retrieve_cluster_template(context, cluster)).delete()
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
