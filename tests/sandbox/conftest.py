"""Fixtures of the tests of the running sandbox: clients of its APIs, and the program.

The checks use the APIs of OpenStack, Kubernetes and Vault instead of the stack's state. Each client gets its
credentials from the cloud, as a user's would.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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

PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
"""Annotation of the volumes that a provisioner has created, and may delete."""


@pytest.fixture(scope="session")
def settings() -> StackConfig:
    """Return the configuration of the stack."""
    return loader.load_file(paths.CHECKOUT / "Pulumi.sandbox.yaml", StackConfig)


@pytest.fixture(scope="session")
def program(request: pytest.FixtureRequest) -> Iterator[Program]:
    """Yield the program after `make up`, whose progress is shown, as it may take long."""
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(flush=True)  # noqa: T201 - ends pytest's progress line
        subprocess.run([sys.executable, "-m", "sandbox", "up"], cwd=paths.CHECKOUT, check=True)
    # VAULT_TOKEN and the other variables must not be set for other tests.
    with pytest.MonkeyPatch.context() as patched:
        for name, value in environment.variables().items():
            patched.setenv(name, value)
        yield Program("sandbox")


@pytest.fixture(scope="session")
def outputs(program: Program) -> dict[str, object]:
    """Return the stack outputs."""
    return program.outputs()


@pytest.fixture(scope="session")
def tenant(program: Program) -> Iterator[Connection]:
    """Yield a client for OpenStack with the tenant's credentials."""
    del program  # starts the cloud
    with openstack.connect(cloud="rsp") as connection:
        yield connection


@pytest.fixture(scope="session")
def cluster(tenant: Connection) -> certificates.MagnumCluster:
    """Return the stack's cluster."""
    wanted = cloud_name("sandbox", "cluster")
    (cluster,) = [each for each in tenant.container_infrastructure_management.clusters() if each.name == wanted]
    return certificates.MagnumCluster(tenant, str(cluster.uuid))


@pytest.fixture(scope="session")
def kubernetes(
    cluster: certificates.MagnumCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[client.ApiClient]:
    """Yield a client for the cluster's API, with a certificate that Magnum signs for this test run.

    Afterwards, the provisioner is left to delete the volumes that the platform's classes have kept of claims deleted
    since.
    """
    folder: Path = tmp_path_factory.mktemp("kubernetes")
    with cluster.client(cluster.signed_certificate(), folder) as api:
        core: Any = client.CoreV1Api(api)

        def phases() -> dict[str, str]:
            found = [(each.metadata, each.status) for each in core.list_persistent_volume().items]
            return {data.name: status.phase for data, status in found if PROVISIONED_BY in (data.annotations or {})}

        before = phases()
        yield api
        released = {name for name, phase in phases().items() if phase == "Released" and before.get(name) != phase}
        for name in released:
            core.patch_persistent_volume(name, {"spec": {"persistentVolumeReclaimPolicy": "Delete"}})


@pytest.fixture(scope="session")
def objects(kubernetes: client.ApiClient) -> Objects:
    """Return a client for objects of any kind in the cluster."""
    return Objects(kubernetes)


@pytest.fixture(scope="session")
def vault(program: Program) -> hvac.Client:
    """Return a client for Vault with the operator's token."""
    del program
    variables = environment.variables()
    return hvac.Client(url=variables["VAULT_ADDR"], token=variables["VAULT_TOKEN"])


@pytest.fixture(scope="session")
def vault_root(program: Program) -> hvac.Client:
    """Return a client for Vault with the root token."""
    del program
    keys = json.loads((paths.VAULT / "init.json").read_text())
    return hvac.Client(url=environment.variables()["VAULT_ADDR"], token=keys["root_token"])
