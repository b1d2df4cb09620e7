"""One Rubin Science Platform: from an OpenStack project to applications that are synced and healthy."""

import gc

# The SDKs create a hundred thousand objects that stay: scanning these for garbage takes as long as the imports.
gc.disable()

import pulumi
from pulumi import ResourceOptions

from components.applications import Applications
from components.argocd import ArgoCd
from components.certificate_issuer import CertificateIssuer
from components.cluster_services import ClusterServices
from components.ingress_address import IngressAddress
from components.magnum_cluster import MagnumCluster
from components.network import Network
from components.nfs_server import NfsServer
from components.object_store import ObjectStore
from components.secret_store import SecretStore
from config import loader
from config.applications import SyncMode
from config.stack_config import StackConfig
from config.tls import LetsEncrypt
from phalanx import source as phalanx_source
from probes import certificate, failures, preflight, vault_secrets
from program import arguments, outputs, secret_changes, secret_inputs
from program import platform_arguments as platform
from program.duplicates import guard
from program.errors import raise_if_fatal, user_errors
from program.failure_hooks import explained
from program.providers import kubernetes_provider, openstack_provider, vault_provider
from wiring import facts
from wiring.application_values import application_values

gc.freeze()
gc.enable()


def main() -> None:
    """Compose the platform; whatever can be known to be wrong is told before the first resource is registered."""
    config = loader.load(pulumi.Config(), StackConfig)
    stack = pulumi.get_stack()
    asked = preflight.Questions(config, stack, preview=pulumi.runtime.is_dry_run())
    source = phalanx_source.load(
        *asked.phalanx(),
        application_values(config),
        follow_revision=config.applications.sync is SyncMode.AUTOMATIC,
    )
    facts.check_mounts(source.values("nublado"), [f"/{export}" for export in config.nfs.volumes])
    guard(config.cloud)
    raise_if_fatal(asked.problems())
    vault_url = config.vault.reached_at(source.environment.vault_url)
    in_vault = vault_secrets.contents(vault_url, source.environment, config.vault.approle)
    inputs = secret_inputs.gather(config, source, in_vault.secrets)
    secret_changes.log(inputs, source.environment.vault_path_prefix, stack)
    served, problems = certificate.inspect(source.environment, inputs.static, inputs.existing)
    raise_if_fatal(problems)
    cloud = openstack_provider(config.cloud)
    openstack = ResourceOptions(providers=[cloud], transformations=explained(failures.IN_OPENSTACK, config.cloud))
    network = Network("network", arguments.network(config.network), openstack)
    nfs = NfsServer("nfs", arguments.nfs_server(config, network), openstack)
    store = ObjectStore("object-store", arguments.object_store(config), openstack)
    ingress = IngressAddress("ingress", arguments.ingress_address(config), openstack)
    cluster = MagnumCluster("cluster", arguments.cluster(config, network), openstack)
    store_args = platform.secret_store(config, source, inputs, in_vault, store)
    secrets = SecretStore("secrets", store_args, ResourceOptions(providers=[vault_provider(vault_url)]))
    kubernetes = ResourceOptions(
        providers=[kubernetes_provider(cluster)],
        transformations=explained(failures.IN_KUBERNETES, cluster.kubeconfig),
    )
    services_args = platform.cluster_services(config, source, secrets)
    services = ClusterServices("services", services_args, after(kubernetes, secrets))
    argocd_args = platform.argocd(config, source)
    argocd = ArgoCd("argocd", argocd_args, after(kubernetes, services))
    applications = Applications(
        "applications",
        platform.applications(config, source, platform.facts(ingress, nfs, store, secrets)),
        after(kubernetes, argocd, nfs),
    )
    if isinstance(config.tls, LetsEncrypt):
        needed = after(ResourceOptions.merge(kubernetes, openstack), applications.deployed[platform.CERT_MANAGER])
        CertificateIssuer("certificate", platform.certificate_issuer(config, config.tls), needed)
    outputs.export(source, served, ingress, nfs, store, cluster, secrets, argocd, applications)


def after(options: ResourceOptions, *resources: pulumi.Resource) -> ResourceOptions:
    """Return options that also depend on some resources."""
    return ResourceOptions.merge(options, ResourceOptions(depends_on=list(resources)))


with user_errors():
    main()
