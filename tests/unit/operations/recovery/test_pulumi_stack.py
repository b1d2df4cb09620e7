"""The commands of the Pulumi CLI that a recovery runs."""

import pytest

from operations.recovery.pulumi_stack import PulumiStack
from tests.unit.operations.recovery.fake_pulumi import FakePulumi

STACK = PulumiStack("test")


def test_the_programs_configuration_is_not_passed_on(pulumi: FakePulumi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG", '{"rsp:token": "planted"}')
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", '["rsp:token"]')
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "needed")
    STACK.export()
    assert pulumi.variable("PULUMI_CONFIG") is pulumi.variable("PULUMI_CONFIG_SECRET_KEYS") is None
    assert pulumi.variable("PULUMI_CONFIG_PASSPHRASE") == "needed"
