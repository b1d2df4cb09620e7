import re

import pulumi
import pytest

from components.magnum_cluster import MagnumCluster
from program import openstack_arguments
from tests.unit.given_network import GivenNetwork, on_cloud
from tests.unit.recording import ProgramRunner, Recording
from tests.unit.sample import HEAT, environment

BOUNDS = {"minimum": 1, "maximum": 5}


def make(run_program: ProgramRunner, **changes: object) -> Recording:
    settings = environment(**changes)

    def program() -> None:
        cluster = MagnumCluster("cluster", openstack_arguments.cluster(settings, "cluster", GivenNetwork()), on_cloud())
        pulumi.export("kubeconfig", cluster.kubeconfig)
        pulumi.export("id", cluster.cluster_id)
        pulumi.export("api", cluster.api_address)

    return run_program(program)


@pytest.fixture
def recording(run_program: ProgramRunner) -> Recording:
    return make(run_program)


def test_the_template_has_all_settings(recording: Recording) -> None:
    template = recording.one("ClusterTemplate").inputs
    assert re.fullmatch(r"rsp-test-cluster-v1\.36\.3-[0-9a-f]{8}", template["name"])
    assert template["labels"]["kube_tag"] == "v1.36.3"
    assert template["fixedNetwork"] == "network-id"
    assert template["fixedSubnet"] == "subnet-id"
    assert template["externalNetworkId"] == "external-id"
    assert template["networkDriver"] == "calico"
    assert template["volumeDriver"] == "cinder"
    assert template["keypairId"] == "operators"
    assert template["dnsNameserver"] == "9.9.9.9,149.112.112.112"
    assert template["masterLbEnabled"] is True


def test_a_changed_template_is_replaced(recording: Recording) -> None:
    template = recording.one("ClusterTemplate")
    assert list(template.request.replaceOnChanges) == ["*"]
    # The old template is in use until the cluster has been updated.
    assert not template.request.deleteBeforeReplace


def test_the_template_keeps_the_id_of_the_image(recording: Recording) -> None:
    template, image = recording.one("ClusterTemplate"), recording.one("pulumi:index:Stash")
    assert image.inputs["input"] == template.inputs["image"] == "image-id"
    assert template.ignored == {"image"}
    # A newer image of the same name is ignored, another name or release is not.
    assert image.ignored == {"input"}
    assert list(image.request.replacement_trigger.list_value) == ["ubuntu-2404-kube-v1.36.3", "v1.36.3"]


@pytest.mark.parametrize("image", ["ubuntu-2404-kube-v1.36.3", "0c9cf3b1-5a67-4a1a-9f2c-7f6f8d3c2b1a"])
def test_an_image_that_is_not_found_or_an_id_is_left_to_magnum(run_program: ProgramRunner, image: str) -> None:
    without_image = run_program.having(invokes={"openstack:images/getImageIds:getImageIds": {"ids": []}})
    template = make(without_image, clusters__cluster__image=image).one("ClusterTemplate")
    assert template.inputs["image"] == image


@pytest.mark.parametrize(("kept", "image"), [("ubuntu-2404-kube-v1.36.3", "image-id"), ("older-id", "older-id")])
def test_an_image_that_was_uploaded_later_has_its_id_in_the_template(
    run_program: ProgramRunner, kept: str, image: str
) -> None:
    template = make(run_program.having(stashed={"cluster-image": kept})).one("ClusterTemplate")
    assert template.inputs["image"] == image


def test_the_name_of_a_template_depends_on_its_content(run_program: ProgramRunner, recording: Recording) -> None:
    changes: list[dict[str, object]] = [
        {},
        {"clusters__cluster__autohealing": False},
        {"clusters__cluster__image": "ubuntu-2404-kube-v1.36.3-2"},
        {"clusters__cluster__workers__flavor": "m1.xlarge"},
        {"clusters__cluster__masters__flavor": "m1.xlarge"},
        {"clusters__cluster__kubernetesVersion": "v1.36.4"},
        HEAT,
        {**HEAT, "clusters__cluster__networkDriver": "flannel"},
        {"clusters__cluster__publicApi": False},
        {"cloud__keypair": None},
    ]
    names = [make(run_program, **each).one("ClusterTemplate").inputs["name"] for each in changes]
    assert names[0] == recording.one("ClusterTemplate").inputs["name"]
    assert len(set(names)) == len(names)


def test_the_number_of_nodes_is_not_part_of_the_template(run_program: ProgramRunner, recording: Recording) -> None:
    grown = make(run_program, clusters__cluster__workers__count=5)
    assert grown.one("ClusterTemplate").inputs == recording.one("ClusterTemplate").inputs


def test_the_cluster_takes_its_labels_from_the_template(recording: Recording) -> None:
    cluster = recording.one("Cluster")
    assert cluster.inputs == {
        "name": "rsp-test-cluster",
        "clusterTemplateId": "cluster-template-id",
        "masterCount": 3,
        "nodeCount": 2,
        "createTimeout": 90,
    }


@pytest.mark.parametrize("kind", ["Cluster", "NodeGroup"])
def test_two_of_the_same_name_never_exist(recording: Recording, kind: str) -> None:
    assert recording.one(kind).request.deleteBeforeReplace


@pytest.mark.parametrize(
    ("changes", "balanced"),
    [
        ({}, True),
        ({"clusters__cluster__masters__count": 1, "clusters__cluster__publicApi": False}, True),
        ({**HEAT, "clusters__cluster__masters__count": 1, "clusters__cluster__publicApi": False}, False),
        ({**HEAT, "clusters__cluster__masters__count": 1}, True),
        (HEAT, True),
    ],
)
def test_no_node_gets_a_floating_ip(run_program: ProgramRunner, changes: dict[str, object], balanced: bool) -> None:
    template = make(run_program, **changes).one("ClusterTemplate").inputs
    assert template["masterLbEnabled"] is balanced
    assert template["floatingIpEnabled"] is False


def test_the_number_of_autoscaled_nodes_is_ignored(run_program: ProgramRunner, recording: Recording) -> None:
    assert not recording.one("Cluster").ignored
    assert not recording.one("NodeGroup").ignored
    scaled = make(
        run_program,
        clusters__cluster__workers__autoscaling=BOUNDS,
        clusters__cluster__nodeGroups__labs__autoscaling=BOUNDS,
    )
    assert scaled.one("Cluster").ignored == {"nodeCount"}
    assert scaled.one("NodeGroup").ignored == {"nodeCount"}
    assert scaled.one("NodeGroup").inputs["maxNodeCount"] == 5


def test_node_groups_are_created_sequentially(run_program: ProgramRunner) -> None:
    group = {"flavor": "m1.large", "count": 1}
    recording = make(run_program, clusters__cluster__nodeGroups={"qserv": group, "labs": group, "batch": group})
    groups = {each.inputs["name"]: each for each in recording.of("NodeGroup")}
    cluster = recording.one("Cluster").urn
    assert cluster in groups["batch"].dependencies
    assert groups["batch"].urn in groups["labs"].dependencies
    assert groups["labs"].urn in groups["qserv"].dependencies
    assert groups["qserv"].urn not in groups["batch"].dependencies | groups["labs"].dependencies


def test_the_kubeconfig_is_secret(recording: Recording) -> None:
    assert recording.exports["kubeconfig"] == "kubeconfig-of-the-test"
    assert recording.veiled_exports == {
        "kubeconfig": "[secret]",
        "id": "cluster-cluster-id",
        "api": "https://203.0.113.20:6443",
    }


def test_node_groups_are_deleted_with_the_cluster(recording: Recording) -> None:
    assert recording.one("NodeGroup").request.deletedWith == recording.one("Cluster").urn


def test_a_node_group_with_heat_has_labels_and_taints_by_options_of_its_kubelets(
    run_program: ProgramRunner,
) -> None:
    group = {
        "flavor": "gpu.large",
        "count": 1,
        "labels": {"gpu": "a100", "example.org/rack": "7"},
        "taints": ["gpu=:NoSchedule", "a=b:NoExecute"],
        "availabilityZone": "az1",
    }
    recording = make(
        run_program, **HEAT, clusters__cluster__nodeGroups={"gpus": group, "labs": {"flavor": "m1.large", "count": 1}}
    )
    gpus, labs = (recording.one("NodeGroup", f"cluster-{name}").inputs for name in ("gpus", "labs"))
    of_cluster = recording.one("ClusterTemplate").inputs["labels"]["kubelet_options"]
    assert gpus["labels"] == {
        "availability_zone": "az1",
        "kubelet_options": f"{of_cluster} --node-labels=example.org/rack=7,gpu=a100 "
        "--register-with-taints=gpu=:NoSchedule,a=b:NoExecute",
    }
    assert gpus["mergeLabels"] is True
    # The group has those of the cluster.
    assert labs.keys().isdisjoint({"labels", "mergeLabels"})


def test_access_to_nodes_waits_for_the_cluster_and_all_groups(run_program: ProgramRunner) -> None:
    depending: list[set[str]] = []

    def program() -> None:
        args = openstack_arguments.cluster(environment(), "cluster", GivenNetwork())
        cluster = MagnumCluster("cluster", args, on_cloud())

        async def record(kubeconfig: str) -> str:
            assert kubeconfig == "kubeconfig-of-the-test"
            depending.append({each._name for each in await cluster.access_to_nodes.resources()})  # noqa: SLF001
            return kubeconfig

        pulumi.export("access", cluster.access_to_nodes.apply(record))

    recording = run_program(program)
    assert depending == [{"cluster-cluster", "cluster-labs"}]
    assert recording.veiled_exports["access"] == "[secret]"
    assert run_program.having(preview=True)(program).exports["access"] == pulumi.runtime.rpc.UNKNOWN
