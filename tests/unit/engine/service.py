"""A service that lives in memory, and the adapters with which the engine manages it."""

import itertools
import threading
from collections.abc import Iterable, Mapping
from typing import Any

import pulumi

from sandbox.engine.adapters import Package, Registry
from sandbox.engine.adapters.base import Adapter, Made, Operation, Property, Update
from sandbox.engine.adapters.builtin import ProviderResource
from sandbox.engine.errors import PartialFailureError, ResourceError
from sandbox.engine.values import Properties


class Service:
    """Things by id, and a journal of every call in its order."""

    def __init__(self) -> None:
        self.things: dict[str, Properties] = {}
        self.journal: list[str] = []
        self.refuse: set[str] = set()
        """Labels whose creation is refused."""
        self.spoil: set[str] = set()
        """Labels whose creation succeeds but leaves the thing broken."""
        self.crash: set[str] = set()
        """Labels whose creation succeeds, but the answer never arrives."""
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def make(self, inputs: Properties) -> str:
        """Add a thing."""
        with self._lock:
            identifier = f"id-{next(self._ids)}"
            self.things[identifier] = dict(inputs)
            return identifier

    def note(self, text: str) -> None:
        """Add a line to the journal."""
        with self._lock:
            self.journal.append(text)


class LostAnswerError(Exception):
    """Stands for a connection that breaks, or a process that is killed, after the service has done its work."""


class ThingAdapter(Adapter[Service]):
    """Serves `fake:index:Thing`."""

    kind = "fake:index:Thing"
    properties: Mapping[str, Property] = {
        "label": Property(required=True),
        "name": Property(named=True),
        "size": Property(),
        "color": Property(computed=True),
        "zone": Property(fixed=True),
        "links": Property(unordered=True),
        "secret": Property(),
        "parent": Property(fixed=True),
    }

    def create(self, client: Service, inputs: Properties, operation: Operation) -> Made:  # noqa: ARG002
        label = inputs["label"]
        if label in client.refuse:
            raise ResourceError(f"the service refused {label}")
        identifier = client.make(inputs)
        client.note(f"create {label}")
        if label in client.crash:
            raise LostAnswerError(label)
        if label in client.spoil:
            raise PartialFailureError(f"{label} is broken", id=identifier, outputs={"address": "none"}, replace=True)
        return Made(id=identifier, outputs={**inputs, "address": f"address-of-{label}"})

    def read(self, client: Service, identifier: str, inputs: Properties, outputs: Properties) -> Properties | None:  # noqa: ARG002
        thing = client.things.get(identifier)
        return {**thing, "address": f"address-of-{thing['label']}"} if thing else None

    def update(self, client: Service, identifier: str, change: Update, operation: Operation) -> Properties:  # noqa: ARG002
        client.note(f"update {change.new['label']} {','.join(sorted(change.changed))}")
        client.things[identifier] = dict(change.new)
        return {**change.new, "address": change.outputs.get("address")}

    def delete(self, client: Service, identifier: str, change: Update, operation: Operation) -> None:  # noqa: ARG002
        client.note(f"delete {change.old['label']}")
        client.things.pop(identifier, None)

    def candidates(self, client: Service, inputs: Properties) -> Iterable[str]:
        return [key for key, thing in client.things.items() if thing["name"] == inputs["name"]]


class Thing(pulumi.CustomResource):
    """The resource as a program uses it."""

    address: pulumi.Output[str]
    secret: pulumi.Output[Any]
    color: pulumi.Output[Any]

    def __init__(self, name: str, /, opts: pulumi.ResourceOptions | None = None, **inputs: Any) -> None:
        super().__init__("fake:index:Thing", name, {"label": name, "address": None, **inputs}, opts)


class Provider(pulumi.ProviderResource):
    """The provider resource as a program uses it."""

    def __init__(self, name: str, /, opts: pulumi.ResourceOptions | None = None, **inputs: Any) -> None:
        super().__init__("fake", name, inputs, opts)


def registry(service: Service) -> Registry:
    """The fake package and the built-in one."""
    package = Package(
        name="fake",
        provider=ProviderResource(
            "fake",
            {"endpoint": Property(), "token": Property()},
            replaces=lambda change, _inputs: change.path[0] == "endpoint",
        ),
        connect=lambda _config: service,
        resources=(ThingAdapter(),),
        functions={"fake:index:getZone": lambda _client, arguments: {"zone": f"zone-{arguments['key']}"}},
    )
    return Registry({"fake": package, "pulumi": "sandbox.engine.adapters.builtin"})
