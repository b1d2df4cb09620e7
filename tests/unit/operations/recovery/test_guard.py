"""No second thing of a name is made unless the state has the first."""

import asyncio
from typing import Any

import pytest
from openstack.exceptions import HttpException
from pulumi import ResourceHookArgs

from config.cloud import Cloud as Settings
from operations.recovery.guard import SecondOneError, _Look
from phalanx.errors import PhalanxError
from tests.unit.operations.recovery.conftest import CLOUD_STATE, NETWORK, Cloud, network
from tests.unit.operations.recovery.fake_pulumi import FakePulumi


@pytest.fixture
def look(cloud: Cloud) -> _Look:
    del cloud
    return _Look(Settings(name="rsp", region="RegionOne"), "test")


def before_creation(look: _Look, name: str) -> None:
    args = ResourceHookArgs(urn="urn", id="", name="n", type=NETWORK, new_inputs={"name": name})
    asyncio.run(look.before_creation(args))


def test_a_new_thing_may_be_made_and_the_state_is_not_asked(look: _Look, pulumi: FakePulumi) -> None:
    before_creation(look, "new")
    assert pulumi.calls == []


def test_a_second_one_is_refused_with_the_way_out(look: _Look, cloud: Cloud, pulumi: FakePulumi) -> None:
    pulumi.write([CLOUD_STATE], [])
    cloud.there.update(there=["id-1"])
    with pytest.raises(SecondOneError, match=r"there exists already \(id-1\).*operations recover -s test"):
        before_creation(look, "there")


def test_what_the_state_has_may_be_replaced(look: _Look, cloud: Cloud, pulumi: FakePulumi) -> None:
    pulumi.write([CLOUD_STATE, {**network("there"), "id": "id-1"}], [])
    cloud.there.update(there=["id-1"])
    before_creation(look, "there")


def test_without_a_state_to_ask_it_is_refused(
    look: _Look, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    cloud.there.update(there=["id-1"])
    with pytest.raises(SecondOneError):
        before_creation(look, "there")


def test_nothing_is_made_blindly(look: _Look, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: str) -> None:
        raise HttpException("Service Unavailable")

    monkeypatch.setattr(cloud.network, "networks", fail)
    with pytest.raises(PhalanxError, match="cannot be known"):
        before_creation(look, "new")
