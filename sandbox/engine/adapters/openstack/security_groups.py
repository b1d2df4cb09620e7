"""Neutron: security groups and their rules.

By the rules of terraform-provider-openstack (`openstack/resource_openstack_networking_secgroup*_v2.go`).
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from sandbox.engine.adapters.base import Made, Operation, Property, known
from sandbox.engine.adapters.openstack.client import OpenStack
from sandbox.engine.adapters.openstack.networking import TAGS, NetworkingResource
from sandbox.engine.adapters.openstack.resource import (
    COMPUTED,
    FIXED,
    FIXED_COMPUTED,
    FIXED_REQUIRED,
    NAME,
    REGION,
)
from sandbox.engine.values import Properties


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


RESOURCES = (SecGroup(), SecGroupRule())
