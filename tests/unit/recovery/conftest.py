from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from probes import openstack_connection
from recovery import finder, openstack, search
from recovery.services import SERVICES, Service
from tests.unit.recovery.fake_pulumi import FakePulumi

CLOUD = "urn:pulumi:test::rsp::pulumi:providers:openstack::openstack"
CLOUD_STATE = {
    "urn": CLOUD,
    "type": "pulumi:providers:openstack",
    "custom": True,
    "id": "provider-id",
    "inputs": {"cloud": "rsp", "region": "RegionOne"},
}
NETWORK = "openstack:networking/network:Network"


def resource(kind: str, name: str, inputs: Mapping[str, Any], provider: str = CLOUD) -> dict[str, Any]:
    """Return a resource of a state, without an ID."""
    urn = f"urn:pulumi:test::rsp::{kind}::{name}"
    return {"urn": urn, "type": kind, "custom": True, "provider": f"{provider}::provider-id", "inputs": dict(inputs)}


def network(name: str) -> dict[str, Any]:
    return resource(NETWORK, name, {"name": name})


def pending(kind: str, *resources: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"type": kind, "resource": each} for each in resources]


class Cloud:
    """A project's networks by name, and the number of queries."""

    def __init__(self) -> None:
        self.networks: dict[str, list[str]] = {}
        self.description = ""
        self.queries = 0
        self.current_project_id = "project-id"
        self.network = SimpleNamespace(networks=self._networks)

    def _networks(self, name: str, project_id: str) -> list[SimpleNamespace]:
        assert project_id == self.current_project_id
        self.queries += 1
        return [SimpleNamespace(id=each, description=self.description) for each in self.networks.get(name, [])]


@pytest.fixture
def pulumi(pulumi: FakePulumi) -> FakePulumi:
    """Put an OpenStack provider in the state of the fake CLI."""
    pulumi.write([CLOUD_STATE], [])
    return pulumi


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Replace OpenStack by a fake cloud `rsp`, without delays between queries."""
    found = Cloud()

    def connect(settings: Mapping[str, Any]) -> Cloud:
        assert settings["cloud"] == "rsp"
        return found

    monkeypatch.setitem(SERVICES, "openstack", Service(connect, openstack.FINDERS.get))
    monkeypatch.setattr(openstack_connection, "connect", lambda settings, **_: connect({"cloud": settings.name}))
    monkeypatch.setattr(finder, "POLL", 0)
    monkeypatch.setattr(search, "POLL", 0)
    return found
