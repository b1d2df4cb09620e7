"""A floating IP is associated only when its previous owner has released it."""

from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from keystoneauth1.exceptions import ConnectFailure
from openstack.exceptions import SDKException

from config.cloud import Cloud
from phalanx.errors import PhalanxError
from program import floating_ip_release
from program.floating_ip_release import FloatingIpInUseError, await_release, before_association
from tests.unit.program.hooks import run_hook

ADDRESS, WANTED = "203.0.113.16", "port-of-our-load-balancer"


class FakeCloud:
    """A cloud whose floating IP has these ports, one after another; the last one stays."""

    def __init__(self, *ports: str | None) -> None:
        self.ports = list(ports)
        self.network = SimpleNamespace(ips=self._ips)

    def _ips(self, floating_ip_address: str) -> list[SimpleNamespace]:
        assert floating_ip_address == ADDRESS
        port = self.ports.pop(0) if len(self.ports) > 1 else self.ports[0]
        return [SimpleNamespace(port_id=port)]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floating_ip_release, "_PAUSE", 0)


def test_an_association_that_exists_already_is_left_alone() -> None:
    cloud: Any = FakeCloud(WANTED)
    await_release(cloud, ADDRESS, WANTED)


def test_an_address_that_is_not_released_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floating_ip_release, "PATIENCE", -1)
    cloud: Any = FakeCloud("other-port")
    with pytest.raises(FloatingIpInUseError, match=f"^the floating IP {ADDRESS} is still associated with port other"):
        await_release(cloud, ADDRESS, WANTED)


def associate() -> None:
    """Run the hook of an association."""
    args: Any = SimpleNamespace(new_inputs={"floatingIp": ADDRESS, "portId": WANTED})
    run_hook(before_association(Cloud(name="test-cloud", region="RegionOne")), args)


def test_the_hook_waits_before_the_association_is_created(monkeypatch: pytest.MonkeyPatch) -> None:
    cloud = FakeCloud("old", None)
    monkeypatch.setattr(floating_ip_release, "connect", lambda _, **__: cloud)
    associate()
    assert cloud.ports == [None]


@pytest.mark.parametrize("error", [SDKException("no answer"), ConnectFailure("no answer")])
def test_an_error_of_neutron_is_reported(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    cloud = SimpleNamespace(network=SimpleNamespace(ips=Mock(side_effect=error)))
    monkeypatch.setattr(floating_ip_release, "connect", lambda _, **__: cloud)
    with pytest.raises(PhalanxError, match=f"^cannot determine whether {ADDRESS} is in use: .*no answer"):
        associate()
