"""Nova servers, volume attachments and key pairs.

By the rules of terraform-provider-openstack (`openstack/resource_openstack_compute_*.go`).
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from sandbox.engine.adapters.base import Adapter, Made, Operation, Property, Update
from sandbox.engine.adapters.openstack.client import OpenStack
from sandbox.engine.adapters.openstack.resource import (
    COMPUTED,
    FIXED,
    FIXED_COMPUTED,
    FIXED_REQUIRED,
    NAME,
    OPTIONAL,
    REGION,
    OpenStackResource,
)
from sandbox.engine.errors import PartialFailureError, ResourceError
from sandbox.engine.values import Properties

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
            self._power(client, identifier, "shutoff", operation)
        if change.old.get("forceDelete"):
            client.service(self.service).call("POST", f"{self.path}/{identifier}/action", {"forceDelete": None})
        super().delete(client, identifier, change, operation)

    def candidates(self, client: OpenStack, inputs: Properties) -> Iterable[str]:
        """Servers of the same name."""
        found = client.service(self.service).get(self.path, {"name": f"^{inputs['name']}$"})["servers"]
        return [each["id"] for each in found if each["name"] == inputs["name"]]

    def _complete(self, client: OpenStack, found: Mapping[str, Any], inputs: Properties) -> Properties:
        addresses = [each for group in found["addresses"].values() for each in group]
        by_mac = {each["OS-EXT-IPS-MAC:mac_addr"]: each["addr"] for each in addresses if each["version"] == 4}  # noqa: PLR2004
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


class VolumeAttach(Adapter[OpenStack]):
    """A volume attached to a server; its id is `<server>/<attachment>`."""

    kind = "openstack:compute/volumeAttach:VolumeAttach"
    properties: Mapping[str, Property] = {
        "region": REGION,
        "instanceId": FIXED_REQUIRED,
        "volumeId": FIXED_REQUIRED,
        "device": COMPUTED,
    }

    def create(self, client: OpenStack, inputs: Properties, operation: Operation) -> Made:
        """Attach it and wait until Cinder says so."""
        body = {"volumeId": inputs["volumeId"], **({"device": inputs["device"]} if "device" in inputs else {})}
        path = f"/servers/{inputs['instanceId']}/os-volume_attachments"
        made = client.service("compute").call("POST", path, {"volumeAttachment": body})["volumeAttachment"]
        self._wait_for(client, inputs["volumeId"], "in-use", operation)
        return Made(id=f"{inputs['instanceId']}/{made['id']}", outputs=self._outputs(client, made))

    def read(self, client: OpenStack, identifier: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """The attachment."""
        server, _, attachment = identifier.partition("/")
        found = client.service("compute").get(f"/servers/{server}/os-volume_attachments/{attachment}")
        return self._outputs(client, found["volumeAttachment"]) if found else None

    def update(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> Properties:
        """Nothing can be changed; what is there is as good."""
        return self.read(client, identifier, change.new, change.outputs) or change.outputs

    def delete(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> None:
        """Detach it and wait until the volume is free."""
        server, _, attachment = identifier.partition("/")
        client.service("compute").delete(f"/servers/{server}/os-volume_attachments/{attachment}")
        self._wait_for(client, change.old["volumeId"], "available", operation)

    def candidates(self, client: OpenStack, inputs: Properties) -> Iterable[str]:
        """A volume is attached to a server at most once."""
        server = inputs["instanceId"]
        found = client.service("compute").get(f"/servers/{server}/os-volume_attachments")
        attachments = found["volumeAttachments"] if found else []
        return [f"{server}/{each['id']}" for each in attachments if each["volumeId"] == inputs["volumeId"]]

    @staticmethod
    def _outputs(client: OpenStack, found: Mapping[str, Any]) -> Properties:
        return {
            "instanceId": found["serverId"],
            "volumeId": found["volumeId"],
            "device": found["device"] or "",
            "region": client.region,
        }

    @staticmethod
    def _wait_for(client: OpenStack, volume: str, status: str, operation: Operation) -> None:
        def reached() -> bool:
            found = client.service("block_storage").get(f"/volumes/{volume}")
            return found is None or found["volume"]["status"] == status

        operation.wait(reached, f"waiting until the volume is {status}")


class Keypair(Adapter[OpenStack]):
    """A public key for servers; Nova makes a pair where none is given, and tells the private key once."""

    kind = "openstack:compute/keypair:Keypair"
    secret_outputs = frozenset({"privateKey"})
    properties: Mapping[str, Property] = {
        "region": REGION,
        "name": Property(fixed=True, named=True),
        "publicKey": FIXED_COMPUTED,
    }

    def create(self, client: OpenStack, inputs: Properties, operation: Operation) -> Made:
        """Register or generate it."""
        body = {"name": inputs["name"], **({"public_key": inputs["publicKey"]} if "publicKey" in inputs else {})}
        made = client.service("compute").call("POST", "/os-keypairs", {"keypair": body})["keypair"]
        return Made(
            id=inputs["name"], outputs={**self._outputs(client, made), "privateKey": made.get("private_key", "")}
        )

    def read(self, client: OpenStack, identifier: str, inputs: Properties, outputs: Properties) -> Properties | None:
        """The public key; the private one is only in the state."""
        found = client.service("compute").get(f"/os-keypairs/{identifier}")
        if found is None:
            return None
        return {**self._outputs(client, found["keypair"]), "privateKey": outputs.get("privateKey", "")}

    def update(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> Properties:
        """Nothing can be changed; what is there is as good."""
        return change.outputs

    def delete(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> None:
        """Remove it."""
        client.service("compute").delete(f"/os-keypairs/{identifier}")

    def candidates(self, client: OpenStack, inputs: Properties) -> Iterable[str]:
        """The key pair of that name."""
        return [inputs["name"]] if client.service("compute").get(f"/os-keypairs/{inputs['name']}") else []

    def recover(self, client: OpenStack, identifier: str, inputs: Properties, operation: Operation) -> Made | None:
        """A pair that Nova generated is worth nothing without its private key, which nobody has: remove it."""
        if "publicKey" in inputs:
            return super().recover(client, identifier, inputs, operation)
        client.service("compute").delete(f"/os-keypairs/{identifier}")
        return None

    @staticmethod
    def _outputs(client: OpenStack, found: Mapping[str, Any]) -> Properties:
        return {
            "name": found["name"],
            "publicKey": found["public_key"],
            "fingerprint": found["fingerprint"],
            "userId": found.get("user_id", ""),
            "region": client.region,
        }


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


RESOURCES = (Instance(), VolumeAttach(), Keypair())
