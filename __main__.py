"""One Rubin Science Platform: from an OpenStack project to applications that are synced and healthy."""

from functools import partial

import pulumi
from pulumi import ResourceOptions

from components import arguments, facts, outputs, phalanx_source, secret_changes, secret_inputs
from components import platform_arguments as platform
from components.applications import Applications
from components.argocd import ArgoCd
from components.certificate_issuer import CERT_MANAGER, CertificateIssuer
from components.cluster_services import ClusterServices
from components.errors import tell, told_plainly
from components.ingress_address import IngressAddress
from components.magnum_cluster import MagnumCluster
from components.network import Network
from components.nfs_server import NfsServer
from components.object_store import ObjectStore
from components.providers import kubernetes_provider, openstack_provider, vault_provider
from components.secret_store import SecretStore
from config import loader
from config.application_values import application_values
from config.tls import LetsEncrypt
from operations import certificate, preflight, vault_secrets


def main() -> None:
    """Compose the platform; whatever can be known to be wrong is told before the first resource is registered."""
    environment = loader.load(pulumi.Config())
    source = phalanx_source.load(environment.phalanx, environment.applications.sync, application_values(environment))
    facts.check_mounts(source.values("nublado"), [f"/{export}" for export in environment.nfs.volumes])
    preview = pulumi.runtime.is_dry_run()
    tell(preflight.check(environment, pulumi.get_stack(), source.environment, preview=preview))
    vault_url = str(environment.vault.address or source.environment.vault_url).rstrip("/")
    inputs = secret_inputs.gather(environment, source, vault_secrets.read(vault_url, source.environment))
    secret_changes.log(inputs, source.environment.vault_path_prefix, pulumi.get_stack())

    served, problems = certificate.look(source.environment, inputs.static, inputs.existing)
    tell(problems)

    cloud = openstack_provider(environment.cloud)
    openstack = ResourceOptions(providers=[cloud])
    network = Network("network", arguments.network(environment), openstack)
    nfs = NfsServer("nfs", arguments.nfs_server(environment, network), openstack)
    store = ObjectStore("object-store", arguments.object_store(environment), openstack)
    ingress = IngressAddress("ingress", arguments.ingress_address(environment), openstack)
    cluster = MagnumCluster("cluster", arguments.cluster(environment, network), openstack)

    read_again = partial(vault_secrets.read_application, vault_url, source.environment)
    store_args = platform.secret_store(environment, source, inputs, read_again, store)
    secrets = SecretStore("secrets", store_args, ResourceOptions(providers=[vault_provider(vault_url)]))
    kubernetes: list[pulumi.ProviderResource] = [kubernetes_provider(cluster)]
    services_args = platform.cluster_services(environment, source, secrets)
    services = ClusterServices("services", services_args, ResourceOptions(providers=kubernetes, depends_on=[secrets]))
    argocd_args = platform.argocd(environment, source)
    argocd = ArgoCd("argocd", argocd_args, ResourceOptions(providers=kubernetes, depends_on=[services]))
    told = platform.facts(ingress, nfs, store, secrets)
    applications = Applications(
        "applications",
        platform.applications(environment, source, told),
        ResourceOptions(providers=kubernetes, depends_on=[argocd, nfs]),
    )
    if isinstance(environment.tls, LetsEncrypt):
        issuer_args = platform.certificate_issuer(environment, environment.tls)
        needed = ResourceOptions(providers=[*kubernetes, cloud], depends_on=[applications.deployed[CERT_MANAGER]])
        CertificateIssuer("certificate", issuer_args, needed)
    outputs.export(source, vault_url, served, ingress, nfs, store, cluster, secrets, argocd, applications)


with told_plainly():
    main()
