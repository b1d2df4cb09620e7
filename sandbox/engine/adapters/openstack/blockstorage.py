"""Cinder volumes, by the rules of terraform-provider-openstack (`resource_openstack_blockstorage_volume_v3.go`)."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from sandbox.engine.adapters.base import Made, Operation, Property, Update
from sandbox.engine.adapters.openstack.client import OpenStack
from sandbox.engine.adapters.openstack.resource import (
    FIXED,
    FIXED_COMPUTED,
    NAME,
    OPTIONAL,
    REGION,
    REQUIRED,
    OpenStackResource,
)
from sandbox.engine.errors import PartialFailureError, ResourceError
from sandbox.engine.values import Properties

_ONLINE_EXTEND: Final = {"OpenStack-API-Version": "volume 3.42"}


class Volume(OpenStackResource):
    """A block device."""

    kind = "openstack:blockstorage/volume:Volume"
    service = "block_storage"
    path = "/volumes"
    envelope = "volume"
    fields: ClassVar[Mapping[str, str]] = {"sourceVolId": "source_volid", "imageId": "imageRef"}
    properties: Mapping[str, Property] = {
        "region": REGION,
        "size": REQUIRED,
        "name": NAME,
        "description": OPTIONAL,
        "availabilityZone": FIXED_COMPUTED,
        "metadata": Property(computed=True),
        "snapshotId": FIXED,
        "sourceVolId": FIXED,
        "imageId": FIXED,
        "backupId": FIXED,
        "volumeType": Property(computed=True),
        "volumeRetypePolicy": Property(default="never", local=True),
        "enableOnlineResize": Property(local=True),
    }
    reported = ("size", "name", "description", "availabilityZone", "metadata", "volumeType")

    def outputs(self, client: OpenStack, found: Mapping[str, Any]) -> Properties:
        """With the servers that it is attached to."""
        attachments = [
            {"id": each["attachment_id"], "instanceId": each["server_id"], "device": each["device"]}
            for each in found["attachments"]
        ]
        return {**super().outputs(client, found), "attachments": attachments}

    def made(self, client: OpenStack, identifier: str, inputs: Properties, operation: Operation) -> None:
        """Wait until it can be attached."""

        def available() -> bool:
            found = self.require(client, identifier)
            if found["status"].startswith("error"):
                raise PartialFailureError(
                    f"Cinder could not make the volume (status {found['status']}): is there room in the back end?",
                    id=identifier,
                    outputs=self.outputs(client, found),
                    replace=True,
                )
            return bool(found["status"] in {"available", "in-use"})

        operation.wait(available, "waiting until the volume is available")

    def recover(self, client: OpenStack, identifier: str, inputs: Properties, operation: Operation) -> Made | None:
        """Wait for it, as its maker would have."""
        self.made(client, identifier, inputs, operation)
        return super().recover(client, identifier, inputs, operation)

    def update(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> Properties:
        """Size and type are changed by actions."""
        found = self.require(client, identifier)
        size = change.new["size"]
        if "size" in change.changed and size != found["size"]:
            if size < found["size"]:
                raise ResourceError(f"a volume cannot shrink from {found['size']} to {size} GB")
            if found["status"] == "in-use" and not change.new.get("enableOnlineResize"):
                raise ResourceError("the volume is attached: set enable_online_resize to let it grow, or detach it")
            body = {"os-extend": {"new_size": size}}
            headers = _ONLINE_EXTEND if found["status"] == "in-use" else None
            client.service(self.service).call("POST", f"{self.path}/{identifier}/action", body, headers=headers)
            operation.wait(
                lambda: self.require(client, identifier)["size"] == size, "waiting until the volume has grown"
            )
        wanted_type = change.new.get("volumeType")
        if "volumeType" in change.changed and wanted_type and wanted_type != found["volume_type"]:
            policy = change.new.get("volumeRetypePolicy", "never")
            body = {"os-retype": {"new_type": wanted_type, "migration_policy": policy}}
            client.service(self.service).call("POST", f"{self.path}/{identifier}/action", body)
            operation.wait(
                lambda: self.require(client, identifier)["volume_type"] == wanted_type,
                "waiting until the type has changed",
            )
        rest = frozenset(change.changed - {"size", "volumeType"})
        return super().update(
            client, identifier, Update(old=change.old, new=change.new, outputs=change.outputs, changed=rest), operation
        )

    def emptied(self, key: str) -> Any:
        """Metadata is emptied, texts cleared."""
        return {} if key == "metadata" else super().emptied(key)

    def candidates(self, client: OpenStack, inputs: Properties) -> Iterable[str]:
        """Volumes of the same name and size."""
        found = client.service(self.service).get("/volumes/detail", {"name": inputs["name"]})["volumes"]
        return [each["id"] for each in found if each["size"] == inputs["size"]]


RESOURCES = (Volume(),)
