"""Neutron: ports and floating IPs.

By the rules of terraform-provider-openstack (`openstack/resource_openstack_networking_{port,floatingip}_v2.go`).
"""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from sandbox.engine.adapters.base import Made, Operation, Property
from sandbox.engine.adapters.openstack.client import OpenStack
from sandbox.engine.adapters.openstack.networking import TAGS, NetworkingResource
from sandbox.engine.adapters.openstack.resource import (
    COMPUTED,
    FIXED_COMPUTED,
    FIXED_REQUIRED,
    NAME,
    OPTIONAL,
    REGION,
)
from sandbox.engine.errors import ResourceError
from sandbox.engine.values import Properties


class Port(NetworkingResource):
    """A port of a network."""

    kind = "openstack:networking/port:Port"
    path = "/ports"
    envelope = "port"
    fields: ClassVar[Mapping[str, str]] = {"securityGroupIds": "security_groups"}
    properties: Mapping[str, Property] = {
        "region": REGION,
        "name": NAME,
        "description": OPTIONAL,
        "networkId": FIXED_REQUIRED,
        "adminStateUp": COMPUTED,
        "macAddress": FIXED_COMPUTED,
        "tenantId": FIXED_COMPUTED,
        "deviceOwner": FIXED_COMPUTED,
        "deviceId": FIXED_COMPUTED,
        "securityGroupIds": Property(unordered=True),
        "noSecurityGroups": Property(local=True),
        "fixedIps": OPTIONAL,
        "allowedAddressPairs": Property(unordered=True),
        "valueSpecs": Property(fixed=True, local=True),
        "tags": TAGS,
        "portSecurityEnabled": COMPUTED,
    }
    reported = (
        "name",
        "description",
        "networkId",
        "adminStateUp",
        "macAddress",
        "tenantId",
        "deviceOwner",
        "deviceId",
        "portSecurityEnabled",
    )

    def faults(self, inputs: Properties) -> Iterable[str]:
        """Groups that are asked for and refused at once."""
        if inputs.get("noSecurityGroups") and inputs.get("securityGroupIds"):
            yield "cannot have both `noSecurityGroups` and `securityGroupIds`"

    def body(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """No security groups is an empty list; leaving them out means the default group."""
        return {**super().body(inputs), **({"security_groups": []} if inputs.get("noSecurityGroups") else {})}

    def emptied(self, key: str) -> Any:
        """Lists are emptied, texts cleared."""
        return [] if key in {"securityGroupIds", "allowedAddressPairs", "fixedIps"} else super().emptied(key)

    def outputs(self, client: OpenStack, found: Mapping[str, Any]) -> Properties:
        """With all addresses and groups, whoever asked for them."""
        return {
            **super().outputs(client, found),
            "allFixedIps": [each["ip_address"] for each in found["fixed_ips"]],
            "allSecurityGroupIds": sorted(found["security_groups"]),
        }


class FloatingIp(NetworkingResource):
    """A public address. Its `pool` is the name or the id of an external network."""

    kind = "openstack:networking/floatingIp:FloatingIp"
    path = "/floatingips"
    envelope = "floatingip"
    fields: ClassVar[Mapping[str, str]] = {"address": "floating_ip_address", "fixedIp": "fixed_ip_address"}
    properties: Mapping[str, Property] = {
        "region": REGION,
        "pool": Property(fixed=True, required=True, local=True),
        "description": OPTIONAL,
        "address": FIXED_COMPUTED,
        "portId": COMPUTED,
        "fixedIp": COMPUTED,
        "subnetId": COMPUTED,
        "tenantId": FIXED_COMPUTED,
        "valueSpecs": Property(fixed=True, local=True),
        "tags": TAGS,
    }
    reported = ("description", "address", "portId", "fixedIp", "tenantId")

    def create(self, client: OpenStack, inputs: Properties, operation: Operation) -> Made:
        """Take an address from the pool."""
        network = self._network(client, inputs["pool"])
        body = {**self.body(inputs), "floating_network_id": network["id"]}
        identifier = client.service(self.service).call("POST", self.path, self.wrap(body))["floatingip"]["id"]
        self.made(client, identifier, inputs, operation)
        return Made(id=identifier, outputs=self.outputs(client, self.require(client, identifier)))

    def outputs(self, client: OpenStack, found: Mapping[str, Any]) -> Properties:
        """With empty texts where nothing is associated, and the pool's name."""
        outputs = {key: value or "" for key, value in super().outputs(client, found).items()}
        return {**outputs, "allTags": sorted(found.get("tags", []))}

    def candidates(self, client: OpenStack, inputs: Properties) -> Iterable[str]:
        """Addresses of the pool with the same description that are associated with nothing."""
        query = {
            "floating_network_id": self._network(client, inputs["pool"])["id"],
            "project_id": client.project_id,
            "floating_ip_address": inputs.get("address"),
        }
        answer = client.service(self.service).get(self.path, query)
        return [each["id"] for each in answer["floatingips"] if each["description"] == inputs.get("description", "")]

    def _network(self, client: OpenStack, pool: str) -> Properties:
        for query in ({"name": pool}, {"id": pool}):
            found = client.service(self.service).get("/networks", {**query, "router:external": "true"})["networks"]
            if len(found) == 1:
                return dict(found[0])
        raise ResourceError(f"`pool`: there is no external network {pool!r}")


RESOURCES = (Port(), FloatingIp())
