"""A registration as the program asks for it: the resource and its options, checked and with Pulumi's inheritance.

An option that the engine does not know is an error: ignoring one silently would give it another meaning than Pulumi's.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pulumi.runtime.proto import resource_pb2

from sandbox.engine import urns
from sandbox.engine.errors import ResourceError
from sandbox.engine.values import Properties, from_wire, from_wire_value

_UNSUPPORTED: Final[Mapping[str, str]] = {
    "remote": "remote components (packages of components)",
    "replace_with": "replace_with",
    "transforms": "transforms",
    "state_migrations": "state_migrations",
    "envVarMappings": "env_var_mappings",
    "packageRef": "parameterised packages",
    "hideDiffs": "hide_diffs",
}
_HOOKS: Final = (
    "before_create",
    "after_create",
    "before_update",
    "after_update",
    "before_delete",
    "after_delete",
    "on_error",
)
_SECONDS: Final[Mapping[str, float]] = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, kw_only=True)
class Goal:
    """One resource as the program wants it.

    Attributes:
        aliases: Other URNs that an earlier run may have recorded it under.
        import_id: Identifier of an existing thing to adopt instead of making one.
        delete_before_replace: None leaves the choice to the provider.
        timeouts: Seconds by operation: create, update, delete, read.
    """

    urn: str
    custom: bool
    parent: str
    inputs: Properties
    provider: str = ""
    providers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    property_dependencies: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    protect: bool = False
    retain_on_delete: bool = False
    deleted_with: str = ""
    ignore_changes: tuple[str, ...] = ()
    replace_on_changes: tuple[str, ...] = ()
    replacement_trigger: Any = None
    delete_before_replace: bool | None = None
    additional_secret_outputs: frozenset[str] = frozenset()
    aliases: tuple[str, ...] = ()
    import_id: str = ""
    timeouts: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def type(self) -> str:
        """The type token."""
        return urns.type_of(self.urn)

    @property
    def name(self) -> str:
        """The name that the program gave."""
        return urns.name_of(self.urn)

    @property
    def package(self) -> str:
        """The package of the type token, which decides which provider serves it."""
        return self.type.partition(":")[0]


def goal(request: resource_pb2.RegisterResourceRequest, urn: str, parent: Goal | None) -> Goal:
    """The registration in `request`, with what a child takes over from its parent.

    A child inherits protect, retainOnDelete, deletedWith, the provider of its package and the aliases (pulumi/pulumi
    `pkg/resource/deploy/source_eval.go`).

    Raises:
        ResourceError: It uses an option that the engine does not know.
    """
    _refuse_unknown(request)
    package = request.type.partition(":")[0]
    inherited_provider = parent.providers.get(package, "") if parent else ""
    return Goal(
        urn=urn,
        custom=request.custom,
        parent=request.parent,
        inputs=from_wire(request.object),
        provider=request.provider or inherited_provider,
        providers={**(parent.providers if parent else {}), **request.providers},
        dependencies=tuple(sorted(request.dependencies)),
        property_dependencies={
            key: tuple(sorted(value.urns)) for key, value in request.propertyDependencies.items() if value.urns
        },
        protect=request.protect if request.HasField("protect") else bool(parent and parent.protect),
        retain_on_delete=(
            request.retainOnDelete if request.HasField("retainOnDelete") else bool(parent and parent.retain_on_delete)
        ),
        deleted_with=request.deletedWith or (parent.deleted_with if parent else ""),
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        replacement_trigger=from_wire_value(request.replacement_trigger),
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        additional_secret_outputs=frozenset(request.additionalSecretOutputs),
        aliases=tuple(urns.aliases(urn, request.parent, request.aliases, parent.aliases if parent else ())),
        import_id=request.importId,
        timeouts={
            operation: seconds(text)
            for operation in ("create", "update", "delete", "read")
            if (text := getattr(request.customTimeouts, operation))
        },
    )


def seconds(duration: str) -> float:
    """A duration as Go writes it (`1h30m`, `90s`, `1.5m`) in seconds.

    Raises:
        ResourceError: It is none.
    """
    parts = re.findall(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)", duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise ResourceError(f"custom_timeouts: {duration!r} is no duration; write it like 30m or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def _refuse_unknown(request: resource_pb2.RegisterResourceRequest) -> None:
    used = [name for field, name in _UNSUPPORTED.items() if getattr(request, field)]
    if any(getattr(request.hooks, hook) for hook in _HOOKS):
        used.append("hooks")
    if used:
        raise ResourceError(
            f"the sandbox's engine does not know the option(s) {', '.join(used)}; do without, or "
            " put the Pulumi CLI on PATH, which then runs the same command"
        )
