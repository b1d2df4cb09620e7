"""Swift containers.

By the rules of terraform-provider-openstack (`openstack/resource_openstack_objectstorage_container_v1.go`).
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

import openstack.exceptions

from sandbox.engine.adapters.base import Adapter, Made, Operation, Property, Update
from sandbox.engine.adapters.openstack.client import OpenStack
from sandbox.engine.adapters.openstack.resource import FIXED_COMPUTED, NAME, OPTIONAL, REGION
from sandbox.engine.errors import ResourceError
from sandbox.engine.values import Properties

_METADATA: Final = "X-Container-Meta-"
_HEADERS: Final[Mapping[str, str]] = {
    "containerRead": "X-Container-Read",
    "containerWrite": "X-Container-Write",
    "contentType": "Content-Type",
    "storagePolicy": "X-Storage-Policy",
    "versioning": "X-Versions-Enabled",
}


class Container(Adapter[OpenStack]):
    """A container (a bucket, for S3); its id is its name."""

    kind = "openstack:objectstorage/container:Container"
    properties: Mapping[str, Property] = {
        "region": REGION,
        "name": NAME,
        "containerRead": OPTIONAL,
        "containerWrite": OPTIONAL,
        "contentType": OPTIONAL,
        "storagePolicy": FIXED_COMPUTED,
        "versioning": Property(default=False),
        "metadata": OPTIONAL,
        "forceDestroy": Property(default=False, local=True),
    }

    def create(self, client: OpenStack, inputs: Properties, operation: Operation) -> Made:
        """Make it; Swift takes one of this project that is there already for it."""
        self._call(client, "PUT", inputs["name"], _headers(inputs))
        return Made(id=inputs["name"], outputs=self._outputs(client, inputs["name"]) or {})

    def read(self, client: OpenStack, identifier: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """What Swift tells of it."""
        return self._outputs(client, identifier)

    def update(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> Properties:
        """Set its headers; an empty one removes what was there."""
        if "name" in change.changed and change.new["name"] != identifier:
            raise ResourceError("Swift cannot rename a container: give it a new logical name to have it made anew")
        gone = {f"X-Remove-Container-Meta-{key}": "x" for key in change.old.get("metadata", {})}
        emptied = {header: "" for key, header in _HEADERS.items() if key in change.old and key not in change.new}
        self._call(client, "POST", identifier, {**gone, **emptied, **_headers(change.new)})
        return self._outputs(client, identifier) or {}

    def delete(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> None:
        """Remove it; its objects only where `forceDestroy` says so."""
        if change.old.get("forceDestroy"):
            for each in (
                client.service("object_store").get(f"/{quote(identifier)}", {"format": "json", "versions": ""}) or []
            ):
                version = {"version-id": each["version_id"]} if each.get("version_id", "null") != "null" else {}
                client.service("object_store").call(
                    "DELETE", f"/{quote(identifier)}/{quote(each['name'])}", query=version
                )
        try:
            client.service("object_store").delete(f"/{quote(identifier)}")
        except openstack.exceptions.ConflictException as error:
            raise ResourceError(
                f"the container {identifier!r} is not empty: set force_destroy to remove its objects"
            ) from error

    def candidates(self, client: OpenStack, inputs: Properties) -> Iterable[str]:
        """The container of that name."""
        return [inputs["name"]] if self._show(client, inputs["name"]) is not None else []

    def _outputs(self, client: OpenStack, name: str) -> Properties | None:
        headers = self._show(client, name)
        if headers is None:
            return None
        shown = {
            "name": name,
            "versioning": headers.get("X-Versions-Enabled", "").lower() == "true",
            "storagePolicy": headers.get("X-Storage-Policy", ""),
            "storageClass": headers.get("X-Storage-Class", ""),
            "region": client.region,
        }
        for key in ("containerRead", "containerWrite"):
            if value := headers.get(_HEADERS[key]):
                shown[key] = value
        return shown

    @staticmethod
    def _call(client: OpenStack, method: str, name: str, headers: Mapping[str, str]) -> None:
        client.service("object_store").call(method, f"/{quote(name)}", headers=headers)

    @staticmethod
    def _show(client: OpenStack, name: str) -> Mapping[str, str] | None:
        return client.service("object_store").head(f"/{quote(name)}")


def _headers(inputs: Mapping[str, Any]) -> dict[str, str]:
    headers = {header: str(inputs[key]) for key, header in _HEADERS.items() if key in inputs}
    if inputs.get("versioning") is False:
        del headers["X-Versions-Enabled"]
    return {**headers, **{f"{_METADATA}{key}": value for key, value in inputs.get("metadata", {}).items()}}


RESOURCES = (Container(),)
