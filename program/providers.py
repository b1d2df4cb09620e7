"""Explicit providers, so that no resource uses default credentials from the environment."""

from pathlib import Path

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_openstack as openstack
import pulumi_vault as vault

from components.magnum_cluster import MagnumCluster
from config.cloud import Cloud
from probes import vault_client

_RETRIES = 3
"""Maximum number of retries of a request to OpenStack."""


def openstack_provider(
    cloud: Cloud, region: str | None, verified: pulumi.Output[None] | None = None
) -> openstack.Provider:
    """Return the provider for an entry of clouds.yaml; the state contains no credentials.

    It also reads variables that `connect_as_provider` refuses.

    Args:
        cloud: The entry.
        region: The region that openstacksdk uses; the provider would not take the first of ``regions`` in clouds.yaml.
        verified: `ImmutableKeys.verified`, for which the provider waits; None if it does not wait.
    """
    return openstack.Provider(
        "openstack",
        cloud=_after(verified, cloud.name),
        region=region or None,
        # After a refused or broken connection, and after status 429 as the service asks for. It never sends a body
        # again, so that nothing is created twice.
        max_retries=_RETRIES,
    )


def vault_provider(
    address: str, ca_file: Path | None = None, verified: pulumi.Output[None] | None = None
) -> vault.Provider:
    """Return the provider for a Vault. It reads VAULT_TOKEN, as a token in its inputs would be stored in the state.

    Args:
        address: URL of Vault.
        ca_file: As for `vault_client.authorities`.
        verified: As for `openstack_provider`.
    """
    return vault.Provider(
        "vault",
        address=_after(verified, address),
        ca_cert_file=str(ca_file) if ca_file else None,
        namespace=vault_client.namespace(),
        # By default, the provider creates a child token, which it does not revoke, and whose TTL of 20 minutes is
        # shorter than a first installation.
        skip_child_token=True,
    )


def _after(verified: pulumi.Output[None] | None, value: str) -> pulumi.Input[str]:
    # An input of the provider that waits holds back the provider, and with it each resource that uses it.
    return verified.apply(lambda _: value) if verified else value


def kubernetes_provider(name: str, cluster: MagnumCluster) -> kubernetes.Provider:
    """Return the provider for a cluster, as its administrator.

    ``delete_unreachable`` is not set, as a refresh without network would remove all objects from the state. If the
    cluster no longer exists, set PULUMI_K8S_DELETE_UNREACHABLE=true for one `pulumi refresh`.

    Args:
        name: Name of the cluster in the configuration.
        cluster: The cluster.
    """
    return kubernetes.Provider(
        f"{name}-kubernetes",
        kubeconfig=cluster.kubeconfig,
        # Without it, a kubeconfig that is unknown in a preview would replace all objects in the cluster.
        cluster_identifier=cluster.cluster_id,
        enable_server_side_apply=True,
        # Retained namespaces are taken over. Since 4.29, the provider refuses existing objects by default.
        upsert_existing_objects=True,
        opts=pulumi.ResourceOptions(depends_on=[cluster]),
    )
