"""The components in OpenStack, with the hooks of the program."""

import os

import pulumi

from components.ingress_address import IngressAddress
from components.magnum_cluster import MagnumCluster
from components.network import Network
from components.nfs_server import NfsServer
from components.object_store import ObjectStore
from config import loader
from config.stack_config import StackConfig
from program import openstack_arguments
from program.duplicates import refuse_duplicates
from program.errors import user_errors
from program.options import openstack_options

with user_errors():
    config = loader.load(pulumi.Config(), StackConfig)
    refuse_duplicates(config.cloud)
    options = openstack_options(config.cloud, config.cloud.region, pulumi.Output.from_input(None))
    network = Network("network", openstack_arguments.network(config.network), options)
    if nfs_args := openstack_arguments.nfs_server(config, network):
        NfsServer("nfs", nfs_args, options)
    ObjectStore("object-store", openstack_arguments.object_store(config), options)
    IngressAddress("ingress", openstack_arguments.ingress_address(config), options)
    if "FAULTS_WITHOUT_CLUSTER" not in os.environ:
        MagnumCluster(config.active, openstack_arguments.cluster(config, config.active, network), options)
