"""Cinder CSI, which creates a Cinder volume for each claim: the external provisioner and the driver's controller.

The options are those of cloud-provider-openstack's `cinder-csi-controllerplugin.yaml`. Nodes have no driver, so that no
volume is attached; what a kubelet registers for it is registered here, as volumes are created for a node's zone.
"""

import socket
from pathlib import Path
from typing import Final

from sandbox import tools
from sandbox.cluster.cloud_controller import config_file
from sandbox.cluster.description import Description, Node
from sandbox.cluster.directory import ClusterDirectory
from sandbox.cluster.kube import Kube, Object
from sandbox.process import wait_for

PROVISIONER: Final = "cinder.csi.openstack.org"
DEFAULT_FILESYSTEM: Final = "ext4"
USER: Final = "csi-provisioner"
DRIVER: Final = "cinder-csi-plugin"
EXTERNAL_PROVISIONER: Final = "csi-provisioner"
CSI_NODES: Final = "/apis/storage.k8s.io/v1/csinodes"
ZONE_LABEL: Final = "topology.cinder.csi.openstack.org/zone"
VOLUMES_PER_NODE: Final = 256
"""The driver's default."""
START_SECONDS: Final = 60


def register_nodes(kube: Kube, description: Description) -> None:
    """Register the driver on all nodes, as their kubelets would."""
    for node in description.nodes:
        path = f"/api/v1/nodes/{node.name}"
        registered = kube.merge(path, {"metadata": {"labels": {ZONE_LABEL: node.zone}}})
        wanted, known = csi_node(node, registered["metadata"]["uid"]), kube.get(f"{CSI_NODES}/{node.name}")
        if known and known["metadata"]["ownerReferences"] != wanted["metadata"]["ownerReferences"]:
            kube.delete(f"{CSI_NODES}/{node.name}")  # of an earlier server, whose ID cannot be changed
        kube.apply(f"{CSI_NODES}/{node.name}", wanted)


def csi_node(node: Node, uid: str) -> Object:
    """Return the CSINode of a node, with which it is deleted."""
    owner = {"apiVersion": "v1", "kind": "Node", "name": node.name, "uid": uid}
    driver = {
        "name": PROVISIONER,
        "nodeID": node.server_id,
        "topologyKeys": [ZONE_LABEL],
        "allocatable": {"count": VOLUMES_PER_NODE},
    }
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSINode",
        "metadata": {"name": node.name, "ownerReferences": [owner]},
        "spec": {"drivers": [driver]},
    }


def start(directory: ClusterDirectory) -> None:
    """Start the driver's controller and the provisioner if the cluster has a trust."""
    description = directory.description
    if description.trust is None:
        return
    programs = tools.ensure((DRIVER, EXTERNAL_PROVISIONER), report=lambda _: None)
    config, kubeconfig, socket_path = config_file(directory), directory.kubeconfig(USER), directory.data / "csi.sock"
    provisioner = directory.process(
        EXTERNAL_PROVISIONER,
        programs / EXTERNAL_PROVISIONER,
        f"--csi-address={socket_path}",
        f"--kubeconfig={kubeconfig}",
        "--timeout=3m",
        f"--default-fstype={DEFAULT_FILESYSTEM}",
        "--extra-create-metadata",
        config=(kubeconfig,),
    )
    driver = directory.process(
        DRIVER,
        programs / DRIVER,
        f"--endpoint=unix://{socket_path}",
        f"--cloud-config={config}",
        f"--cluster={description.cluster_api_name}",
        "--provide-node-service=false",
        config=(config,),
    )
    if driver.start():
        provisioner.stop()  # It ends anyway when the connection is lost.
    # It ends at once, with status 0, if it cannot log in.
    wait_for(lambda: _answers(socket_path), f"{DRIVER} answers at {socket_path}", driver, START_SECONDS)
    provisioner.start()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0
