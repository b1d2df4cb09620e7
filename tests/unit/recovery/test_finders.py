"""Each finder matches what the provider would have created."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from openstack.exceptions import HttpException
from requests import Response

from recovery import finder, openstack, vault
from recovery.finder import AmbiguousError, Found
from tests.unit.probes.fake_project import answer

NAME = "rsp-test-nfs"


class Listing:
    """A list call that records its query."""

    def __init__(self, *listed: SimpleNamespace) -> None:
        self.listed = listed
        self.query: dict[str, Any] = {}

    def __call__(self, *arguments: Any, **query: Any) -> list[SimpleNamespace]:
        del arguments
        self.query = query
        return list(self.listed)


def connection(**services: Any) -> Any:
    return SimpleNamespace(current_project_id="mine", current_user_id="me", **services)


def found(kind: str, cloud: Any, **inputs: Any) -> list[str]:
    finds = next(each for token, each in openstack.FINDERS.items() if token.endswith(f":{kind}"))
    return [each.id for each in finds.find(cloud, inputs)]


def existing(identifier: str, **fields: Any) -> SimpleNamespace:
    return SimpleNamespace(id=identifier, **fields)


@pytest.mark.parametrize(
    ("kind", "listing"), [("Network", "networks"), ("Router", "routers"), ("SecGroup", "security_groups")]
)
def test_by_name_in_the_project(kind: str, listing: str) -> None:
    listing_call = Listing(existing("one"), existing("two"))
    cloud = connection(network=SimpleNamespace(**{listing: listing_call}))
    assert found(kind, cloud, name=NAME) == ["one", "two"]
    assert listing_call.query == {"name": NAME, "project_id": "mine"}


@pytest.mark.parametrize(("kind", "listing"), [("Subnet", "subnets"), ("Port", "ports")])
def test_by_name_in_its_network(kind: str, listing: str) -> None:
    listing_call = Listing(existing("one"))
    cloud = connection(network=SimpleNamespace(**{listing: listing_call}))
    assert found(kind, cloud, name=NAME, networkId="net") == ["one"]
    assert listing_call.query == {"name": NAME, "network_id": "net"}


def test_load_balancers_that_are_not_being_deleted() -> None:
    listing = Listing(
        existing("ours", provisioning_status="PENDING_CREATE"), existing("old", provisioning_status="PENDING_DELETE")
    )
    cloud = connection(load_balancer=SimpleNamespace(load_balancers=listing))
    assert found("LoadBalancer", cloud, name=NAME) == ["ours"]
    assert listing.query == {"name": NAME, "project_id": "mine"}


def test_parts_of_a_load_balancer_belong_to_their_parents() -> None:
    listeners = Listing(existing("listener"))
    pools = Listing(
        existing("pool", listeners=[{"id": "listener"}]), existing("of-another", listeners=[{"id": "other"}])
    )
    monitors = Listing(existing("monitor", pools=[{"id": "pool"}]), existing("of-another", pools=[{"id": "other"}]))
    octavia = SimpleNamespace(listeners=listeners, pools=pools, health_monitors=monitors)
    cloud = connection(load_balancer=octavia)
    assert found("Listener", cloud, name=NAME, loadbalancerId="balancer") == ["listener"]
    assert listeners.query == {"name": NAME, "load_balancer_id": "balancer"}
    assert found("Pool", cloud, name=NAME, listenerId="listener") == ["pool"]
    assert found("Monitor", cloud, poolId="pool") == ["monitor"]


def test_a_load_balancer_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "POLL", 0)
    statuses = ["PENDING_CREATE", "PENDING_UPDATE", "ACTIVE"]

    def get(_id: str) -> SimpleNamespace:
        return SimpleNamespace(provisioning_status=statuses.pop(0))

    cloud = connection(load_balancer=SimpleNamespace(get_load_balancer=get))
    finish = openstack.FINDERS["openstack:loadbalancer/loadBalancer:LoadBalancer"].finish
    assert finish(cloud, Found("ours"), {}) == ""
    assert statuses == []


def test_shares_by_name_and_rules_by_client() -> None:
    shares = Listing(existing("ours", name=NAME, status="creating"), existing("old", name=NAME, status="deleting"))
    rules = Listing(
        existing("rule", access_type="ip", access_to="10.20.0.0/24"),
        existing("other", access_type="ip", access_to="192.0.2.9/32"),
    )
    cloud = connection(shared_file_system=SimpleNamespace(shares=shares, access_rules=rules))
    assert found("Share", cloud, name=NAME) == ["ours"]
    assert shares.query == {"name": NAME}
    assert found("ShareAccess", cloud, shareId="ours", accessType="ip", accessTo="10.20.0.0/24") == ["rule"]


def test_a_share_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "POLL", 0)
    statuses = ["creating", "error"]
    manila = SimpleNamespace(get_share=lambda _id: SimpleNamespace(status=statuses.pop(0)))
    finish = openstack.FINDERS["openstack:sharedfilesystem/share:Share"].finish
    assert finish(connection(shared_file_system=manila), Found("ours"), {}).startswith("it is in status error")


def test_an_interface_is_the_routers_port_in_the_subnet() -> None:
    inside, owner = [{"subnet_id": "sub"}], "network:router_interface_distributed"
    ports = Listing(
        existing("snat", fixed_ips=inside, device_owner="network:router_centralized_snat"),
        existing("inside", fixed_ips=inside, device_owner=owner),
        existing("outside", fixed_ips=[{"subnet_id": "x"}], device_owner=owner),
    )
    cloud = connection(network=SimpleNamespace(ports=ports))
    assert found("RouterInterface", cloud, routerId="router", subnetId="sub") == ["inside"]
    assert ports.query == {"device_id": "router"}


def test_a_route_has_the_ids_of_the_provider() -> None:
    routes = [{"destination": "10.1.0.0/16", "nexthop": "10.20.0.5"}]
    subnets = {"sub": existing("sub", host_routes=routes)}
    cloud = connection(network=SimpleNamespace(get_subnet=subnets.__getitem__))
    wanted = {"subnetId": "sub", "destinationCidr": "10.1.0.0/16", "nextHop": "10.20.0.5"}
    assert found("SubnetRoute", cloud, **wanted) == ["sub-route-10.1.0.0/16-10.20.0.5"]
    assert found("SubnetRoute", cloud, **wanted | {"nextHop": "10.20.0.6"}) == []


def rule(identifier: str, **fields: Any) -> SimpleNamespace:
    none = dict.fromkeys(openstack._RULE_FIELDS.values())  # noqa: SLF001 - the fields that a rule has
    return existing(identifier, **{**none, "direction": "egress", "ether_type": "IPv4", **fields})


def test_a_rule_matches_in_every_field() -> None:
    tcp = {"protocol": "tcp", "port_range_min": 53, "port_range_max": 53, "remote_ip_prefix": "0.0.0.0/0"}
    rules = Listing(rule("default"), rule("tcp", **tcp), rule("udp", **tcp | {"protocol": "udp"}))
    cloud = connection(network=SimpleNamespace(security_group_rules=rules))
    wanted = {
        "direction": "egress",
        "ethertype": "IPv4",
        "protocol": "tcp",
        "portRangeMin": 53,
        "portRangeMax": 53,
        "remoteIpPrefix": "0.0.0.0/0",
    }
    assert found("SecGroupRule", cloud, securityGroupId="group", **wanted) == ["tcp"]
    assert rules.query == {"security_group_id": "group"}


def test_a_recovered_group_has_no_default_rules() -> None:
    removed: list[str] = []
    rules = Listing(rule("default"), rule("dns", protocol="udp", port_range_min=53))
    network = SimpleNamespace(
        security_group_rules=rules, delete_security_group_rule=lambda each: removed.append(each.id)
    )
    finish = openstack.FINDERS["openstack:networking/secGroup:SecGroup"].finish
    assert finish(connection(network=network), Found("group"), {}) == ""
    assert removed == []
    assert finish(connection(network=network), Found("group"), {"deleteDefaultRules": True}) == ""
    assert removed == ["default"]


def test_an_address_is_found_by_its_description() -> None:
    ips = Listing(existing("ours", description="Ingress of test"), existing("another", description=""))
    network = SimpleNamespace(ips=ips, find_network=lambda name, **_: existing(f"id-of-{name}"))
    assert found("FloatingIp", connection(network=network), pool="external", description="Ingress of test") == ["ours"]
    assert found("FloatingIp", connection(network=network), pool="external") == []
    assert ips.query == {"floating_network_id": "id-of-external", "project_id": "mine"}


def test_a_volume_that_is_being_deleted_is_ignored() -> None:
    volumes = Listing(existing("new", name=NAME, status="creating"), existing("old", name=NAME, status="deleting"))
    assert found("Volume", connection(block_storage=SimpleNamespace(volumes=volumes)), name=NAME) == ["new"]


def test_a_server_is_found_by_its_exact_name() -> None:
    servers = Listing(
        existing("ours", name=NAME, status="BUILD"), existing("longer", name=f"{NAME}-2", status="ACTIVE")
    )
    assert found("Instance", connection(compute=SimpleNamespace(servers=servers)), name=NAME) == ["ours"]


def test_a_server_is_recorded_with_the_hash_of_its_user_data() -> None:
    """With the text, the provider would replace it."""
    servers = Listing(existing("ours", name=NAME, status="ACTIVE"))
    cloud: Any = connection(compute=SimpleNamespace(servers=servers))
    (server,) = openstack.FINDERS["openstack:compute/instance:Instance"].find(cloud, {"name": NAME, "userData": "abc"})
    assert server.outputs == {"userData": "a9993e364706816aba3e25717850c26c9cd0d89d"}


def test_a_container_is_found_by_its_name() -> None:
    store = SimpleNamespace(head=lambda path: answer({} if path == "/results" else None))
    assert found("Container", connection(object_store=store), name="results") == ["results"]
    assert found("Container", connection(object_store=store), name="others") == []


def magnum(*clusters: SimpleNamespace, groups: Any = None) -> Any:
    def get(path: str, headers: dict[str, str]) -> Response:
        if path.startswith("/clustertemplates/"):
            return answer({"project_id": "another" if path.endswith("/public") else "mine"})
        assert headers == {"OpenStack-API-Version": "container-infra 1.9"}
        return answer(groups if path == "/clusters/c1/nodegroups" else None)

    listed = SimpleNamespace(clusters=lambda: clusters, cluster_templates=lambda: clusters, get=get)
    return connection(container_infrastructure_management=listed)


@pytest.mark.parametrize(
    ("kind", "service", "inputs"),
    [
        ("Container", "object_store", {"name": "results"}),
        ("NodeGroup", "container_infrastructure_management", {"clusterId": "c1", "name": "labs"}),
    ],
)
def test_an_error_of_the_service_does_not_mean_that_the_resource_is_absent(
    kind: str, service: str, inputs: dict[str, str]
) -> None:
    def fail(*_: Any, **__: Any) -> Response:
        return answer(None, status=503)

    with pytest.raises(HttpException, match="503"):
        found(kind, connection(**{service: SimpleNamespace(get=fail, head=fail)}), **inputs)


def test_clusters_of_one_name_are_all_found() -> None:
    one, two, going = (
        SimpleNamespace(uuid=uuid, name=NAME, status=status)
        for uuid, status in (("c1", "CREATE_IN_PROGRESS"), ("c2", "CREATE_FAILED"), ("c3", "DELETE_IN_PROGRESS"))
    )
    other = SimpleNamespace(uuid="c4", name="rsp-test-other", status="CREATE_COMPLETE")
    assert found("Cluster", magnum(one, two, going, other), name=NAME) == ["c1", "c2"]


def test_a_public_template_of_another_project_is_ignored() -> None:
    ours, public, other = (
        SimpleNamespace(uuid=uuid, name=name) for uuid, name in (("ours", NAME), ("public", NAME), ("other", "other"))
    )
    assert found("ClusterTemplate", magnum(ours, public, other), name=NAME) == ["ours"]


def test_a_node_group_is_found_in_its_cluster() -> None:
    cloud = magnum(groups={"nodegroups": [{"name": "labs", "uuid": "g1"}, {"name": "default-worker", "uuid": "g2"}]})
    assert found("NodeGroup", cloud, clusterId="c1", name="labs") == ["c1/g1"]
    assert found("NodeGroup", cloud, clusterId="gone", name="labs") == []


def test_a_dns_record_is_found_by_name_and_type_in_its_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    record = {"name": "rsp.example.org.", "type": "A"}
    listing = Listing(
        existing("r1", **record, description="of this stack", status="ACTIVE"),
        existing("r2", **{**record, "type": "TXT"}, description="another", status="ACTIVE"),
    )
    statuses = iter(["PENDING", "ACTIVE"])
    dns = SimpleNamespace(recordsets=listing, get_recordset=lambda *_: SimpleNamespace(status=next(statuses)))
    kind = openstack.FINDERS["openstack:dns/recordSet:RecordSet"]
    (one,) = kind.find(connection(dns=dns), {**record, "zoneId": "z1", "description": "of this stack"})
    assert one == Found("z1/r1")
    assert listing.query == record
    (one,) = kind.find(connection(dns=dns), {**record, "zoneId": "z1", "description": "of that stack"})
    assert "its description differs" in one.difference
    monkeypatch.setattr(finder, "POLL", 0)
    assert kind.finish(connection(dns=dns), one, {}) == ""


def test_an_application_credential_of_an_interrupted_creation_is_discarded() -> None:
    removed: list[tuple[str, str]] = []
    identity = SimpleNamespace(
        application_credentials=Listing(
            existing("ours", name="solver-1a2b3c4"), existing("other", name="solver-5d6e7f8")
        ),
        delete_application_credential=lambda user, each: removed.append((user, each)),
    )
    cloud = connection(identity=identity)
    assert found("ApplicationCredential", cloud, name="solver-1a2b3c4") == ["ours"]
    discard = openstack.FINDERS["openstack:identity/applicationCredential:ApplicationCredential"].discard
    assert discard is not None
    discard(cloud, Found("ours"), {})
    assert removed == [("me", "ours")]


def test_finish_waits_until_the_server_is_active(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "POLL", 0)
    statuses = iter(["BUILD", "BUILD", "ACTIVE"])
    compute = SimpleNamespace(get_server=lambda _: SimpleNamespace(status=next(statuses)))
    finish = openstack.FINDERS["openstack:compute/instance:Instance"].finish
    assert finish(connection(compute=compute), Found("vm"), {}) == ""
    assert next(statuses, None) is None


def test_finish_reports_a_failed_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finder, "POLL", 0)
    failed = SimpleNamespace(status="CREATE_FAILED")
    api = SimpleNamespace(get_cluster=lambda _: failed)
    finish = openstack.FINDERS["openstack:containerinfra/cluster:Cluster"].finish
    assert "CREATE_FAILED" in finish(connection(container_infrastructure_management=api), Found("c1"), {})


class Vault:
    """A fake Vault with one mount of each kind and one role."""

    def __init__(self) -> None:
        mounts = {
            "secret": {"secret/": {"type": "kv", "description": "Made by the Pulumi stack rsp/test"}},
            "auth": {"approle/": {"type": "approle", "description": "Made by somebody"}},
        }
        self.adapter = SimpleNamespace(get=lambda _: {"data": mounts})

    def read(self, path: str) -> dict[str, Any] | None:
        return {"data": {}} if path == "auth/approle/role/test" else None


def in_vault(kind: str, **inputs: Any) -> list[str]:
    finds = next(each for token, each in vault.FINDERS.items() if token.endswith(f":{kind}"))
    return [each.id for each in finds.find(cast("Any", Vault()), inputs)]


def test_a_mount_is_matched_by_its_description() -> None:
    ours = {"type": "kv", "description": "Made by the Pulumi stack rsp/test"}
    assert in_vault("Mount", path="secret", **ours) == ["secret"]
    assert in_vault("Mount", path="other", **ours) == []
    with pytest.raises(AmbiguousError, match="Made by somebody"):
        in_vault("AuthBackend", type="approle", description="Made by the Pulumi stack rsp/test")


def test_a_role_is_found_at_its_path() -> None:
    assert in_vault("AuthBackendRole", backend="approle", roleName="test") == ["auth/approle/role/test"]
    assert in_vault("AuthBackendRole", backend="approle", roleName="other") == []
