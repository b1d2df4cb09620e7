"""Nova servers.

By the rules of terraform-provider-openstack (`openstack/resource_openstack_compute_instance_v2.go`).
"""

import base64
import binascii
import hashlib
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar, Final

from sandbox.engine.adapters.base import Made, Operation, Property, Update
from sandbox.engine.adapters.openstack.client import OpenStack
from sandbox.engine.adapters.openstack.resource import (
    COMPUTED,
    FIXED,
    FIXED_COMPUTED,
    NAME,
    OPTIONAL,
    REGION,
    OpenStackResource,
)
from sandbox.engine.errors import PartialFailureError, ResourceError
from sandbox.engine.values import Properties

_IPV4: Final = 4
_SHUTDOWN: Final = 180.0
"""Seconds that a server may take to stop before it is removed."""
_WITH_TAGS: Final = {"OpenStack-API-Version": "compute 2.52"}


class Instance(OpenStackResource):
    """A server. Its disks' data belong on volumes of their own: most changes replace it."""

    kind = "openstack:compute/instance:Instance"
    service = "compute"
    path = "/servers"
    envelope = "server"
    headers = _WITH_TAGS
    create_timeout = 1800
    secret_outputs = frozenset({"adminPass"})
    properties: Mapping[str, Property] = {
        "region": REGION,
        "name": NAME,
        "imageId": COMPUTED,
        "imageName": COMPUTED,
        "flavorId": COMPUTED,
        "flavorName": COMPUTED,
        "userData": FIXED,
        "securityGroups": Property(computed=True, unordered=True),
        "availabilityZone": FIXED_COMPUTED,
        "networks": FIXED_COMPUTED,
        "metadata": OPTIONAL,
        "configDrive": FIXED,
        "keyPair": FIXED,
        "blockDevices": FIXED,
        "stopBeforeDestroy": Property(default=False, local=True),
        "forceDelete": Property(default=False, local=True),
        "powerState": Property(default="active", local=True),
        "tags": Property(unordered=True),
    }
    _UPDATABLE: ClassVar[frozenset[str]] = frozenset(
        {"name", "metadata", "powerState", "tags", "stopBeforeDestroy", "forceDelete"}
    )

    def faults(self, inputs: Properties) -> Iterable[str]:
        """It needs a flavor, and something to start from."""
        if "flavorId" not in inputs and "flavorName" not in inputs:
            yield "one of `flavorId` and `flavorName` is needed"
        if not {"imageId", "imageName", "blockDevices"} & inputs.keys():
            yield "one of `imageId`, `imageName` and `blockDevices` is needed"

    def create(self, client: OpenStack, inputs: Properties, operation: Operation) -> Made:
        """Start it and wait until it is active."""
        server: dict[str, Any] = {
            "name": inputs["name"],
            "flavorRef": self._flavor(client, inputs),
            "networks": [self._network(each) for each in inputs.get("networks", [])] or "auto",
        }
        if image := self._image(client, inputs):
            server["imageRef"] = image
        if "userData" in inputs:
            server["user_data"] = _encoded(inputs["userData"])
        if "blockDevices" in inputs:
            server["block_device_mapping_v2"] = [_block_device(each) for each in inputs["blockDevices"]]
        if "securityGroups" in inputs:
            server["security_groups"] = [{"name": each} for each in inputs["securityGroups"]]
        for key, field in (
            ("availabilityZone", "availability_zone"),
            ("metadata", "metadata"),
            ("configDrive", "config_drive"),
            ("keyPair", "key_name"),
            ("tags", "tags"),
        ):
            if key in inputs:
                server[field] = inputs[key]
        made = client.service(self.service).call("POST", self.path, {"server": server}, headers=self.headers)["server"]
        self.made(client, made["id"], inputs, operation)
        outputs = self._complete(client, self.require(client, made["id"]), inputs)
        return Made(id=made["id"], outputs={**outputs, "adminPass": made.get("adminPass")})

    def made(self, client: OpenStack, identifier: str, inputs: Properties, operation: Operation) -> None:
        """Wait until it is active."""

        def active() -> bool:
            found = self.require(client, identifier)
            if found["status"] == "ERROR":
                fault = found.get("fault", {}).get("message", "Nova does not say why")
                raise PartialFailureError(
                    f"Nova could not start the server: {fault}",
                    id=identifier,
                    outputs=self._complete(client, found, inputs),
                    replace=True,
                )
            return bool(found["status"] == "ACTIVE")

        operation.wait(active, "waiting until the server is active")

    def recover(self, client: OpenStack, identifier: str, inputs: Properties, operation: Operation) -> Made | None:
        """Wait for it, as its maker would have; its administrator's password is lost."""
        self.made(client, identifier, inputs, operation)
        return super().recover(client, identifier, inputs, operation)

    def read(self, client: OpenStack, identifier: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """What Nova shows."""
        found = self.show(client, identifier)
        if found is None or found["status"] in {"DELETED", "SOFT_DELETED"}:
            return None
        return {**self._complete(client, found, inputs), "adminPass": outputs.get("adminPass")}

    def update(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> Properties:
        """Name, metadata, tags and power; groups and size are not implemented."""
        refused = sorted(change.changed - self._UPDATABLE)
        differing = [key for key in refused if change.old.get(key) != change.new.get(key)]
        if differing:
            raise ResourceError(f"the sandbox's engine cannot change {', '.join(differing)} of a server in place")
        if "name" in change.changed:
            client.service(self.service).call(
                "PUT", f"{self.path}/{identifier}", {"server": {"name": change.new["name"]}}
            )
        if "metadata" in change.changed:
            body = {"metadata": change.new.get("metadata", {})}
            client.service(self.service).call("PUT", f"{self.path}/{identifier}/metadata", body)
        if "tags" in change.changed:
            body = {"tags": change.new.get("tags", [])}
            client.service(self.service).call("PUT", f"{self.path}/{identifier}/tags", body, headers=self.headers)
        if "powerState" in change.changed:
            self._power(client, identifier, change.new["powerState"], operation)
        found = self._complete(client, self.require(client, identifier), change.new)
        return {**found, "adminPass": change.outputs.get("adminPass")}

    def delete(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> None:
        """Stop it first if asked to, then remove it."""
        if change.old.get("stopBeforeDestroy") and self.show(client, identifier):
            self._stop(client, identifier, operation)
        if change.old.get("forceDelete"):
            client.service(self.service).call("POST", f"{self.path}/{identifier}/action", {"forceDelete": None})
        super().delete(client, identifier, change, operation)

    def candidates(self, client: OpenStack, inputs: Properties) -> Iterable[str]:
        """Servers of the same name."""
        found = client.service(self.service).get(self.path, {"name": f"^{inputs['name']}$"})["servers"]
        return [each["id"] for each in found if each["name"] == inputs["name"]]

    def _complete(self, client: OpenStack, found: Mapping[str, Any], inputs: Properties) -> Properties:
        addresses = [each for group in found["addresses"].values() for each in group]
        by_mac = {each["OS-EXT-IPS-MAC:mac_addr"]: each["addr"] for each in addresses if each["version"] == _IPV4}
        ports = client.service("network").get("/ports", {"device_id": found["id"]})["ports"]
        networks = [
            {
                "uuid": port["network_id"],
                "port": port["id"],
                "mac": port["mac_address"],
                "fixedIpV4": by_mac.get(port["mac_address"], ""),
            }
            for port in sorted(ports, key=lambda each: _position(each, inputs))
        ]
        outputs = {
            "name": found["name"],
            "flavorName": found["flavor"]["original_name"],
            "flavorId": self._flavor(client, {"flavorName": found["flavor"]["original_name"]}),
            "imageId": (found["image"] or {}).get("id", ""),
            "keyPair": found["key_name"] or "",
            "availabilityZone": found["OS-EXT-AZ:availability_zone"],
            "metadata": found["metadata"],
            "allMetadata": found["metadata"],
            "allTags": sorted(found.get("tags", [])),
            "securityGroups": sorted({each["name"] for each in found.get("security_groups", [])}),
            "networks": networks,
            "accessIpV4": found["accessIPv4"] or (networks[0]["fixedIpV4"] if networks else ""),
            "accessIpV6": found["accessIPv6"],
            "powerState": "active" if found["status"] == "ACTIVE" else found["status"].lower(),
            "created": found["created"],
            "updated": found["updated"],
            "region": client.region,
        }
        if "userData" in inputs:  # the provider keeps no more of it than this
            outputs["userData"] = hashlib.sha1(inputs["userData"].encode(), usedforsecurity=False).hexdigest()
        return outputs

    def _power(self, client: OpenStack, identifier: str, state: str, operation: Operation) -> None:
        action = {"active": "os-start", "shutoff": "os-stop"}.get(state)
        if action is None:
            raise ResourceError(f"`powerState` must be active or shutoff, not {state!r}")
        if self.require(client, identifier)["status"].lower() != state:
            client.service(self.service).call("POST", f"{self.path}/{identifier}/action", {action: None})
            operation.wait(
                lambda: self.require(client, identifier)["status"].lower() == state, f"waiting until it is {state}"
            )

    def _stop(self, client: OpenStack, identifier: str, operation: Operation) -> None:
        """Shut it down; one that does not follow is removed all the same, as by the provider."""
        patient = replace(operation, deadline=min(operation.deadline, time.monotonic() + _SHUTDOWN))
        with suppress(ResourceError):
            self._power(client, identifier, "shutoff", patient)

    @staticmethod
    def _flavor(client: OpenStack, inputs: Properties) -> str:
        if "flavorId" in inputs:
            return str(inputs["flavorId"])
        flavors = client.service("compute").get("/flavors")["flavors"]
        for each in flavors:
            if each["name"] == inputs["flavorName"]:
                return str(each["id"])
        raise ResourceError(f"`flavorName`: there is no flavor {inputs['flavorName']!r}")

    @staticmethod
    def _image(client: OpenStack, inputs: Properties) -> str:
        if "imageId" in inputs or "imageName" not in inputs:
            return str(inputs.get("imageId", ""))
        found = client.service("image").get("/images", {"name": inputs["imageName"]})["images"]
        if len(found) != 1:
            raise ResourceError(f"`imageName`: there are {len(found)} images named {inputs['imageName']!r}, not one")
        return str(found[0]["id"])

    @staticmethod
    def _network(given: Mapping[str, Any]) -> dict[str, Any]:
        names = {"port": "port", "uuid": "uuid", "fixedIpV4": "fixed_ip"}
        return {field: given[key] for key, field in names.items() if given.get(key)}


def _encoded(user_data: str) -> str:
    """Base64, unless it is that already."""
    try:
        base64.b64decode(user_data, validate=True)
    except (binascii.Error, ValueError):
        return base64.b64encode(user_data.encode()).decode()
    return user_data


def _block_device(given: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "sourceType": "source_type",
        "uuid": "uuid",
        "volumeSize": "volume_size",
        "volumeType": "volume_type",
        "destinationType": "destination_type",
        "bootIndex": "boot_index",
        "deleteOnTermination": "delete_on_termination",
    }
    if unknown := sorted(given.keys() - names.keys()):
        raise ResourceError(f"`blockDevices`: the sandbox's engine does not know {', '.join(unknown)}")
    return {names[key]: value for key, value in given.items()}


def _position(port: Mapping[str, Any], inputs: Properties) -> int:
    """Where the program names the port or its network, so that outputs stand in its order."""
    given = inputs.get("networks", [])
    for index, each in enumerate(given):
        if port["id"] == each.get("port") or port["network_id"] == each.get("uuid"):
            return index
    return len(given)


RESOURCES = (Instance(),)
