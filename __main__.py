"""Deploys a Rubin Science Platform: from an empty OpenStack project to synced and healthy applications."""

import gc

# The SDKs create a hundred thousand objects that stay: scanning these for garbage takes as long as the imports.
gc.disable()

import pulumi
from pulumi import ResourceOptions

from config import loader
from config.stack_config import StackConfig
from probes.preflight import Queries
from program import recorded_commit
from program.checks import Checked, check
from program.errors import user_errors

with user_errors():
    config = loader.load(pulumi.Config(), StackConfig)
    commit = recorded_commit.read(config.phalanx)
    queries = Queries(config, pulumi.get_stack(), preview=pulumi.runtime.is_dry_run(), commit=commit)

# While these are imported, the clouds answer the queries.
from components.applications import Applications
from components.argocd import ArgoCd
from components.certificate_issuer import CertificateIssuer
from components.immutable_keys import ImmutableKeys
from components.ingress_address import IngressAddress
from components.load_balancer import LoadBalancer
from components.magnum_cluster import MagnumCluster
from components.monitoring import Monitoring
from components.network import Network
from components.nfs_server import NfsServer
from components.object_store import ObjectStore
from components.platform_records import PlatformRecords
from components.secret_store import SecretStore
from components.shared_filesystem import SharedFilesystem
from components.storage_classes import StorageClasses
from components.vault_secrets_operator import VaultSecretsOperator
from config.tls import LetsEncrypt
from program import openstack_arguments, outputs, platform_answer, platform_arguments
from program.options import after, kubernetes_options, openstack_options, vault_options
from program.outputs import Platform

gc.freeze()
gc.enable()


def build(checked: Checked) -> Platform:
    """Register all resources."""
    source = checked.source
    unchanged = ImmutableKeys("created-with", platform_arguments.immutable_keys(checked)).unchanged
    openstack = openstack_options(config.cloud, unchanged)
    network = Network("network", openstack_arguments.network(config.network), openstack)
    nfs_args = openstack_arguments.nfs_server(config, network)
    nfs = NfsServer("nfs", nfs_args, openstack) if nfs_args else None
    shares = {
        name: SharedFilesystem(f"share-{name}", args, openstack)
        for name, args in openstack_arguments.shares(config).items()
    }
    store = ObjectStore("object-store", openstack_arguments.object_store(config), openstack)
    ingress = IngressAddress("ingress", openstack_arguments.ingress_address(config), openstack)
    records_args = openstack_arguments.platform_records(config, source.environment.fqdn, ingress)
    records = [PlatformRecords("dns", records_args, openstack)] if records_args else []
    cluster = MagnumCluster(config.active, openstack_arguments.cluster(config, config.active, network), openstack)

    vault = vault_options(checked, unchanged)
    secrets = SecretStore("secrets", platform_arguments.secret_store(checked, store), vault)

    kubernetes = kubernetes_options(cluster, source)
    storage_args = platform_arguments.storage_classes(config.applications)
    storage = StorageClasses("storage-classes", storage_args, kubernetes)
    operator_args = platform_arguments.vault_secrets_operator(config, source, secrets)
    operator = VaultSecretsOperator("vault-secrets-operator", operator_args, after(kubernetes, secrets))
    argocd = ArgoCd("argocd", platform_arguments.argocd(config, source), after(kubernetes, operator, storage))
    facts = platform_arguments.facts(config, ingress, shares, store, secrets)
    applications_args = platform_arguments.applications(checked, cluster, facts)
    files = [*([nfs] if nfs else []), *shares.values()]
    applications = Applications("applications", applications_args, after(kubernetes, argocd, *files, ingress))
    controller = applications.deployed[platform_arguments.INGRESS_NGINX]
    ready = controller.urn
    if config.ingress.mode == "octavia":
        balancer_args = openstack_arguments.load_balancer(config, network, ingress, cluster, controller)
        ready = LoadBalancer("load-balancer", balancer_args, openstack).address
    platform_answer.require(config, source.environment.fqdn, ingress.address, ready)
    if isinstance(config.tls, LetsEncrypt):
        cert_manager = applications.deployed[platform_arguments.CERT_MANAGER]
        issuer_args = platform_arguments.certificate_issuer(config, config.tls)
        in_both = ResourceOptions.merge(kubernetes, openstack)
        CertificateIssuer("certificate", issuer_args, after(in_both, cert_manager, *records))
    if monitoring_args := platform_arguments.monitoring(config.monitoring):
        Monitoring("monitoring", monitoring_args, kubernetes)
    return Platform(ingress, nfs, shares, store, cluster, secrets, argocd, applications)


with user_errors():
    checked = check(config, queries)
    recorded_commit.report_move(config.phalanx, commit)
    outputs.export(checked, build(checked))
