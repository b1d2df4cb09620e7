"""What the tests of the running sandbox share: its own APIs' clients, and the program run for real.

The checks look through OpenStack's, Kubernetes' and Vault's APIs, never through the state of the stack: each client
gets its credentials from the cloud, as a person's tool would.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hvac
import openstack
import pytest
from kubernetes import client
from openstack.connection import Connection

from config import loader
from config.names import cloud_name
from config.stack_config import StackConfig
from sandbox import environment, paths
from tests.sandbox import certificates
from tests.sandbox.objects import Objects
from tests.sandbox.program import Program


@pytest.fixture(scope="session")
def settings() -> StackConfig:
    """What the sandbox's stack file says."""
    return loader.load_file(paths.CHECKOUT / "Pulumi.sandbox.yaml")


@pytest.fixture(scope="session")
def program(request: pytest.FixtureRequest) -> Iterator[Program]:
    """The program, after `make up`; its progress is shown while it runs, as the first time takes long."""
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(flush=True)  # noqa: T201 - ends pytest's line of dots
        subprocess.run([sys.executable, "-m", "sandbox", "up"], cwd=paths.CHECKOUT, check=True)
    # The variables name a file of secrets, not the secrets, but for Vault's token: keep them out of other tests.
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment.variables().items():
            patched.setenv(name, value)
        yield Program("sandbox")


@pytest.fixture(scope="session")
def outputs(program: Program) -> dict[str, object]:
    """The stack's outputs, as every other tool reads them."""
    return program.outputs()


@pytest.fixture(scope="session")
def tenant(program: Program) -> Iterator[Connection]:
    """OpenStack as the platform's owner sees it."""
    del program  # brings the cloud up
    with openstack.connect(cloud="rsp") as connection:
        yield connection


@pytest.fixture(scope="session")
def cluster(tenant: Connection) -> certificates.MagnumCluster:
    """The stack's cluster, as Magnum has it."""
    wanted = cloud_name("sandbox", "cluster")
    (cluster,) = [each for each in tenant.container_infrastructure_management.clusters() if each.name == wanted]
    return certificates.MagnumCluster(tenant, str(cluster.uuid))


@pytest.fixture(scope="session")
def kubernetes(
    cluster: certificates.MagnumCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[client.ApiClient]:
    """The cluster's API, with a certificate that Magnum signs for this test run."""
    folder: Path = tmp_path_factory.mktemp("kubernetes")
    with cluster.client(cluster.signed_certificate(), folder) as api:
        yield api


@pytest.fixture(scope="session")
def objects(kubernetes: client.ApiClient) -> Objects:
    """Objects of any kind in the cluster."""
    return Objects(kubernetes)


@pytest.fixture(scope="session")
def vault(program: Program) -> hvac.Client:
    """Vault, as its operator."""
    del program
    variables = environment.variables()
    return hvac.Client(url=variables["VAULT_ADDR"], token=variables["VAULT_TOKEN"])
