"""Deploys a Rubin Science Platform: from an empty OpenStack project to synced and healthy applications."""

import gc

# The SDKs create a hundred thousand objects that stay: scanning these for garbage takes as long as the imports.
gc.disable()

import pulumi

from config import loader
from config.names import LOAD_BALANCER
from config.stack_config import StackConfig
from probes.preflight import Queries
from program import previewed_commit
from program.errors import user_errors
from program.preparation import Prepared, prepare

with user_errors():
    config = loader.load(pulumi.Config(), StackConfig)
    commit = previewed_commit.read(config.phalanx)
    queries = Queries(config, pulumi.get_stack(), preview=pulumi.runtime.is_dry_run(), commit=commit)

# While these are imported, the clouds answer the queries.
from components.immutable_keys import ImmutableKeys
from components.ingress_address import IngressAddress
from components.load_balancer import LoadBalancer
from components.magnum_cluster import MagnumCluster
from components.network import Network
from components.nfs_server import NfsServer
from components.object_store import ObjectStore
from components.platform_records import PlatformRecords
from components.secret_store import SecretStore
from components.shared_filesystem import SharedFilesystem
from program import (
    address_switch,
    cluster_contents,
    openstack_arguments,
    outputs,
    platform_answer,
    platform_arguments,
)
from program.cluster_contents import Shared
from program.duplicates import refuse_duplicates
from program.options import cluster_options, kubernetes_options, openstack_options, vault_options
from program.outputs import Platform

# The resources stay, too: with the default threshold of 700 new objects, a fifth of the time goes into scanning them.
gc.freeze()
gc.set_threshold(200_000)
gc.enable()


def build(prepared: Prepared) -> Platform:
    """Register all resources."""
    refuse_duplicates(config.cloud)
    source = prepared.source
    verified = ImmutableKeys("created-with", platform_arguments.immutable_keys(prepared)).verified
    openstack = openstack_options(config.cloud, prepared.location.region, verified)
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
    in_magnum = cluster_options(openstack, config)
    clusters = {
        name: MagnumCluster(name, openstack_arguments.cluster(config, name, network), in_magnum)
        for name in config.clusters
    }

    vault = vault_options(prepared, verified)
    secrets = SecretStore("secrets", platform_arguments.secret_store(prepared, store), vault)

    files = [*([nfs] if nfs else []), *shares.values()]
    kubernetes = kubernetes_options(clusters, prepared, ingress)
    shared = Shared(
        shares=shares, files=files, store=store, ingress=ingress, records=records, secrets=secrets, openstack=openstack
    )
    deployed = {
        name: cluster_contents.deploy(name, cluster, prepared, shared, kubernetes[name])
        for name, cluster in clusters.items()
    }
    active = deployed[config.active]
    ready = address_switch.await_switch(config, ingress.address, active.ingress_nginx.urn)
    if config.ingress.mode == "octavia":
        balancer_args = openstack_arguments.load_balancer(config, network, ingress, active)
        ready = LoadBalancer(LOAD_BALANCER, balancer_args, openstack).address
    platform_answer.require(config, source.environment.fqdn, ingress.address, ready)
    return Platform(ingress, nfs, shares, store, secrets, deployed)


with user_errors():
    prepared = prepare(config, queries)
    previewed_commit.check_move(config.phalanx, commit, prepared.deployed.commit)
    outputs.export(prepared, build(prepared))
