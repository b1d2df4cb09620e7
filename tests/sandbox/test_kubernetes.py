"""The Kubernetes cluster, through its own API."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import urllib3
from kubernetes import client
from openstack.connection import Connection

from config.stack_config import StackConfig
from sandbox import paths
from tests.sandbox.certificates import Authority, Credentials, MagnumCluster
from tests.sandbox.objects import Objects


def test_all_nodes_are_ready_and_servers_in_the_subnet(
    tenant: Connection, objects: Objects, settings: StackConfig
) -> None:
    nodes = {node["metadata"]["name"]: node["status"] for node in objects.all("v1", "Node")}
    ready = {name: _conditions(status)["Ready"] for name, status in nodes.items()}
    assert ready == dict.fromkeys(nodes, "True")
    servers = {
        server.name: port.fixed_ips[0]["ip_address"]
        for server in tenant.compute.servers()
        for port in tenant.network.ports(device_id=server.id)
    }
    for name, status in nodes.items():
        assert [each["address"] for each in status["addresses"] if each["type"] == "InternalIP"] == [servers[name]]
    wanted = settings.cluster.masters.count + settings.cluster.workers.count
    assert len(nodes) == wanted + sum(group.count for group in settings.cluster.node_groups.values())


def test_the_cluster_has_the_configured_version(kubernetes: client.ApiClient, settings: StackConfig) -> None:
    assert client.VersionApi(kubernetes).get_code().git_version == settings.cluster.kubernetes_version


@pytest.mark.parametrize("case", ["expired", "foreign"])
def test_an_expired_or_foreign_certificate_is_rejected(cluster: MagnumCluster, tmp_path: Path, case: str) -> None:
    now = datetime.now(UTC)
    directory = paths.CLUSTERS / cluster.uuid
    own = Authority.of_files(directory / "ca.crt", directory / "ca.key")
    valid = Credentials.signed_by(own, now + timedelta(hours=1))
    refused = {
        "expired": lambda: Credentials.signed_by(own, now - timedelta(hours=1)),
        "foreign": lambda: Credentials.signed_by(Authority.unknown(), now + timedelta(hours=1)),
    }[case]()
    with cluster.client(valid, tmp_path) as api:
        assert client.CoreV1Api(api).list_namespace().items
    with cluster.client(refused, tmp_path) as api:
        with pytest.raises((client.ApiException, urllib3.exceptions.HTTPError)) as caught:
            client.CoreV1Api(api).list_namespace()
        assert getattr(caught.value, "status", 401) == 401


def test_anonymous_requests_are_rejected(cluster: MagnumCluster, tmp_path: Path) -> None:
    authority = tmp_path / "authority.pem"
    authority.write_text(cluster.authority())
    with urllib3.PoolManager(ca_certs=str(authority)) as pool:
        answer = pool.request("GET", f"{cluster.api_address}/api/v1/secrets")
    assert answer.status in {401, 403}


def test_storage_classes_use_cinder_and_retain_volumes(objects: Objects, settings: StackConfig) -> None:
    found = {each["metadata"]["name"]: each for each in objects.all("storage.k8s.io/v1", "StorageClass")}
    assert set(settings.applications.storage_classes) <= set(found)
    for name, wanted in settings.applications.storage_classes.items():
        assert found[name]["provisioner"] == "cinder.csi.openstack.org"
        assert found[name]["volumeBindingMode"] == "WaitForFirstConsumer"
        assert found[name]["parameters"]["type"] == wanted.volume_type
    assert found[settings.applications.database_storage_class]["reclaimPolicy"] == "Retain"


def test_the_drivers_classes_are_not_those_of_the_stack(objects: Objects, settings: StackConfig) -> None:
    found = {each["metadata"]["name"]: each for each in objects.all("storage.k8s.io/v1", "StorageClass")}
    drivers = {name: each for name, each in found.items() if name not in settings.applications.storage_classes}
    types = {name: each["parameters"]["type"] for name, each in drivers.items()}
    assert types.items() >= {("ceph-hdd", "ceph-hdd"), ("ceph-ssd", "ceph-ssd")}
    # The former is a label of the cluster, the latter magnum-capi-helm's default.
    assert {(each["reclaimPolicy"], each["parameters"]["availability"]) for each in drivers.values()} == {
        ("Retain", "nova")
    }


def test_all_volume_claims_are_bound(objects: Objects) -> None:
    phases = {
        (each["metadata"]["namespace"], each["metadata"]["name"]): each["status"]["phase"]
        for each in objects.all("v1", "PersistentVolumeClaim")
    }
    assert phases
    assert phases == dict.fromkeys(phases, "Bound")


def _conditions(status: dict[str, Any]) -> dict[str, str]:
    return {condition["type"]: condition["status"] for condition in status["conditions"]}
