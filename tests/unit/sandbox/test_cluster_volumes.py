"""Cinder CSI knows the nodes and their zones."""

from sandbox.cluster import nodes, volumes
from tests.unit.sandbox.fake_kube import FakeKube
from tests.unit.sandbox.test_cluster_nodes import description, node


def test_driver_is_registered_on_each_node_with_its_zone() -> None:
    kube, described = FakeKube(), description(node("a"), node("b"))
    nodes.sync(kube, described)
    for name in ("a", "b"):
        kube.objects[f"{nodes.COLLECTION}/{name}"]["metadata"]["uid"] = f"uid-of-{name}"
    volumes.register_nodes(kube, described)
    assert kube.objects[f"{nodes.COLLECTION}/a"]["metadata"]["labels"][volumes.ZONE_LABEL] == "nova"
    made = kube.objects[f"{volumes.CSI_NODES}/b"]
    assert made["metadata"]["ownerReferences"][0]["uid"] == "uid-of-b"
    (driver,) = made["spec"]["drivers"]
    assert (driver["nodeID"], driver["topologyKeys"]) == ("id-of-b", [volumes.ZONE_LABEL])


def test_the_id_of_another_server_replaces_the_registration_which_cannot_change() -> None:
    kube, described = FakeKube(), description(node("a"))
    path = f"{volumes.CSI_NODES}/a"
    for uid in ("first", "second"):
        nodes.sync(kube, described)
        kube.objects[f"{nodes.COLLECTION}/a"]["metadata"]["uid"] = uid
        volumes.register_nodes(kube, described)
    assert [each for each in kube.writes if each == path] == [path] * 3  # created, deleted, created
