"""Neutron: networks, subnets, routers.

Which change replaces a resource, what is read back and how it is sent are those of terraform-provider-openstack
(`openstack/resource_openstack_networking_*.go`).
"""

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

import openstack.exceptions

from sandbox.engine.adapters.base import Made, Operation, Property, Update, known
from sandbox.engine.adapters.openstack.client import OpenStack
from sandbox.engine.adapters.openstack.resource import (
    COMPUTED,
    FIXED_COMPUTED,
    FIXED_REQUIRED,
    NAME,
    OPTIONAL,
    REGION,
    OpenStackResource,
)
from sandbox.engine.errors import ResourceError
from sandbox.engine.values import Properties

TAGS: Final = Property(unordered=True, local=True)
"""Neutron sets tags by a call of their own."""


class NetworkingResource(OpenStackResource):
    """An object of Neutron, with its tags."""

    service = "network"

    def outputs(self, client: OpenStack, found: Mapping[str, Any]) -> Properties:
        """What Neutron shows; `tags` is what the program asked for, `allTags` all that there are."""
        outputs = super().outputs(client, found)
        return {**outputs, "allTags": sorted(found["tags"])} if "tags" in found else outputs

    def body(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs, with `valueSpecs` beside the known fields."""
        return {**super().body(inputs), **inputs.get("valueSpecs", {})}

    def made(self, client: OpenStack, identifier: str, inputs: Properties, operation: Operation) -> None:
        """Set the tags."""
        if inputs.get("tags"):
            self._tag(client, identifier, inputs["tags"])

    def updated(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> None:
        """Set the tags."""
        if "tags" in change.changed:
            self._tag(client, identifier, change.new.get("tags", []))

    def delete(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> None:
        """Remove it, waiting for what still uses it to go."""

        def removed() -> bool:
            try:
                client.service(self.service).delete(f"{self.path}/{identifier}")
            except openstack.exceptions.ConflictException as error:
                in_use.append(str(error.details or error.message))
                return False
            return self.show(client, identifier) is None

        in_use: list[str] = []
        try:
            operation.wait(removed, "waiting until nothing uses it", poll=2)
        except ResourceError as error:
            raise ResourceError(f"{error}; Neutron says: {in_use[-1]}" if in_use else str(error)) from error

    def _tag(self, client: OpenStack, identifier: str, tags: list[str]) -> None:
        client.service(self.service).call("PUT", f"{self.path}/{identifier}/tags", {"tags": tags})


class Network(NetworkingResource):
    """A virtual network."""

    kind = "openstack:networking/network:Network"
    path = "/networks"
    envelope = "network"
    fields: ClassVar[Mapping[str, str]] = {"external": "router:external", "transparentVlan": "vlan_transparent"}
    properties: Mapping[str, Property] = {
        "region": REGION,
        "name": NAME,
        "description": OPTIONAL,
        "adminStateUp": COMPUTED,
        "shared": COMPUTED,
        "external": COMPUTED,
        "tenantId": FIXED_COMPUTED,
        "valueSpecs": Property(fixed=True, local=True),
        "tags": TAGS,
        "portSecurityEnabled": COMPUTED,
        "mtu": COMPUTED,
        "dnsDomain": COMPUTED,
    }
    reported = (
        "name",
        "description",
        "adminStateUp",
        "shared",
        "external",
        "tenantId",
        "portSecurityEnabled",
        "mtu",
    )


class Subnet(NetworkingResource):
    """An address range of a network."""

    kind = "openstack:networking/subnet:Subnet"
    path = "/subnets"
    envelope = "subnet"
    properties: Mapping[str, Property] = {
        "region": REGION,
        "networkId": FIXED_REQUIRED,
        "cidr": FIXED_COMPUTED,
        "name": NAME,
        "description": OPTIONAL,
        "tenantId": FIXED_COMPUTED,
        "allocationPools": Property(computed=True, unordered=True),
        "gatewayIp": COMPUTED,
        "noGateway": Property(local=True),
        "ipVersion": Property(fixed=True, default=4),
        "enableDhcp": Property(default=True),
        "dnsNameservers": OPTIONAL,
        "valueSpecs": Property(fixed=True, local=True),
        "tags": TAGS,
    }
    reported = (
        "networkId",
        "cidr",
        "name",
        "description",
        "tenantId",
        "allocationPools",
        "gatewayIp",
        "ipVersion",
        "enableDhcp",
        "dnsNameservers",
    )

    def faults(self, inputs: Properties) -> Iterable[str]:
        """A gateway that is asked for and refused at once, and malformed addresses."""
        if inputs.get("noGateway") and "gatewayIp" in inputs:
            yield "`gatewayIp` conflicts with `noGateway`"
        if known(cidr := inputs.get("cidr")):
            try:
                ipaddress.ip_network(str(cidr))
            except ValueError as error:
                yield f"`cidr`: {error}"

    def body(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """No gateway is an empty address."""
        return {**super().body(inputs), **({"gateway_ip": None} if inputs.get("noGateway") else {})}

    def emptied(self, key: str) -> Any:
        """Lists are emptied, texts cleared."""
        return [] if key == "dnsNameservers" else super().emptied(key)


class Router(NetworkingResource):
    """A router, and its way to the outside."""

    kind = "openstack:networking/router:Router"
    path = "/routers"
    envelope = "router"
    properties: Mapping[str, Property] = {
        "region": REGION,
        "name": NAME,
        "description": OPTIONAL,
        "adminStateUp": COMPUTED,
        "distributed": FIXED_COMPUTED,
        "externalNetworkId": Property(computed=True, local=True),
        "enableSnat": Property(computed=True, local=True),
        "tenantId": FIXED_COMPUTED,
        "valueSpecs": Property(fixed=True, local=True),
        "tags": TAGS,
    }
    reported = ("name", "description", "adminStateUp", "distributed", "tenantId")

    def body(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The gateway is an object of its own."""
        gateway: dict[str, Any] = {}
        if inputs.get("externalNetworkId"):
            gateway["network_id"] = inputs["externalNetworkId"]
        if gateway and "enableSnat" in inputs:
            gateway["enable_snat"] = inputs["enableSnat"]
        return {**super().body(inputs), **({"external_gateway_info": gateway} if gateway else {})}

    def update(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> Properties:
        """A change of the gateway needs the whole of it."""
        if change.changed & {"externalNetworkId", "enableSnat"}:
            gateway = self.body(change.new).get("external_gateway_info", {})
            client.service(self.service).call(
                "PUT", f"{self.path}/{identifier}", self.wrap({"external_gateway_info": gateway})
            )
        rest = Update(
            old=change.old,
            new={key: value for key, value in change.new.items() if key not in {"externalNetworkId", "enableSnat"}},
            outputs=change.outputs,
            changed=change.changed - {"externalNetworkId", "enableSnat"},
        )
        return super().update(client, identifier, rest, operation)

    def outputs(self, client: OpenStack, found: Mapping[str, Any]) -> Properties:
        """With the gateway's parts."""
        gateway = found.get("external_gateway_info") or {}
        return {
            **super().outputs(client, found),
            "externalNetworkId": gateway.get("network_id", ""),
            "enableSnat": gateway.get("enable_snat", False),
            "externalFixedIps": [
                {"ipAddress": each["ip_address"], "subnetId": each["subnet_id"]}
                for each in gateway.get("external_fixed_ips", [])
            ],
        }


class RouterInterface(NetworkingResource):
    """A router's leg in a subnet; its id is that of the port."""

    kind = "openstack:networking/routerInterface:RouterInterface"
    path = "/ports"
    envelope = "port"
    properties: Mapping[str, Property] = {
        "region": REGION,
        "routerId": FIXED_REQUIRED,
        "subnetId": FIXED_COMPUTED,
        "portId": FIXED_COMPUTED,
        "forceDestroy": Property(default=False, local=True),
    }
    reported = ()

    def faults(self, inputs: Properties) -> Iterable[str]:
        """It needs a subnet or a port."""
        if "subnetId" not in inputs and "portId" not in inputs:
            yield "one of `subnetId` and `portId` is needed"

    def create(self, client: OpenStack, inputs: Properties, operation: Operation) -> Made:
        """Add it to the router."""
        answer = client.service(self.service).call(
            "PUT", f"/routers/{inputs['routerId']}/add_router_interface", self._target(inputs)
        )
        return Made(id=answer["port_id"], outputs=self.outputs(client, self.require(client, answer["port_id"])))

    def outputs(self, client: OpenStack, found: Mapping[str, Any]) -> Properties:
        """The port shows router and subnet."""
        addresses = found.get("fixed_ips") or [{}]
        return {
            "routerId": found["device_id"],
            "portId": found["id"],
            "subnetId": addresses[0].get("subnet_id", ""),
            "region": client.region,
        }

    def delete(self, client: OpenStack, identifier: str, change: Update, operation: Operation) -> None:
        """Take it from the router, waiting for floating IPs that need it."""

        def removed() -> bool:
            try:
                client.service(self.service).call(
                    "PUT",
                    f"/routers/{change.old['routerId']}/remove_router_interface",
                    {"port_id": identifier},
                )
            except openstack.exceptions.NotFoundException:
                return True
            except openstack.exceptions.ConflictException:
                return False
            return self.show(client, identifier) is None

        operation.wait(removed, "waiting until no floating IP needs it", poll=2)

    def candidates(self, client: OpenStack, inputs: Properties) -> Iterable[str]:
        """The router's legs in that subnet, of which there is at most one."""
        ports = client.service(self.service).get(self.path, {"device_id": inputs["routerId"]})["ports"]
        return [
            each["id"]
            for each in ports
            if each["id"] == inputs.get("portId")
            or any(address["subnet_id"] == inputs.get("subnetId") for address in each["fixed_ips"])
        ]

    @staticmethod
    def _target(inputs: Properties) -> Properties:
        return {"port_id": inputs["portId"]} if "portId" in inputs else {"subnet_id": inputs["subnetId"]}


RESOURCES = (Network(), Subnet(), Router(), RouterInterface())
