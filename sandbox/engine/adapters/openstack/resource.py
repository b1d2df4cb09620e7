"""What the resources of all OpenStack services have in common."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from sandbox.engine.adapters.base import Adapter, Made, Operation, Property, Update
from sandbox.engine.adapters.openstack.client import OpenStack
from sandbox.engine.adapters.spelling import camel, snake
from sandbox.engine.errors import ResourceError
from sandbox.engine.values import Properties

REGION: Final = Property(fixed=True, computed=True)
FIXED: Final = Property(fixed=True)
FIXED_COMPUTED: Final = Property(fixed=True, computed=True)
FIXED_REQUIRED: Final = Property(fixed=True, required=True)
COMPUTED: Final = Property(computed=True)
OPTIONAL: Final = Property()
REQUIRED: Final = Property(required=True)
NAME: Final = Property(named=True)


def to_api(value: Any) -> Any:
    """A list of objects with the keys that the service uses; any other value as it is."""
    if isinstance(value, list):
        return [{snake(key): each[key] for key in each} if isinstance(each, Mapping) else each for each in value]
    return value


def from_api(value: Any) -> Any:
    """The contrary of `to_api`."""
    if isinstance(value, list):
        return [{camel(key): each[key] for key in each} if isinstance(each, Mapping) else each for each in value]
    return value


class OpenStackResource(Adapter[OpenStack]):
    """A resource that its service shows as one JSON object.

    Attributes:
        service: openstacksdk's name of the service.
        path: Where the objects are, below the service's endpoint; an object's own path ends in its id.
        envelope: The key under which the service wraps an object; empty where it does not.
        fields: The service's field for a property, where it is not the property's name in snake case.
        reported: The properties that a reading gives, as the Terraform provider reads them.
        update_method: The HTTP method that changes an object.
        headers: Sent with each request: the microversion.
    """

    service: ClassVar[str]
    path: ClassVar[str]
    envelope: ClassVar[str]
    fields: ClassVar[Mapping[str, str]] = {}
    reported: ClassVar[tuple[str, ...]] = ()
    update_method: ClassVar[str] = "PUT"
    headers: ClassVar[Mapping[str, str]] = {}

    def field(self, name: str) -> str:
        """The service's name for a property."""
        return self.fields.get(name, snake(name))

    def body(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs as the service wants them."""
        return {
            self.field(key): to_api(value)
            for key, value in inputs.items()
            if key != "region" and not self.properties[key].local
        }

    def outputs(self, client: OpenStack, found: Mapping[str, Any]) -> Properties:
        """What the service shows, as properties."""
        outputs = {key: from_api(found.get(self.field(key))) for key in self.reported if self.field(key) in found}
        return {**outputs, "region": client.region}

    def wrap(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The object as it is sent."""
        return {self.envelope: body} if self.envelope else body

    def unwrap(self, answer: Any) -> dict[str, Any]:
        """The object in an answer."""
        return dict(answer[self.envelope] if self.envelope else answer)

    def show(self, client: OpenStack, identifier: str) -> dict[str, Any] | None:
        """The object as the service shows it; None if it is gone."""
        answer = client.service(self.service).get(f"{self.path}/{identifier}", headers=self.headers)
        return self.unwrap(answer) if answer else None

    def require(self, client: OpenStack, identifier: str) -> dict[str, Any]:
        """The object, which must be there.

        Raises:
            ResourceError: It is gone.
        """
        found = self.show(client, identifier)
        if found is None:
            raise ResourceError(f"{self.kind} {identifier} has vanished")
        return found

    def create(self, client: OpenStack, inputs: Properties, operation: Operation) -> Made:
        """Make it, then wait until it is ready."""
        answer = client.service(self.service).call(
            "POST", self.path, self.wrap(self.body(inputs)), headers=self.headers
        )
        made = self.unwrap(answer)
        identifier = self.identifier(made)
        self.made(client, identifier, inputs, operation)
        return Made(id=identifier, outputs=self.outputs(client, self.require(client, identifier)))

    def identifier(self, found: Mapping[str, Any]) -> str:
        """The id of an object."""
        return str(found.get("id") or found["uuid"])

    def made(self, client: OpenStack, identifier: str, inputs: Properties, operation: Operation) -> None:
        """What is to be done or waited for once it exists."""

    def read(self, client: OpenStack, identifier: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """What the service shows."""
        found = self.show(client, identifier)
        return None if found is None else self.outputs(client, found)

    def update(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> Properties:
        """Send what differs."""
        changed = {key: change.new.get(key, self.emptied(key)) for key in change.changed}
        body = self.body({key: value for key, value in changed.items() if not self.properties[key].fixed})
        if body:
            client.service(self.service).call(
                self.update_method, f"{self.path}/{identifier}", self.wrap(body), headers=self.headers
            )
        self.updated(client, identifier, change, operation)
        return self.outputs(client, self.require(client, identifier))

    def emptied(self, key: str) -> Any:
        """What is sent for a property that the program no longer gives."""
        return ""

    def updated(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> None:
        """What is to be done or waited for besides."""

    def delete(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> None:
        """Remove it and wait until it is gone."""
        client.service(self.service).delete(f"{self.path}/{identifier}")
        operation.wait(lambda: self.show(client, identifier) is None, "waiting until it is gone", poll=0.5)

    def candidates(self, client: OpenStack, inputs: Properties) -> Iterable[str]:
        """Objects of the same name."""
        answer = client.service(self.service).get(self.path, {"name": inputs["name"]})
        return [self.identifier(each) for each in self.listed(answer) if each.get("name") == inputs["name"]]

    def listed(self, answer: Any) -> list[Mapping[str, Any]]:
        """The objects in the answer to a list request."""
        return next((each for each in answer.values() if isinstance(each, list)), []) if answer else []
