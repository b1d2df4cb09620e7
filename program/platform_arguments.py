"""The arguments of the components in Vault and in the cluster, as configuration and Phalanx checkout have them."""

import pulumi

from components.applications import ApplicationsArgs
from components.argocd import ARGOCD, ArgoCdArgs
from components.certificate_issuer import CertificateIssuerArgs
from components.cluster_services import OPERATOR, ClusterServicesArgs
from components.ingress_address import IngressAddress
from components.nfs_server import NfsServer
from components.object_store import ObjectStore
from components.secret_store import SecretStore, SecretStoreArgs, VaultReader
from config.stack_config import StackConfig
from config.tls import LetsEncrypt
from phalanx.secret_inputs import SecretInputs
from phalanx.source import PhalanxSource
from wiring.facts import Facts


def secret_store(
    config: StackConfig,
    source: PhalanxSource,
    inputs: SecretInputs,
    reader: VaultReader,
    store: ObjectStore,
) -> SecretStoreArgs:
    """The secrets in Vault, and who may read them."""
    return SecretStoreArgs(
        environment=source.environment,
        settings=config.vault,
        inputs=inputs,
        reader=reader,
        object_store_keys={"AWS_ACCESS_KEY_ID": store.access_key, "AWS_SECRET_ACCESS_KEY": store.secret_key},
        protect=config.protect,
    )


def cluster_services(config: StackConfig, source: PhalanxSource, secrets: SecretStore) -> ClusterServicesArgs:
    """What applications expect of the cluster."""
    return ClusterServicesArgs(
        storage_classes=config.applications.storage_classes,
        operator_chart=source.charts[OPERATOR],
        operator_namespace=source.manifests.namespace_metadata(OPERATOR),
        role_id=secrets.role_id,
        secret_id=secrets.secret_id,
        timeout=config.applications.timeout,
    )


def argocd(config: StackConfig, source: PhalanxSource) -> ArgoCdArgs:
    """Argo CD and its projects."""
    return ArgoCdArgs(
        chart=source.charts[ARGOCD],
        namespace=source.manifests.namespace_metadata(ARGOCD),
        projects=source.manifests.projects,
        host=source.environment.fqdn,
        timeout=config.applications.timeout,
    )


def certificate_issuer(config: StackConfig, settings: LetsEncrypt) -> CertificateIssuerArgs:
    """Who obtains the platform's certificate, and how."""
    return CertificateIssuerArgs(
        settings=settings,
        region=config.cloud.region,
        timeout=config.applications.timeout,
    )


def applications(config: StackConfig, source: PhalanxSource, facts: Facts[pulumi.Input[str]]) -> ApplicationsArgs:
    """The applications and what they are told."""
    return ApplicationsArgs(
        manifests=source.manifests,
        values={name: application.values for name, application in source.applications.items()},
        configured=source.configured,
        facts=facts,
        sync=config.applications.sync,
        timeout=config.applications.timeout,
    )


def facts(
    ingress: IngressAddress, nfs: NfsServer, store: ObjectStore, secrets: SecretStore
) -> Facts[pulumi.Input[str]]:
    """What the infrastructure tells the applications."""
    return Facts(
        ingress_address=ingress.address,
        ingress_annotations=ingress.annotations,
        ingress_controller_kind=ingress.controller_kind,
        nfs_address=nfs.address,
        s3_endpoint=store.endpoint,
        s3_bucket=store.bucket,
        vault_credentials=secrets.credentials_fingerprint,
    )
