"""What a killed run of the Pulumi CLI was making: the CLI only warns of it, and would make it once more."""

from collections.abc import Iterator, Mapping
from typing import Any

from pulumi import automation

from sandbox.engine.adapters.openstack import PACKAGE

_CREATING = "creating"


def recover(stack: automation.Stack) -> None:
    """Find in OpenStack what an interrupted creation has made after all, and record it, as `pulumi refresh` asks for.

    What is not found there was not made. Creations in Vault and in Kubernetes may be repeated.
    """
    exported = stack.export_stack()
    deployment: dict[str, Any] = dict(exported.deployment or {})
    pending = deployment.get("pending_operations") or []
    if not any(each["type"] == _CREATING for each in pending):
        return
    recorded = {each.get("id"): each for each in deployment["resources"]}
    creations = [each["resource"] for each in pending if each["type"] == _CREATING]
    # An import drops the pending operations; the refresh reads what of a resource only the service knows.
    deployment["resources"] = [*deployment["resources"], *_found(creations, recorded)]
    stack.import_stack(automation.Deployment(exported.version, deployment))
    stack.refresh(show_secrets=False)


def _found(resources: list[dict[str, Any]], recorded: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    adapters = {each.kind: each for each in PACKAGE.resources}
    for resource in resources:
        adapter, provider = adapters.get(resource["type"]), recorded.get(resource["provider"].rpartition("::")[2])
        if adapter is None or provider is None:
            continue
        client = PACKAGE.connect({name: provider["inputs"].get(name) for name in ("cloud", "region")})
        there = [each for each in adapter.candidates(client, resource["inputs"]) if each not in recorded]
        if len(there) == 1:
            yield {**resource, "id": there[0], "outputs": resource["inputs"]}
