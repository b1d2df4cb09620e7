"""Refuse to make a second thing of a name that the stack's own cloud project has already."""

import asyncio
import functools
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import (
    ResourceHook,
    ResourceHookArgs,
    ResourceHookBinding,
    ResourceOptions,
    ResourceTransformationArgs,
    ResourceTransformationResult,
)

from config.cloud import Cloud
from operations.recovery import openstack
from operations.recovery.document import resources
from operations.recovery.finder import Finder
from operations.recovery.pulumi_stack import PulumiError, PulumiStack
from operations.recovery.services import explain
from phalanx.errors import PhalanxError

if TYPE_CHECKING:
    from openstack.connection import Connection

_TAKEN_OVER = {"openstack:objectstorage/container:Container"}
"""What the provider takes over where it is there already."""

GUARDED: Mapping[str, Finder["Connection"]] = {
    kind: finder for kind, finder in openstack.FINDERS.items() if finder.discard is None and kind not in _TAKEN_OVER
}
"""The types of which no second one of a name is made."""


class SecondOneError(PhalanxError):
    """There is one of that name already, and the state does not know it."""


def guard(cloud: Cloud, stack: str) -> None:
    """Let every creation in OpenStack look first whether the thing is there already; to be called once, at the start.

    Nothing is asked in a preview, nor for what the state has.

    Args:
        cloud: Where the stack makes its things.
        stack: Name of the stack.
    """
    look = _Look(cloud, stack)
    hook = ResourceHook("no-second-one", look.before_creation)

    def bind(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        if args.type_ not in GUARDED:
            return None
        binding = ResourceHookBinding(before_create=[hook])
        return ResourceTransformationResult(
            args.props, ResourceOptions.merge(args.opts, ResourceOptions(hooks=binding))
        )

    # In this process: the newer `register_resource_transform` would call back for each of the stack's resources.
    pulumi.runtime.register_stack_transformation(bind)


class _Look:
    def __init__(self, cloud: Cloud, stack: str) -> None:
        self._cloud, self._stack = cloud, stack
        # Threads of its own: those of the event loop may all be waiting for creations, which wait for this.
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="no-second-one")

    async def before_creation(self, args: ResourceHookArgs) -> None:
        """Called by the engine before it creates something.

        Raises:
            SecondOneError: It is there already.
            PhalanxError: Nobody can know, as its service does not answer.
        """
        await asyncio.get_running_loop().run_in_executor(
            self._threads, self.check, args.type, args.name, args.new_inputs or {}
        )

    def check(self, kind: str, name: str, inputs: Mapping[str, Any]) -> None:
        """Look for a thing; errors as for `before_creation`."""
        try:
            there = {each.id for each in GUARDED[kind].find(self._connection, inputs)}
        except Exception as error:  # whatever is not an answer of a service goes on
            raise PhalanxError(f"whether {name} exists already cannot be known: {explain(error)}") from error
        if unknown := there - self._known(there):
            raise SecondOneError(
                f"{inputs.get('name', name)} exists already ({', '.join(sorted(unknown))}), but the state does not "
                f"know it, and a second one was not made: run `python -m operations recover -s {self._stack}`, then "
                "the same command again"
            )

    @functools.cached_property
    def _connection(self) -> "Connection":
        return openstack.connect({"cloud": self._cloud.name, "region": self._cloud.region})

    def _known(self, there: set[str]) -> set[str]:
        """Those that the state has: what is replaced stands until its successor does (`pulumi up --replace`)."""
        if not there:
            return set()
        try:
            return {str(each.get("id")) for each in resources(PulumiStack(self._stack).export())}
        except PulumiError:
            return set()
