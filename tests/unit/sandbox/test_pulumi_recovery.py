"""What a killed run of the CLI was making is recorded if it is there, and made if it is not."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from pulumi import automation

from sandbox import pulumi_recovery

PROVIDER = "urn:pulumi:sandbox::rsp::pulumi:providers:openstack::openstack"


class Stack:
    """A stack's state, and what was done to it."""

    def __init__(self, *creating: str) -> None:
        provider = {"urn": PROVIDER, "id": "provider-id", "inputs": {"cloud": "rsp", "version": "5.5.3"}}
        self.deployment: dict[str, Any] = {
            "resources": [provider, _resource("old") | {"id": "id-of-old"}],
            "pending_operations": [{"type": "creating", "resource": _resource(name)} for name in creating],
        }
        self.refreshed = False

    def export_stack(self) -> automation.Deployment:
        return automation.Deployment(3, self.deployment)

    def import_stack(self, deployment: automation.Deployment) -> None:
        self.deployment = dict(deployment.deployment or {})

    def refresh(self, **_: object) -> None:
        self.refreshed = True

    def ids(self) -> dict[str, str]:
        return {each["urn"]: each["id"] for each in self.deployment["resources"] if each["urn"] != PROVIDER}


def _resource(name: str) -> dict[str, Any]:
    return {"urn": name, "type": "openstack:a:B", "provider": f"{PROVIDER}::provider-id", "inputs": {"name": name}}


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What OpenStack has, by name."""
    found: dict[str, list[str]] = {}
    adapter = SimpleNamespace(kind="openstack:a:B", candidates=lambda _, inputs: found.get(inputs["name"], []))
    package = SimpleNamespace(resources=[adapter], connect=lambda config: config)
    monkeypatch.setattr(pulumi_recovery, "PACKAGE", package)
    return found


def _recover(stack: Stack) -> Stack:
    pulumi_recovery.recover(cast("automation.Stack", stack))
    return stack


def test_what_is_there_is_recorded(there: dict[str, list[str]]) -> None:
    there.update(new=["id-of-new"])
    stack = _recover(Stack("new", "never-made"))
    assert stack.ids() == {"old": "id-of-old", "new": "id-of-new"}
    assert stack.refreshed


def test_what_the_stack_has_already_is_not_it(there: dict[str, list[str]]) -> None:
    there.update(new=["id-of-old", "id-of-new"])
    assert _recover(Stack("new")).ids()["new"] == "id-of-new"


def test_of_several_none_is_guessed(there: dict[str, list[str]]) -> None:
    there.update(new=["one", "another"])
    assert "new" not in _recover(Stack("new")).ids()


@pytest.mark.usefixtures("there")
def test_a_run_that_made_nothing_is_left_alone() -> None:
    assert not _recover(Stack()).refreshed
