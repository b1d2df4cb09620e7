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
    """Values by key path without namespace, or what follows from them, such as the ID of the project to which
    ``cloud.name`` leads. Secrets must be secret outputs."""


class ImmutableKeys(pulumi.ComponentResource):
    """Configuration keys that cannot change once resources exist, and whose value no service reports.

    A Stash for each key keeps the value of the first run, with which the value of each run is compared. Keys whose
    value a service reports are compared with it instead (``probes/existing_*.py``). `pulumi up --replace` of a Stash
    accepts another value.
    """

    unchanged: pulumi.Output[None]
    """Resolved if all values are unchanged. Providers whose inputs depend on it send no request otherwise."""

    def __init__(self, name: str, args: ImmutableKeysArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:ImmutableKeys", name, None, opts)
        checks = [
            pulumi.Output.all(self._first(f"{name}-{key}", value), value).apply(
                partial(_compare, f"{args.namespace}:{key}")
            )
            for key, value in args.values.items()
        ]
        self.unchanged = pulumi.Output.unsecret(pulumi.Output.all(*checks)).apply(lambda _: None)
        self.register_outputs({})

    def _first(self, name: str, value: pulumi.Input[str]) -> pulumi.Output[str]:
        options = ResourceOptions(parent=self, ignore_changes=["input"])
        return pulumi.Output.from_input(pulumi.Stash(name, input=value, opts=options).output).apply(str)


def _compare(key: str, values: Sequence[str]) -> None:
    """Raise an error without the values, which may be secret, unless both are equal."""
    first, present = values
    if first != present:
        raise pulumi.RunError(
            f"{key}: has another value than when the stack was created, and what was created with it cannot change: "
            "set it back, or follow docs/howto/changing-keys.md"
        )
