"""The schema of the Kubernetes plugin built for the sandbox is sufficient for an import."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import grpc
import pulumi_kubernetes as kubernetes
import pytest
from pulumi import _types
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from sandbox.tools import VERSIONS, pulumi_home

VERSION = VERSIONS["pulumi-resource-kubernetes"]


@pytest.fixture(scope="module")
def schema() -> Iterator[dict[str, Any]]:
    """Yield the schema that the plugin serves; it prints the port that it listens on."""
    program = pulumi_home() / "plugins" / f"resource-kubernetes-v{VERSION}" / "pulumi-resource-kubernetes"
    if not program.exists():
        pytest.skip("the plugin pulumi-resource-kubernetes is not installed; `make tools` installs it")
    with subprocess.Popen([program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        address = f"127.0.0.1:{process.stdout.readline().strip()}"
        try:
            with grpc.insecure_channel(address, [("grpc.max_receive_message_length", -1)]) as channel:
                stub: Any = provider_pb2_grpc.ResourceProviderStub(channel)
                answer = stub.GetSchema(provider_pb2.GetSchemaRequest(), timeout=20)
                yield json.loads(answer.schema)
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("token", "arguments"),
    [
        ("core/v1:Namespace", kubernetes.core.v1.NamespaceInitArgs),
        ("core/v1:Secret", kubernetes.core.v1.SecretInitArgs),
        ("core/v1:ConfigMap", kubernetes.core.v1.ConfigMapInitArgs),
        ("apps/v1:Deployment", kubernetes.apps.v1.DeploymentInitArgs),
        ("storage.k8s.io/v1:StorageClass", kubernetes.storage.v1.StorageClassInitArgs),
        ("rbac.authorization.k8s.io/v1:ClusterRole", kubernetes.rbac.v1.ClusterRoleInitArgs),
    ],
)
def test_an_imported_object_keeps_what_the_sdk_sends(schema: dict[str, Any], token: str, arguments: type) -> None:
    inputs = schema["resources"][f"kubernetes:{token}"]["inputProperties"]
    assert set(inputs) == set(_types.input_type_py_to_pulumi_names(arguments).values())
