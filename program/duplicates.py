"""Refuse to create an OpenStack resource whose name already exists in the stack's project."""

import contextlib
import functools
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import ResourceHook, ResourceHookArgs, ResourceHookBinding

from config.cloud import Cloud
from phalanx.errors import PhalanxError
from probes import openstack_connection
from program.hooks import bind_hooks, in_thread
from recovery import openstack
from recovery.document import resources
from recovery.finder import Finder
from recovery.pulumi_stack import PulumiError, PulumiStack
from recovery.services import reported

if TYPE_CHECKING:
    from openstack.connection import Connection

_NO_ORGANIZATION = "organization"
"""Organization of all stacks in a self-managed backend (pulumi/pulumi, pkg/backend/diy/store.go)."""

_ADOPTED = {"openstack:objectstorage/container:Container"}
"""Types of resources that the provider adopts if they exist."""

GUARDED: Mapping[str, Finder["Connection"]] = {
    kind: finder for kind, finder in openstack.FINDERS.items() if finder.discard is None and kind not in _ADOPTED
}
"""Types whose creation is refused if the name already exists, with their finders."""


_ATTEMPTS, _PAUSE = 5, 0.5
"""Number of attempts to read the state, and seconds between two of them."""


class DuplicateError(PhalanxError):
    """A resource with the same name already exists but is not in the state."""


def refuse_duplicates(cloud: Cloud, directory: str = "") -> None:
    """Check for duplicates before each creation in OpenStack. Call this once, before the first resource is registered.

    A preview checks nothing, and an update checks only the resources that it creates.

    Args:
        cloud: The stack's OpenStack project.
        directory: Directory of the Pulumi project, relative to the root of the repository; empty for the root.
    """
    check = _DuplicateCheck(cloud, qualified_name(), directory)
    binding = ResourceHookBinding(before_create=[ResourceHook("no-duplicates", check.before_create)])
    pulumi.runtime.register_stack_transformation(bind_hooks(dict.fromkeys(GUARDED, binding)))


def qualified_name() -> str:
    """Return the name of the running program's stack for the CLI, with its organization if the backend has any.

    Without an organization, the CLI would look for the stack in the user's default organization of Pulumi Cloud.
    """
    if (organization := pulumi.get_organization()) == _NO_ORGANIZATION:
        # Backends of older versions, without projects, accept the name of the stack only.
        return pulumi.get_stack()
    return f"{organization}/{pulumi.get_project()}/{pulumi.get_stack()}"


class _DuplicateCheck:
    def __init__(self, cloud: Cloud, stack: str, directory: str = "") -> None:
        self._cloud, self._stack = cloud, stack
        self._recover = f"python -m operations recover {f'-C {directory} ' if directory else ''}-s {stack}"

    async def before_create(self, args: ResourceHookArgs) -> None:
        """Check for a duplicate; the engine calls this before it creates a resource.

        Raises:
            DuplicateError: The resource already exists.
            PhalanxError: The service does not answer, or the state cannot be read.
        """
        await in_thread(self.check, args.type, args.name, args.new_inputs or {})

    def check(self, kind: str, name: str, inputs: Mapping[str, Any]) -> None:
        """Check for a duplicate; raises as `before_create`."""
        with reported(f"cannot determine whether {name} already exists: "):
            found = {each.id for each in GUARDED[kind].find(self._connection, inputs)}
        if unknown := found - self._recorded(name, found):
            raise DuplicateError(
                f"{inputs.get('name', name)} already exists ({', '.join(sorted(unknown))}) but is not in the state, so "
                f"no duplicate was created: run `{self._recover}`, then run the same command again"
            )

    @functools.cached_property
    def _connection(self) -> "Connection":
        return openstack_connection.connect(self._cloud, timeout=openstack_connection.PATIENT_TIMEOUT)

    def _state(self) -> dict[str, Any]:
        """Read the state; with a backend in a directory, the running CLI may be writing the file at that moment."""
        for _ in range(_ATTEMPTS - 1):
            with contextlib.suppress(PulumiError):
                return PulumiStack(self._stack).export()
            time.sleep(_PAUSE)
        return PulumiStack(self._stack).export()

    def _recorded(self, name: str, found: set[str]) -> set[str]:
        """Return the IDs in the state: a resource that is being replaced still exists (`pulumi up --replace`)."""
        if not found:
            return set()
        try:
            return {str(each.get("id")) for each in resources(self._state())}
        except PulumiError as error:
            raise PhalanxError(
                f"cannot determine whether {name} is in the state, so it was not created (resources with that name: "
                f"{', '.join(sorted(found))}): {error}"
            ) from error
