"""No duplicate of an existing resource is created unless the existing one is in the state."""

import asyncio
from typing import Any
from unittest.mock import Mock

import pulumi as pulumi_sdk
import pytest
from openstack.exceptions import HttpException
from pulumi import ResourceHookArgs

from config.cloud import Cloud as Settings
from phalanx.errors import PhalanxError
from program import duplicates
from program.duplicates import DuplicateError, _DuplicateCheck, qualified_name
from recovery.pulumi_stack import PulumiError, PulumiStack
from tests.unit.recovery.conftest import CLOUD_STATE, NETWORK, Cloud, network
from tests.unit.recovery.fake_pulumi import FakePulumi

pytestmark = pytest.mark.usefixtures("cloud")


@pytest.fixture
def check() -> _DuplicateCheck:
    return _DuplicateCheck(Settings(name="rsp", region="RegionOne"), "test")


def before_create(check: _DuplicateCheck, name: str) -> None:
    args = ResourceHookArgs(urn="urn", id="", name="n", type=NETWORK, new_inputs={"name": name})
    asyncio.run(check.before_create(args))


def test_a_new_resource_is_allowed_without_reading_the_state(check: _DuplicateCheck, pulumi: FakePulumi) -> None:
    before_create(check, "new")
    assert pulumi.calls == []


def test_a_duplicate_is_refused_with_the_command_to_run(
    check: _DuplicateCheck, cloud: Cloud, pulumi: FakePulumi
) -> None:
    pulumi.write([CLOUD_STATE], [])
    cloud.networks.update(there=["id-1"])
    with pytest.raises(DuplicateError, match=r"there already exists \(id-1\).*operations recover -s test"):
        before_create(check, "there")


def test_the_command_names_the_folder_of_another_project(cloud: Cloud, pulumi: FakePulumi) -> None:
    pulumi.write([CLOUD_STATE], [])
    cloud.networks.update(there=["id-1"])
    with pytest.raises(DuplicateError, match="operations recover -C vault -s test"):
        before_create(_DuplicateCheck(Settings(name="rsp", region="RegionOne"), "test", "vault"), "there")


def test_a_resource_in_the_state_can_be_replaced(check: _DuplicateCheck, cloud: Cloud, pulumi: FakePulumi) -> None:
    pulumi.write([CLOUD_STATE, {**network("there"), "id": "id-1"}], [])
    cloud.networks.update(there=["id-1"])
    before_create(check, "there")


def test_the_state_is_read_again_while_its_file_is_being_written(
    check: _DuplicateCheck, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = iter([PulumiError("failed to load checkpoint: EOF"), {"deployment": {"resources": [{"id": "id-1"}]}}])

    def export(_: PulumiStack) -> Any:
        outcome = next(outcomes)
        if isinstance(outcome, PulumiError):
            raise outcome
        return outcome

    monkeypatch.setattr(PulumiStack, "export", export)
    monkeypatch.setattr(duplicates, "_PAUSE", 0)
    cloud.networks.update(there=["id-1"])
    before_create(check, "there")


def test_nothing_is_created_if_the_state_cannot_be_read(
    check: _DuplicateCheck, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(duplicates, "_PAUSE", 0)
    monkeypatch.setenv("PATH", str(tmp_path))
    cloud.networks.update(there=["id-1"])
    with pytest.raises(PhalanxError, match=r"cannot determine whether.*id-1.*not on PATH") as raised:
        before_create(check, "there")
    assert not isinstance(raised.value, DuplicateError)


@pytest.mark.parametrize(("organization", "name"), [("organization", "test"), ("acme", "acme/rsp/test")])
def test_the_stack_is_named_with_its_organization_if_the_backend_has_any(
    monkeypatch: pytest.MonkeyPatch, organization: str, name: str
) -> None:
    for function, value in (("organization", organization), ("project", "rsp"), ("stack", "test")):
        monkeypatch.setattr(pulumi_sdk, f"get_{function}", lambda value=value: value)
    assert qualified_name() == name


def test_a_creation_that_cannot_be_checked_is_refused(
    check: _DuplicateCheck, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud.network, "networks", Mock(side_effect=HttpException("Service Unavailable")))
    with pytest.raises(PhalanxError, match="cannot determine whether"):
        before_create(check, "new")
