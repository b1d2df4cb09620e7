"""The types that Pulumi's engine serves itself: Stash, and the provider resources of all packages."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.engine.adapters import PROVIDER_PREFIX, Package
from sandbox.engine.adapters.base import Adapter, Made, Operation, Property, Update
from sandbox.engine.diff import Change
from sandbox.engine.values import Properties, has_secret


class Stash(Adapter[None]):
    """A value kept in the state: `output` stays what the first `input` was until the resource is replaced.

    Source: pulumi/pulumi `pkg/resource/deploy/builtins.go`.
    """

    kind = "pulumi:index:Stash"
    properties: Mapping[str, Property] = {"input": Property(required=True)}

    def create(self, client: None, inputs: Properties, operation: Operation) -> Made:
        """Keep the input."""
        return Made(id=str(uuid.uuid4()), outputs={"input": inputs["input"], "output": inputs["input"]})

    def read(self, client: None, identifier: str, inputs: Properties, outputs: Properties) -> Properties:
        """What is kept: nothing but the state knows it."""
        return outputs

    def update(self, client: None, identifier: str, change: Update, operation: Operation) -> Properties:
        """Take the new input, keep the output."""
        return {"input": change.new["input"], "output": change.outputs["output"]}

    def delete(self, client: None, identifier: str, change: Update, operation: Operation) -> None:
        """Nothing is kept elsewhere."""

    def secret_keys(self, inputs: Mapping[str, Any]) -> frozenset[str]:
        """The kept value is as secret as the one that was given."""
        return frozenset({"input", "output"} if has_secret(inputs.get("input")) else ())


class ProviderResource(Adapter[None]):
    """The provider of a package: its inputs are the client's configuration.

    Args:
        package: The package's name.
        properties: The settings that the client honours.
        replaces: Tells whether a change means another service altogether, so that whatever was made there has to be
            made anew; never, where none is given.
        faults: What is wrong with a configuration.
    """

    def __init__(
        self,
        package: str,
        properties: Mapping[str, Property],
        replaces: Callable[[Change, Properties], bool] = lambda _change, _inputs: False,
        faults: Callable[[Properties], Iterable[str]] = lambda _inputs: (),
    ) -> None:
        self.kind = PROVIDER_PREFIX + package
        self.properties = properties
        self._replaces = replaces
        self._faults = faults

    def create(self, client: None, inputs: Properties, operation: Operation) -> Made:
        """A provider is but its configuration."""
        return Made(id=str(uuid.uuid4()), outputs=inputs)

    def read(self, client: None, identifier: str, inputs: Properties, outputs: Properties) -> Properties:
        """The configuration."""
        return outputs

    def update(self, client: None, identifier: str, change: Update, operation: Operation) -> Properties:
        """Take the new configuration."""
        return change.new

    def delete(self, client: None, identifier: str, change: Update, operation: Operation) -> None:
        """Nothing to remove."""

    def faults(self, inputs: Properties) -> Iterable[str]:
        """What is wrong with the configuration."""
        return self._faults(inputs)

    def forces_replacement(self, change: Change, inputs: Properties) -> bool:
        """Whether the configuration now names another service."""
        return self._replaces(change, inputs)


PACKAGE = Package(
    name="pulumi",
    provider=ProviderResource("pulumi", {}),
    connect=lambda _config: None,
    resources=(Stash(),),
)
