"""A preview needs no more than the roles `reader` and `load-balancer_observer`, which create nothing in four services.

Neutron and Magnum of Zed do not distinguish roles.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openstack
import pytest
import yaml
from openstack.connection import Connection
from openstack.exceptions import ForbiddenException

from sandbox import paths
from tests.sandbox.program import Program

CLOUD = "rsp-reader"
ID = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def reader(program: Program) -> Iterator[Connection]:
    """Yield a client with the reader's credentials."""
    del program  # starts the cloud
    with openstack.connect(cloud=CLOUD) as connection:
        yield connection


def test_a_reader_previews(program: Program, tmp_path: Path) -> None:
    entries = yaml.safe_load(paths.CLOUDS_YAML.read_text())["clouds"]
    file = tmp_path / "clouds.yaml"
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump({"clouds": {"rsp": entries[CLOUD]}}))
    previewing = Program(program.stack, variables={"OS_CLIENT_CONFIG_FILE": str(file)})
    assert previewing.changes("preview") == {}


@pytest.mark.parametrize(
    "create",
    [
        lambda cloud: cloud.block_storage.create_volume(name="refused", size=1),
        lambda cloud: cloud.compute.create_server(name="refused", image_id=ID, flavor_id="f", networks="none"),
        lambda cloud: cloud.shared_file_system.create_share(name="refused", size=1, share_protocol="NFS"),
        lambda cloud: cloud.load_balancer.create_load_balancer(name="refused", vip_subnet_id=ID),
    ],
    ids=["Cinder", "Nova", "Manila", "Octavia"],
)
def test_a_reader_creates_nothing(reader: Connection, create: Callable[[Any], object]) -> None:
    with pytest.raises(ForbiddenException):
        create(reader)
