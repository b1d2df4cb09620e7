"""Nova: what a server is given, volumes and key pairs.

By the rules of terraform-provider-openstack (`openstack/resource_openstack_compute_{volume_attach,keypair}_v2.go`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.engine.adapters.base import Adapter, Made, Operation, Property, Update
from sandbox.engine.adapters.openstack.client import OpenStack
from sandbox.engine.adapters.openstack.resource import COMPUTED, FIXED_COMPUTED, FIXED_REQUIRED, REGION
from sandbox.engine.values import Properties


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


RESOURCES = (VolumeAttach(), Keypair())
