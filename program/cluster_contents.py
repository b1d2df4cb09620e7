"""Everything that is deployed in a cluster of the platform."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pulumi import ComponentResource, Resource, ResourceOptions

from components.applications import Applications
from components.argocd import ArgoCd
from components.certificate_issuer import CertificateIssuer
from components.ingress_address import IngressAddress
from components.magnum_cluster import MagnumCluster
from components.monitoring import Monitoring
from components.object_store import ObjectStore
from components.persistent_volumes import PersistentVolumes, PersistentVolumesArgs
from components.platform_records import PlatformRecords
from components.secret_store import SecretStore
from components.shared_filesystem import SharedFilesystem
from components.storage_classes import StorageClasses
from components.vault_secrets_operator import VaultSecretsOperator
from config.tls import LetsEncrypt
from program import bound_claims, kept_claims, platform_arguments
from program.options import after
from program.preparation import Prepared
from wiring.ingress_service import INGRESS_NGINX


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What the clusters of a platform share."""

    shares: Mapping[str, SharedFilesystem]
    files: list[ComponentResource]
    """NFS server and shares."""
    store: ObjectStore
    ingress: IngressAddress
    records: list[PlatformRecords]
    secrets: SecretStore
    openstack: ResourceOptions
    """Options of components in OpenStack."""


class DeployedCluster(NamedTuple):
    """A cluster, and what other components need of its contents."""

    cluster: MagnumCluster
    argocd: ArgoCd
    applications: Applications

    @property
    def ingress_nginx(self) -> Resource:
        """The application that receives the platform's requests."""
        return self.applications.deployed[INGRESS_NGINX]


def deploy(
    name: str, cluster: MagnumCluster, prepared: Prepared, shared: Shared, kubernetes: ResourceOptions
) -> DeployedCluster:
    """Register everything in a cluster.

    Args:
        name: Name of the cluster in the configuration.
        cluster: The cluster.
        prepared: The platform to deploy.
        shared: What the clusters share.
        kubernetes: Options of components in the cluster.
    """
    config, source = prepared.config, prepared.source
    storage_args = platform_arguments.storage_classes(config.applications)
    storage = StorageClasses(f"{name}-storage-classes", storage_args, kubernetes)
    claimed = prepared.claimed[name]
    volumes_args = PersistentVolumesArgs(volumes=claimed)
    volumes = PersistentVolumes(f"{name}-persistent-volumes", volumes_args, kubernetes)
    operator_args = platform_arguments.vault_secrets_operator(config, source, shared.secrets)
    operator_options = after(kubernetes, shared.secrets)
    operator = VaultSecretsOperator(f"{name}-vault-secrets-operator", operator_args, operator_options)
    argocd_options = after(kubernetes, operator, storage, volumes)
    argocd = ArgoCd(f"{name}-argocd", platform_arguments.argocd(config, source), argocd_options)
    facts = platform_arguments.facts(config, name, shared.ingress, shared.shares, shared.secrets)
    applications_args = platform_arguments.applications(prepared, cluster, facts)
    applications_options = after(kubernetes, argocd, *shared.files, shared.store, shared.ingress)
    applications = Applications(f"{name}-applications", applications_args, applications_options)
    kept_claims.keep(config.applications, source.claims, cluster.kubeconfig, applications.deployed)
    bound_claims.verify(name, claimed, config.applications, cluster.kubeconfig, applications.deployed)
    if isinstance(config.tls, LetsEncrypt):
        cert_manager = applications.deployed[platform_arguments.CERT_MANAGER]
        issuer_args = platform_arguments.certificate_issuer(config, config.tls, prepared.location.region)
        in_both = ResourceOptions.merge(kubernetes, shared.openstack)
        issuer_options = after(in_both, cert_manager, *shared.records)
        CertificateIssuer(f"{name}-certificate", issuer_args, issuer_options)
    monitoring_args = platform_arguments.monitoring(config.monitoring)
    if monitoring_args and name == config.active:
        Monitoring(f"{name}-monitoring", monitoring_args, kubernetes)
    return DeployedCluster(cluster, argocd, applications)
