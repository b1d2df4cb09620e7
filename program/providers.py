"""The providers, each made once and handed down: nothing lands in a cloud that a shell happens to point to."""

import pulumi
import pulumi_kubernetes as kubernetes
import pulumi_openstack as openstack
import pulumi_vault as vault

from components.magnum_cluster import MagnumCluster
from config.cloud import Cloud


def openstack_provider(cloud: Cloud) -> openstack.Provider:
    """The project that an entry of clouds.yaml names; credentials stay in that file."""
    return openstack.Provider("openstack", cloud=cloud.name, region=cloud.region)


def vault_provider(address: str) -> vault.Provider:
    """The Vault at an address, opened by VAULT_TOKEN in the environment: a token here would stay in the state."""
    return vault.Provider(
        "vault",
        address=address,
        # The provider would work with a child of our token that it leaves behind in Vault, and whose 20 minutes end
        # before a first installation does.
        skip_child_token=True,
    )


def kubernetes_provider(cluster: MagnumCluster) -> kubernetes.Provider:
    """The cluster, as its administrator.

    Without ``delete_unreachable``: a refresh while the network is down would forget everything in the cluster. Where it
    is really gone, PULUMI_K8S_DELETE_UNREACHABLE=true for one `pulumi refresh` does the same on purpose.
    """
    return kubernetes.Provider(
        "kubernetes",
        kubeconfig=cluster.kubeconfig,
        # Without it a kubeconfig that a preview cannot know yet would replace everything in the cluster.
        cluster_identifier=cluster.cluster_id,
        enable_server_side_apply=True,
        opts=pulumi.ResourceOptions(depends_on=[cluster]),
    )
