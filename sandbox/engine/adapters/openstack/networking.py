"""Neutron: networks, subnets, routers, security groups, ports, floating IPs.

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
    FIXED,
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


class SecGroup(NetworkingResource):
    """A security group."""

    kind = "openstack:networking/secGroup:SecGroup"
    path = "/security-groups"
    envelope = "security_group"
    properties: Mapping[str, Property] = {
        "region": REGION,
        "name": NAME,
        "description": COMPUTED,
        "tenantId": FIXED_COMPUTED,
        "deleteDefaultRules": Property(fixed=True, local=True),
        "stateful": COMPUTED,
        "tags": TAGS,
    }
    reported = ("name", "description", "tenantId", "stateful")

    def made(self, client: OpenStack, identifier: str, inputs: Properties, operation: Operation) -> None:
        """Remove the two rules that let everything out, if asked to."""
        if inputs.get("deleteDefaultRules"):
            for rule in self.require(client, identifier)["security_group_rules"]:
                client.service(self.service).delete(f"/security-group-rules/{rule['id']}")
        super().made(client, identifier, inputs, operation)

    def recover(self, client: OpenStack, identifier: str, inputs: Properties, operation: Operation) -> Made | None:
        """The default rules may still be there; rules of the program cannot, they are made after the group."""
        self.made(client, identifier, inputs, operation)
        return super().recover(client, identifier, inputs, operation)


class SecGroupRule(NetworkingResource):
    """A rule of a security group; never changed, only replaced."""

    kind = "openstack:networking/secGroupRule:SecGroupRule"
    path = "/security-group-rules"
    envelope = "security_group_rule"
    properties: Mapping[str, Property] = {
        "region": REGION,
        "description": FIXED,
        "direction": FIXED_REQUIRED,
        "ethertype": FIXED_REQUIRED,
        "securityGroupId": FIXED_REQUIRED,
        "portRangeMin": FIXED,
        "portRangeMax": FIXED,
        "protocol": FIXED,
        "remoteGroupId": FIXED_COMPUTED,
        "remoteIpPrefix": FIXED_COMPUTED,
        "remoteAddressGroupId": FIXED_COMPUTED,
        "tenantId": FIXED_COMPUTED,
    }
    reported = tuple(key for key in properties if key != "region")
    _REMOTES: ClassVar[tuple[str, ...]] = ("remoteGroupId", "remoteIpPrefix", "remoteAddressGroupId")

    def faults(self, inputs: Properties) -> Iterable[str]:
        """What Neutron or the provider would refuse."""
        if sum(key in inputs for key in self._REMOTES) > 1:
            yield f"only one of {', '.join(self._REMOTES)} can be given"
        for key, allowed in (("direction", {"ingress", "egress"}), ("ethertype", {"IPv4", "IPv6"})):
            if known(value := inputs.get(key)) and value not in allowed:
                yield f"`{key}` must be one of {', '.join(sorted(allowed))}"

    def candidates(self, client: OpenStack, inputs: Properties) -> Iterable[str]:
        """Neutron refuses a second rule that is the same in every field."""
        wanted = {
            self.field(key): inputs.get(key) for key in inputs if key not in {"region", "description", "tenantId"}
        }
        rules = client.service(self.service).get(self.path, {"security_group_id": inputs["securityGroupId"]})
        return [
            rule["id"]
            for rule in rules["security_group_rules"]
            if all(rule.get(field) == value for field, value in wanted.items())
        ]


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


RESOURCES = (Network(), Subnet(), Router(), RouterInterface(), SecGroup(), SecGroupRule(), Port(), FloatingIp())
