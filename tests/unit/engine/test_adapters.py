"""What the adapters of real services check, compare and send; the services themselves are met in tests/sandbox."""

import base64
import re
from typing import Any

import hvac.exceptions
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID
from keystoneauth1 import exceptions as keystone
from kubernetes.client.exceptions import ApiException
from openstack.exceptions import ConflictException, HttpException

from sandbox.engine.adapters import standard
from sandbox.engine.adapters.kubernetes import helm
from sandbox.engine.adapters.openstack import kubeconfig
from sandbox.engine.adapters.openstack.resource import OpenStackResource
from sandbox.engine.adapters.spelling import camel, snake
from sandbox.engine.diff import changes
from sandbox.engine.errors import EngineError, ResourceError
from sandbox.engine.values import UNKNOWN, Secret

TYPES = [adapter for name in ("openstack", "kubernetes", "vault") for adapter in standard().package(name).resources]


def fixed(token: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The differences that replace a resource of that type."""
    adapter = standard().adapter(token)
    return [str(each) for each in changes(old, new) if adapter.forces_replacement(each, new)]


@pytest.mark.parametrize("adapter", TYPES, ids=lambda adapter: adapter.kind)
def test_reported_properties_have_a_field(adapter: Any) -> None:
    if isinstance(adapter, OpenStackResource):
        assert all(camel(snake(key)) == key or key in adapter.fields for key in adapter.reported)
    assert all(key in adapter.properties or key not in adapter.secret_outputs for key in adapter.properties)


def test_only_template_and_node_count_of_a_cluster_change_in_place() -> None:
    old = {"name": "a", "clusterTemplateId": "1", "nodeCount": 1, "labels": {"a": "b"}, "masterCount": 1}
    new = {"name": "b", "clusterTemplateId": "2", "nodeCount": 2, "labels": {"a": "c"}, "masterCount": 3}
    replacing = fixed("openstack:containerinfra/cluster:Cluster", old, new)
    assert sorted(replacing) == ["labels.a", "masterCount", "name"]


def test_new_data_of_a_secret_or_config_map_replaces_it() -> None:
    old = {"metadata": {"name": "x", "labels": {"a": "1"}}, "data": {"k": "1"}}
    new = {"metadata": {"name": "x", "labels": {"a": "2"}}, "data": {"k": "2"}}
    for kind in ("Secret", "ConfigMap"):
        assert fixed(f"kubernetes:core/v1:{kind}", old, new) == ["data.k"]
    assert fixed("kubernetes:core/v1:Namespace", old, {"metadata": {"name": "y"}}) == ["metadata.name"]


def test_cluster_identifier_decides_whether_it_is_another_cluster() -> None:
    token = "pulumi:providers:kubernetes"
    assert fixed(token, {"kubeconfig": "a"}, {"kubeconfig": "b"}) == ["kubeconfig"]
    assert (
        fixed(token, {"kubeconfig": "a", "clusterIdentifier": "1"}, {"kubeconfig": UNKNOWN, "clusterIdentifier": "1"})
        == []
    )
    assert fixed(token, {"clusterIdentifier": "1"}, {"clusterIdentifier": "2"}) == ["clusterIdentifier"]


@pytest.mark.parametrize(
    ("token", "inputs", "fault"),
    [
        ("openstack:networking/subnet:Subnet", {"networkId": "n", "cidr": "10.0.0.1/24"}, "has host bits set"),
        ("openstack:networking/routerInterface:RouterInterface", {"routerId": "r"}, "one of `subnetId` and `portId`"),
        (
            "openstack:networking/secGroupRule:SecGroupRule",
            {"direction": "in", "ethertype": "IPv4", "securityGroupId": "s"},
            "`direction` must be one of egress, ingress",
        ),
        ("openstack:networking/network:Network", {"nome": "x"}, "does not know the input `nome`"),
        ("openstack:blockstorage/volume:Volume", {}, "the input `size` is missing"),
        (
            "openstack:containerinfra/clusterTemplate:ClusterTemplate",
            {"coe": "kubernetes", "image": "i", "labels": {"auto_healing_enabled": True}},
            "`labels`: auto_healing_enabled must be a text",
        ),
        ("vault:kv/secretV2:SecretV2", {"mount": "m", "dataJson": "[1]"}, "`dataJson` must be a JSON object"),
        ("kubernetes:helm.sh/v3:Release", {"chart": "nowhere"}, "cannot read nowhere/Chart.yaml"),
    ],
)
def test_wrong_inputs_are_told_before_any_call(token: str, inputs: dict[str, Any], fault: str) -> None:
    with pytest.raises(ResourceError, match=fault.replace("(", r"\(")):
        standard().adapter(token).check(inputs, "it", None)


def test_objects_get_a_name_and_a_namespace() -> None:
    adapter = standard().adapter("kubernetes:core/v1:ConfigMap")
    given = {"apiVersion": "v1", "kind": "ConfigMap", "data": {}}
    made = adapter.check(given, "it", None)
    assert made["metadata"]["name"].startswith("it-")
    assert made["metadata"]["namespace"] == "default"
    assert adapter.check(given, "it", made)["metadata"]["name"] == made["metadata"]["name"]
    assert not adapter.delete_before_replace(made, given)
    assert adapter.delete_before_replace(made, {"metadata": {"name": made["metadata"]["name"]}})


def test_data_of_a_secret_are_sealed_in_both_forms() -> None:
    adapter = standard().adapter("kubernetes:core/v1:Secret")
    assert adapter.secret_keys({"stringData": {"a": Secret("b")}}) >= {"data", "stringData"}


def test_values_of_helm_files_are_merged_under_those_of_the_program(tmp_path: Any) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("a: {b: 1, c: 2}\nd: [1]\n")
    merged = yaml.safe_load(helm.merged_values({"valueYamlFiles": [str(file)], "values": {"a": {"b": 9}, "d": [2]}}))
    assert merged == {"a": {"b": 9, "c": 2}, "d": [2]}


class CertificateService:
    """Plays Magnum's certificate API: signs what it is asked to."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.request: x509.CertificateSigningRequest | None = None

    def service(self, _name: str) -> "CertificateService":
        return self

    def call(self, method: str, path: str, body: Any = None) -> dict[str, str]:
        if method == "GET":
            assert path == "/certificates/cluster-id"
            return {"pem": "authority"}
        self.request = x509.load_pem_x509_csr(body["csr"].encode())
        return {"pem": "certificate"}


def test_kubeconfig_is_that_of_the_real_provider() -> None:
    magnum: Any = CertificateService()
    made = kubeconfig.sign(magnum, "cluster-id", "one", "https://10.0.0.1:6443")
    assert made.keys() == {"raw_config", "host", "cluster_ca_certificate", "client_certificate", "client_key"}
    names = {each.oid: each.value for each in magnum.request.subject}
    assert names == {NameOID.COMMON_NAME: "admin", NameOID.ORGANIZATION_NAME: "system:masters"}
    assert isinstance(magnum.request.signature_hash_algorithm, hashes.SHA512)
    key: Any = load_pem_private_key(made["client_key"].encode(), None)
    assert key.key_size == 4096
    assert key.public_key() == magnum.request.public_key()
    config = yaml.safe_load(made["raw_config"])
    assert config["clusters"][0]["cluster"]["server"] == "https://10.0.0.1:6443"
    assert base64.b64decode(config["users"][0]["user"]["client-key-data"]).decode() == made["client_key"]


@pytest.mark.parametrize(
    ("package", "error", "kind", "told"),
    [
        ("openstack", keystone.Unauthorized("no"), ResourceError, "Keystone refused the login"),
        (
            "openstack",
            keystone.ConnectFailure("pool (Caused by X('[Errno 111] Connection refused'))"),
            EngineError,
            r"OpenStack cannot be reached \(Connection refused\)",
        ),
        (
            "openstack",
            ConflictException(message="in use", http_status=409),
            ResourceError,
            "refused with status 409: in use",
        ),
        ("openstack", HttpException(message="bad gateway", http_status=502), EngineError, "OpenStack failed"),
        ("vault", hvac.exceptions.Forbidden(errors=["permission\n denied"]), ResourceError, r"\(permission denied\)"),
        ("vault", hvac.exceptions.VaultDown("sealed"), EngineError, "sealed or not ready"),
        ("kubernetes", ApiException(status=401, reason="Unauthorized"), ResourceError, "have they expired"),
        ("kubernetes", ApiException(status=409, reason="conflict"), ResourceError, "pulumi.com/patchForce"),
        ("kubernetes", ApiException(status=500, reason="etcd"), EngineError, "the cluster answered 500: etcd"),
    ],
)
def test_failures_of_services_are_told_for_people(package: str, error: Exception, kind: type, told: str) -> None:
    """A refusal is a ResourceError; of any other failure nobody knows whether something was made."""
    explained = standard().package(package).explain(error)
    assert type(explained) is kind
    assert re.search(told, str(explained))


@pytest.mark.parametrize("package", ["openstack", "vault", "kubernetes"])
def test_unknown_failure_is_not_explained_away(package: str) -> None:
    assert standard().package(package).explain(KeyError("bug")) is None
