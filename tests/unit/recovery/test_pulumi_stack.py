"""The commands of the Pulumi CLI that a recovery runs."""

import pytest

from recovery.pulumi_stack import PulumiError, PulumiStack
from recovery.recover import StackLockedError, recover
from tests.unit.recovery.fake_pulumi import FakePulumi

STACK = PulumiStack("test")


@pytest.fixture
def pulumi(pulumi_on_path: FakePulumi) -> FakePulumi:
    """Return a fake CLI that is run as a process."""
    return pulumi_on_path


def test_the_programs_configuration_is_not_passed_on(pulumi: FakePulumi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG", '{"rsp:token": "planted"}')
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", '["rsp:token"]')
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "needed")
    STACK.export()
    assert pulumi.variable("PULUMI_CONFIG") is pulumi.variable("PULUMI_CONFIG_SECRET_KEYS") is None
    assert pulumi.variable("PULUMI_CONFIG_PASSPHRASE") == "needed"


def test_an_update_in_pulumi_cloud_is_not_disturbed_unless_forced(pulumi: FakePulumi) -> None:
    pulumi.in_cloud(test=True, other=False)
    with pytest.raises(StackLockedError, match=r"app\.pulumi\.com.*--force-unlock"):
        recover(STACK)
    assert pulumi.called("stack", "export") == pulumi.called("cancel") == []
    recover(STACK, force_unlock=True)
    assert len(pulumi.called("cancel")) == 1
    assert pulumi.called("stack", "rename") == []


def test_the_organization_of_the_stack_is_searched_for_its_update(pulumi: FakePulumi) -> None:
    pulumi.in_cloud(test=False, other=True)
    assert PulumiStack("acme/rsp/test").holders() == []
    (call,) = pulumi.called("stack", "ls")
    assert call[3:5] == ["--organization", "acme"]


def test_an_accepted_rename_is_an_error(pulumi: FakePulumi) -> None:
    pulumi.accept_rename()
    with pytest.raises(PulumiError, match="expected an error"):
        STACK.holders()


def test_a_dry_run_takes_no_lock_and_reports_that(pulumi: FakePulumi) -> None:
    assert "lock: not checked" in "\n".join(recover(STACK, dry_run=True).lines())
    assert pulumi.called("stack", "rename") == []


def test_a_command_that_takes_too_long_is_stopped(pulumi: FakePulumi) -> None:
    # Python alone takes longer to start.
    with pytest.raises(PulumiError, match=r"`pulumi stack export` did not end within 0 s"):
        PulumiStack("test", timeout=0.001).export(secrets=True)
    assert pulumi.calls == []
