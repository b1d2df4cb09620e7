"""Which provider serves a resource, whether it can be reached, and whether it is still the same service."""

from sandbox.engine import diff, urns
from sandbox.engine.adapters import PROVIDER_PREFIX
from sandbox.engine.config import StackConfig
from sandbox.engine.errors import ResourceError
from sandbox.engine.options import Goal
from sandbox.engine.provision import Provisioner
from sandbox.engine.resources import Resource


def require(goal: Goal, config: StackConfig) -> None:
    """See that a resource names its provider, if the stack asks for that.

    Raises:
        ResourceError: It does not, and `pulumi:disable-default-providers` has its package.
    """
    if goal.provider or goal.type.startswith((PROVIDER_PREFIX, "pulumi:")):
        return
    if config.default_provider_disabled(goal.package):
        raise ResourceError(
            f"default provider for {goal.package!r} disabled by pulumi:disable-default-providers: "
            "it must be given an explicit provider"
        )


def verify(goal: Goal, provisioner: Provisioner) -> None:
    """Reach a provider's service now, so that a wrong address or password is told before anything is made.

    Args:
        goal: A resource; nothing is done for one that is no provider.
        provisioner: Has the provider in its state.

    Raises:
        EngineError: The service cannot be reached, or refuses the login.
    """
    recorded = provisioner.state.get(goal.urn)
    if recorded is None or not goal.type.startswith(PROVIDER_PREFIX):
        return
    check = getattr(provisioner.provider_client(recorded), "verify", None)
    if check:
        with provisioner.explained(goal.type.removeprefix(PROVIDER_PREFIX)):
            check()


def replaced(old: Resource, goal: Goal, provisioner: Provisioner) -> bool:
    """Whether a resource's provider is another service now, so that the resource has to be made anew there."""
    if old.provider == goal.provider or not (old.provider and goal.provider):
        return bool(old.provider) != bool(goal.provider) and goal.package != "pulumi"
    (old_urn, old_id), (new_urn, new_id) = urns.split_reference(old.provider), urns.split_reference(goal.provider)
    new = provisioner.state.get(new_urn)
    if old_urn == new_urn:
        return not new or new.id != old_id or new_id != old_id
    before = provisioner.state.get(old_urn)
    if before is None or new is None:
        return True
    adapter = provisioner.registry.adapter(new.type)
    found = diff.changes(before.inputs, new.inputs)
    return any(adapter.forces_replacement(change, new.inputs) for change in found)
