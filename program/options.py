"""Resource options of the components, one set per service: the provider, and hooks."""

from collections.abc import Mapping

from pulumi import Output, Resource, ResourceOptions, get_stack

from components.ingress_address import IngressAddress
from components.magnum_cluster import MagnumCluster
from config.cloud import Cloud
from config.names import cluster_of
from config.resource_types import NODE_GROUP
from config.stack_config import StackConfig
from probes import explanations
from program import address_switch, magnum_updates, node_ports, worker_resize
from program.application_changes import describe_updates
from program.failure_hooks import error_hooks
from program.floating_ip_release import wait_for_release
from program.lost_updates import refuse_lost_updates
from program.preparation import Prepared
from program.providers import kubernetes_provider, openstack_provider, vault_provider


def openstack_options(cloud: Cloud, region: str | None, verified: Output[None], directory: str = "") -> ResourceOptions:
    """Return the options of components in OpenStack.

    Args:
        cloud: The entry of clouds.yaml.
        region: As for `openstack_provider`.
        verified: `ImmutableKeys.verified`, for which the provider waits.
        directory: As for `refuse_duplicates`.
    """
    arguments = f"{f'-C {directory} ' if directory else ''}-s {get_stack()}"
    recover = (
        f"Before the next run, `python -m operations recover {arguments}` waits for what is being created, and has the "
        "commands that replace what has failed"
    )
    repetitions = {NODE_GROUP: magnum_updates.repeat_once_ended}
    hooks = [
        *error_hooks(explanations.OPENSTACK, lambda _: cloud, repetitions, recover),
        worker_resize.resize_first(cloud),
        magnum_updates.wait_for_updates(cloud),
        wait_for_release(cloud),
    ]
    return ResourceOptions(providers=[openstack_provider(cloud, region, verified)], transformations=hooks)


def cluster_options(openstack: ResourceOptions, config: StackConfig) -> ResourceOptions:
    """Return the options of the clusters: those of components in OpenStack, and a check of what Magnum has created."""
    if config.ingress.load_balancer_provider != "ovn":
        return openstack
    return ResourceOptions.merge(openstack, ResourceOptions(transformations=[node_ports.require_open(config)]))


def vault_options(prepared: Prepared, verified: Output[None]) -> ResourceOptions:
    """Return the options of components in Vault; `verified` as for `openstack_options`."""
    provider = vault_provider(prepared.vault_url, prepared.config.vault.ca_file, verified)
    return ResourceOptions(providers=[provider], transformations=[refuse_lost_updates(prepared)])


def kubernetes_options(
    clusters: Mapping[str, MagnumCluster], prepared: Prepared, ingress: IngressAddress
) -> dict[str, ResourceOptions]:
    """Return the options of components in each cluster, by the cluster's name.

    Args:
        clusters: The clusters by name.
        prepared: The platform that is deployed to them.
        ingress: The platform's address.
    """
    kubeconfigs = {name: cluster.kubeconfig for name, cluster in clusters.items()}
    # The engine registers a hook by its name once, so that the clusters share them.
    hooks = [
        *error_hooks(explanations.KUBERNETES, lambda resource: kubeconfigs.get(cluster_of(resource, clusters) or "")),
        describe_updates(prepared.source),
    ]
    return {
        name: ResourceOptions(
            providers=[kubernetes_provider(name, cluster)],
            transformations=[*hooks, *address_switch.wait_until_free(name, prepared.config, ingress.address)],
        )
        for name, cluster in clusters.items()
    }


def after(options: ResourceOptions, *resources: Resource) -> ResourceOptions:
    """Return options that also depend on some resources."""
    return ResourceOptions.merge(options, ResourceOptions(depends_on=list(resources)))
