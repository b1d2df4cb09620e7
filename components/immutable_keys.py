from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pulumi
from pulumi import ResourceOptions


@dataclass(frozen=True, kw_only=True)
class ImmutableKeysArgs:
    """Arguments of `ImmutableKeys`."""

    namespace: str
    """Namespace of the configuration keys, which is the name of the Pulumi project."""
    values: Mapping[str, pulumi.Input[str]]
    """Values by key path without namespace, or what is derived from them, such as the ID of the project that
    ``cloud.name`` refers to. Secrets must be secret outputs."""
    lasting: Mapping[str, str]
    """Values of keys that can change, but whose last value the cloud keeps when they are removed; empty if a key is not
    set."""


class ImmutableKeys(pulumi.ComponentResource):
    """Configuration keys that cannot be changed or removed once resources exist, and whose value no service reports.

    A Stash for each key keeps the value of the first run, or the last value if the key may change, and each run
    compares its own value with it. Keys whose value a service reports are compared with that value instead
    (``probes/existing_*.py``). `pulumi up --replace` of a Stash accepts another value, or the removal of the key.
    """

    verified: pulumi.Output[None]
    """Resolves if all values are unchanged, and fails otherwise. Providers whose inputs depend on it send no request
    before it has resolved."""

    def __init__(self, name: str, args: ImmutableKeysArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:ImmutableKeys", name, None, opts)
        checks: list[pulumi.Output[None]] = [
            pulumi.Output.all(self._first(f"{name}-{key}", value), value).apply(
                partial(_compare, f"{args.namespace}:{key}")
            )
            for key, value in args.values.items()
        ]
        checks += [
            self._last(f"{name}-{key}", value).apply(partial(_keep, f"{args.namespace}:{key}", value))
            for key, value in args.lasting.items()
        ]
        self.verified = pulumi.Output.unsecret(pulumi.Output.all(*checks)).apply(lambda _: None)
        self.register_outputs({})

    def _first(self, name: str, value: pulumi.Input[str]) -> pulumi.Output[str]:
        return self._kept(name, value, ResourceOptions(ignore_changes=["input"]))

    def _last(self, name: str, value: str) -> pulumi.Output[str]:
        # A Stash has the value of its creation, and is replaced by another value, but not by none.
        replaced = ResourceOptions(replace_on_changes=["input"])
        return self._kept(name, value, replaced) if value else self._first(name, value)

    def _kept(self, name: str, value: pulumi.Input[str], opts: ResourceOptions) -> pulumi.Output[str]:
        stash = pulumi.Stash(name, input=value, opts=ResourceOptions.merge(ResourceOptions(parent=self), opts))
        return pulumi.Output.from_input(stash.output).apply(str)


def _keep(key: str, present: str, last: str) -> None:
    """Raise an error if a key is no longer set."""
    if last and not present:
        raise pulumi.RunError(
            f"{key}: was {last}, and is no longer set, but what exists keeps the value: set it back, or follow "
            "docs/howto/changing-keys.md"
        )


def _compare(key: str, values: Sequence[str]) -> None:
    """Raise an error without the values, which may be secret, unless both are equal."""
    first, present = values
    if first != present:
        raise pulumi.RunError(
            f"{key}: has another value than when the stack was created, and what was created with it cannot change: "
            "set it back, or follow docs/howto/changing-keys.md"
        )
