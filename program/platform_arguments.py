"""Create the arguments of the components in Vault and in a cluster from the configuration and the Phalanx checkout."""

from collections.abc import Mapping
from dataclasses import replace

import pulumi

from components.applications import ApplicationsArgs
from components.argocd import ARGOCD, ArgoCdArgs, RepositoryArgs
from components.certificate_issuer import CertificateIssuerArgs
from components.designate_solver import ApplicationCredential, DesignateSolverArgs
from components.immutable_keys import ImmutableKeysArgs
from components.ingress_address import IngressAddress
from components.magnum_cluster import MagnumCluster
from components.monitoring import MonitoringArgs
from components.object_store import ObjectStore
from components.secret_access import AppRoleArgs, WriteTokenArgs
from components.secret_store import SecretStore, SecretStoreArgs
from components.shared_filesystem import SharedFilesystem
from components.storage_classes import StorageClassArgs, StorageClassesArgs
from components.vault_secrets_operator import OPERATOR, VaultSecretsOperatorArgs
from config.applications import ApplicationsSettings, WiringMode
from config.monitoring import Monitoring
from config.stack_config import StackConfig
from config.tls import Designate, LetsEncrypt
from config.vault import Ownership
from phalanx.checkout import Checkout
from phalanx.git_credentials import Anonymous, SshKey, Token
from phalanx.source import PhalanxSource
from program import first_installation, lasting_keys, wiring_verification
from program.preparation import Prepared
from wiring import configured_facts
from wiring.facts import Facts, Mount

CERT_MANAGER = "cert-manager"
"""Name of the application and its namespace."""


def immutable_keys(prepared: Prepared) -> ImmutableKeysArgs:
    """Return the arguments of the keys that cannot change, or not be removed, which no service reports."""
    config = prepared.config
    values = {
        "cloud.name": prepared.location.project_id,
        "cloud.region": prepared.location.region,
        "phalanx.environment": config.phalanx.environment,
        "ingress.floatingIp": str(config.ingress.floating_ip or ""),
        "applications.databaseStorageClass": config.applications.database_storage_class,
    }
    return ImmutableKeysArgs(namespace=config.project, values=values, lasting=lasting_keys.of_platform(config))


def secret_store(prepared: Prepared, store: ObjectStore) -> SecretStoreArgs:
    """Return the arguments of the secrets in Vault."""
    config, environment = prepared.config, prepared.source.environment
    approle = config.vault.approle
    return SecretStoreArgs(
        mount=environment.vault_mount,
        create_mount=config.vault.mount is Ownership.CREATE,
        mount_exists=prepared.in_vault.has_mount,
        path=environment.vault_path,
        approle=AppRoleArgs(
            name=environment.vault_role,
            exists=prepared.in_vault.has_role,
            policy=environment.vault_read_policy,
            path=approle.path,
            create_auth_method=approle.ownership is Ownership.CREATE,
            auth_method_exists=prepared.in_vault.has_auth_method,
            token_ttl=approle.token_ttl,
            token_max_ttl=approle.token_max_ttl,
            secret_id_rotation=approle.secret_id_rotation,
        ),
        write_token=WriteTokenArgs(
            display_name=environment.vault_role,
            policy=environment.vault_write_policy,
            ttl=config.vault.write_token_ttl,
        ),
        secrets=prepared.secrets,
        read_at=prepared.in_vault.read_at,
        object_store_keys={"AWS_ACCESS_KEY_ID": store.access_key, "AWS_SECRET_ACCESS_KEY": store.secret_key},
        protect=config.protect,
    )


def storage_classes(settings: ApplicationsSettings) -> StorageClassesArgs:
    """Return the arguments of the cluster's StorageClasses."""
    return StorageClassesArgs(
        classes={
            name: StorageClassArgs(
                volume_type=each.volume_type,
                availability_zone=each.availability_zone,
                reclaim_policy=each.reclaim_policy,
                default=each.default,
            )
            for name, each in settings.storage_classes.items()
        }
    )


def vault_secrets_operator(
    config: StackConfig, source: PhalanxSource, secrets: SecretStore
) -> VaultSecretsOperatorArgs:
    """Return the arguments of the operator that reads the applications' secrets from Vault."""
    return VaultSecretsOperatorArgs(
        chart=source.charts[OPERATOR],
        namespace=source.manifests.namespace_metadata(OPERATOR),
        role_id=secrets.role_id,
        secret_id=secrets.secret_id,
        timeout=config.applications.timeout,
    )


def argocd(config: StackConfig, source: PhalanxSource) -> ArgoCdArgs:
    """Return the arguments of Argo CD."""
    return ArgoCdArgs(
        chart=source.charts[ARGOCD],
        namespace=source.manifests.namespace_metadata(ARGOCD),
        projects=source.manifests.projects,
        host=source.environment.fqdn,
        repository=_repository(source.checkout),
        timeout=config.applications.timeout,
    )


def _repository(checkout: Checkout) -> RepositoryArgs | None:
    match checkout.credentials:
        case Token(username=username, token=token):
            return RepositoryArgs(url=checkout.repository, credentials={"username": username, "password": token})
        case SshKey(private_key=key):
            return RepositoryArgs(url=checkout.repository, credentials={"sshPrivateKey": key})
        case Anonymous() | None:
            return None


def monitoring(settings: Monitoring) -> MonitoringArgs | None:
    """Return the arguments of the alerts and the dashboard; None if they are not configured."""
    if settings.namespace is None:
        return None
    return MonitoringArgs(stack=pulumi.get_stack(), namespace=settings.namespace, labels=settings.labels)


def certificate_issuer(config: StackConfig, settings: LetsEncrypt, region: str) -> CertificateIssuerArgs:
    """Return the arguments of the issuer of the platform's certificate.

    Args:
        config: The stack configuration.
        settings: How to get the certificate.
        region: As `Location.region`.
    """
    challenge, designate = settings.challenge, None
    if isinstance(challenge, Designate):
        given = challenge.credential
        designate = DesignateSolverArgs(
            zone=challenge.zone,
            credential=ApplicationCredential(id=given.id, secret=given.secret.get_secret_value()) if given else None,
            namespace=CERT_MANAGER,
            region=region or None,
        )
    return CertificateIssuerArgs(
        email=settings.email,
        server=str(settings.server),
        designate=designate,
        timeout=config.applications.timeout,
    )


def applications(prepared: Prepared, cluster: MagnumCluster, facts: Facts[pulumi.Input[str]]) -> ApplicationsArgs:
    """Return the arguments of the applications, which are deployed to a cluster."""
    config, source = prepared.config, prepared.source
    settings = config.applications
    verify = settings.wiring is WiringMode.VERIFY
    values = {name: application.values for name, application in source.applications.items()}
    return ApplicationsArgs(
        manifests=source.manifests,
        values=values,
        configured=source.configured,
        facts=None if verify else facts,
        first_installations=first_installation.first_installations(values, prepared.deployed, cluster.cluster_id),
        checks=wiring_verification.checks(config, source.applications, facts) if verify else {},
        sync={name: settings.sync_of(name) for name in source.manifests.applications},
        not_awaited=settings.not_awaited,
        timeout=settings.timeout,
    )


def facts(
    config: StackConfig,
    cluster: str,
    ingress: IngressAddress,
    shares: Mapping[str, SharedFilesystem],
    secrets: SecretStore,
) -> Facts[pulumi.Input[str]]:
    """Return the facts of the infrastructure that the applications of a cluster need."""
    configured = configured_facts.of_cluster(config, ingress.address, active=cluster == config.active)
    exported = {f"/{name}": _mount(share) for name, share in shares.items() if share.identity is None}
    return replace(
        configured,
        nfs_mounts={**configured.nfs_mounts, **exported},
        vault_credentials=secrets.credentials_fingerprint,
    )


def _mount(share: SharedFilesystem) -> Mount[pulumi.Input[str]]:
    return Mount(server=share.server, path=lambda below: share.path.apply(lambda path: path + below))
