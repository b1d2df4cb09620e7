"""The provider functions that look existing things up: exactly one has to match, as the real provider asks."""

from collections.abc import Callable, Mapping
from typing import Final

from sandbox.engine.adapters.openstack.client import OpenStack
from sandbox.engine.adapters.openstack.networking import Network, Router, Subnet
from sandbox.engine.adapters.openstack.resource import OpenStackResource
from sandbox.engine.adapters.spelling import snake
from sandbox.engine.errors import ResourceError
from sandbox.engine.values import Properties


def get_network(client: OpenStack, arguments: Properties) -> Properties:
    """`openstack:networking/getNetwork:getNetwork`."""
    query = _query(
        arguments, {"networkId": "id", "external": "router:external", "name": "name", "tenantId": "tenant_id"}
    )
    found = _only(client, Network(), query, arguments)
    described = _described(client, Network(), found)
    flags = {key: str(described[key]).lower() for key in ("adminStateUp", "shared")}  # texts in this function alone
    return {**described, **flags, "networkId": found["id"], "subnets": found["subnets"]}


def get_subnet(client: OpenStack, arguments: Properties) -> Properties:
    """`openstack:networking/getSubnet:getSubnet`."""
    names = {key: snake(key) for key in ("name", "networkId", "cidr", "tenantId", "ipVersion", "gatewayIp")}
    found = _only(client, Subnet(), _query(arguments, {**names, "subnetId": "id"}), arguments)
    return {
        **_described(client, Subnet(), found),
        "subnetId": found["id"],
        "dhcpEnabled": found["enable_dhcp"],
        "hostRoutes": [
            {"destinationCidr": each["destination"], "nextHop": each["nexthop"]} for each in found["host_routes"]
        ],
    }


def get_router(client: OpenStack, arguments: Properties) -> Properties:
    """`openstack:networking/getRouter:getRouter`."""
    query = _query(arguments, {"routerId": "id", "name": "name", "tenantId": "tenant_id", "status": "status"})
    found = _only(client, Router(), query, arguments)
    return {**_described(client, Router(), found), "routerId": found["id"], "status": found["status"]}


def get_image(client: OpenStack, arguments: Properties) -> Properties:
    """`openstack:images/getImage:getImage`, by name, owner, tag, visibility and properties."""
    wanted = arguments.get("properties", {})
    query = _query(
        arguments,
        {"name": "name", "owner": "owner", "tag": "tag", "visibility": "visibility"},
        "properties",
        "mostRecent",
    )
    images = client.service("image").get("/images", {**query, "sort": "created_at:desc"})["images"]
    images = [each for each in images if all(each.get(key) == value for key, value in wanted.items())]
    if not images or (len(images) > 1 and not arguments.get("mostRecent")):
        raise ResourceError(f"getImage: {len(images)} images match {_told(arguments)}, not one")
    image = images[0]
    return {
        "id": image["id"],
        "name": image["name"],
        "owner": image["owner"],
        "visibility": image["visibility"],
        "tags": image["tags"],
        "checksum": image.get("checksum") or "",
        "containerFormat": image["container_format"],
        "diskFormat": image["disk_format"],
        "minDiskGb": image["min_disk"],
        "minRamMb": image["min_ram"],
        "sizeBytes": image.get("size") or 0,
        "createdAt": image["created_at"],
        "updatedAt": image["updated_at"],
        "protected": image["protected"],
        "region": client.region,
    }


def get_flavor(client: OpenStack, arguments: Properties) -> Properties:
    """`openstack:compute/getFlavor:getFlavor`, by name, id, and minimal or exact sizes."""
    exact = {"name": "name", "flavorId": "id", "vcpus": "vcpus", "ram": "ram", "disk": "disk"}
    query = _query(arguments, {**exact, "minRam": "minRam", "minDisk": "minDisk"})
    flavors = client.service("compute").get("/flavors/detail")["flavors"]
    found = [
        each
        for each in flavors
        if all(each[field] == query[field] for field in exact.values() if field in query)
        and each["ram"] >= query.get("minRam", 0)
        and each["disk"] >= query.get("minDisk", 0)
    ]
    if len(found) != 1:
        raise ResourceError(f"getFlavor: {len(found)} flavors match {_told(arguments)}, not one")
    flavor = found[0]
    return {
        "id": flavor["id"],
        "flavorId": flavor["id"],
        "name": flavor["name"],
        "vcpus": flavor["vcpus"],
        "ram": flavor["ram"],
        "disk": flavor["disk"],
        "swap": flavor["swap"] or 0,
        "rxTxFactor": flavor["rxtx_factor"],
        "isPublic": flavor["os-flavor-access:is_public"],
        "region": client.region,
    }


def get_auth_scope(client: OpenStack, arguments: Properties) -> Properties:
    """`openstack:identity/getAuthScope:getAuthScope`: who is logged in, and where; without the token."""
    access = client.access()
    return {
        "id": arguments["name"],
        "name": arguments["name"],
        "userId": access.user_id,
        "userName": access.username,
        "userDomainId": access.user_domain_id or "",
        "userDomainName": access.user_domain_name or "",
        "projectId": access.project_id or "",
        "projectName": access.project_name or "",
        "projectDomainId": access.project_domain_id or "",
        "projectDomainName": access.project_domain_name or "",
        "roles": [
            {"roleId": identifier, "roleName": name}
            for identifier, name in zip(access.role_ids, access.role_names, strict=True)
        ],
        "region": client.region,
    }


def _query(arguments: Properties, names: Mapping[str, str], *further: str) -> Properties:
    unknown = sorted(arguments.keys() - names.keys() - {"region", "tags", *further})
    if unknown:
        raise ResourceError(f"the sandbox's engine does not look up by {', '.join(unknown)}")
    return {names[key]: value for key, value in arguments.items() if key in names}


def _only(client: OpenStack, kind: OpenStackResource, query: Properties, arguments: Properties) -> Properties:
    if tags := arguments.get("tags"):
        query["tags"] = ",".join(tags)
    found = kind.listed(client.service(kind.service).get(kind.path, query))
    if len(found) != 1:
        raise ResourceError(f"{len(found)} {kind.envelope}s match {_told(arguments)}, not one")
    return dict(found[0])


def _described(client: OpenStack, kind: OpenStackResource, found: Properties) -> Properties:
    return {**kind.outputs(client, found), "id": found["id"]}


def _told(arguments: Properties) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in arguments.items()) or "nothing in particular"


FUNCTIONS: Final[Mapping[str, Callable[[OpenStack, Properties], Properties]]] = {
    "openstack:networking/getNetwork:getNetwork": get_network,
    "openstack:networking/getSubnet:getSubnet": get_subnet,
    "openstack:networking/getRouter:getRouter": get_router,
    "openstack:images/getImage:getImage": get_image,
    "openstack:compute/getFlavor:getFlavor": get_flavor,
    "openstack:identity/getAuthScope:getAuthScope": get_auth_scope,
}
