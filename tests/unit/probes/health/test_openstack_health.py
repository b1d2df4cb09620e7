"""Services, quotas, servers, the cluster and load balancers in OpenStack."""

from ipaddress import IPv4Network
from types import SimpleNamespace
from typing import Any

import pytest
from openstack.exceptions import ForbiddenException, HttpException

from config.console import Line
from probes import openstack_api
from probes.health import cloud, load_balancer, magnum, servers, shares
from probes.health.finding import Finding, State
from probes.health.root_causes import explain
from probes.openstack_services import required
from probes.quota import Allowance, compare
from tests.unit.openstack_server import openstack_server
from tests.unit.probes import recorded_magnum
from tests.unit.probes.recorded_magnum import group
from tests.unit.sample import environment

UUID = "6cfd4a9e-0000-4000-8000-000000000001"


def server(name: str, status: str = "ACTIVE", **rest: Any) -> SimpleNamespace:
    return SimpleNamespace(id=f"id-of-{name}", name=name, status=status, **{"fault": None, **rest})


def volume(name: str, *attached: str, status: str = "in-use") -> SimpleNamespace:
    return SimpleNamespace(name=name, status=status, size=100, attachments=[{"server_id": each} for each in attached])


def states(findings: list[Finding]) -> dict[str, State]:
    return {each.subject: each.state for each in findings}


def test_a_service_is_asked_in_its_database() -> None:
    (magnum_service,) = [each for each in required(environment()) if each.name == "Magnum"]
    found = {}
    for status in (200, 403, 503):
        with openstack_server({"GET /clusters?limit=1": (status, {})}) as connection:
            (found[status],) = cloud.service(connection, magnum_service)
    assert {each.subject for each in found.values()} == {"Magnum"}
    assert [each.state for each in found.values()] == [State.OK, State.CRITICAL, State.CRITICAL]
    assert found[503].message == "responds with 503 Service Unavailable"
    assert "#the-openstack-user" in found[403].remedy


def test_swift_and_designate_are_required_only_if_configured() -> None:
    always = {"Neutron", "Glance", "Nova", "Magnum", "Octavia", "Cinder"}
    assert {each.name for each in required(environment())} == always | {"Swift"}
    s3 = environment(objectStore__kind="s3", objectStore__accessKey="key", objectStore__secretKey="secret")
    assert {each.name for each in required(s3)} == always


def judged_quotas(**allowances: Allowance) -> Finding:
    needed = {"cores": 8, "instances": 4, "ports": None}
    return cloud.judge_quotas(compare(needed, allowances, first=False), "roe")


def test_quotas_that_are_too_small_or_used_up_are_warnings() -> None:
    unlimited = Allowance(limit=-1, used=None)
    found = judged_quotas(cores=Allowance(limit=20, used=8), instances=unlimited)
    assert (found.state, found.message) == (State.OK, "left: 12 of 20 cores")
    found = judged_quotas(cores=Allowance(limit=8, used=8), instances=unlimited)
    assert (found.state, found.message) == (State.WARNING, "none left of 8 cores")
    found = judged_quotas(cores=Allowance(limit=6, used=6))
    assert (found.state, found.message) == (State.WARNING, "cores: 8 needed, the quota is 6")
    assert "`python -m operations size --cloud -s roe`" in found.remedy


def test_a_server_of_a_node_that_is_shut_off_is_critical() -> None:
    fault = {"message": "No valid host was found."}
    found = list(
        servers.judge_nodes(
            [server("a"), server("b", "SHUTOFF"), server("c", "REBOOT"), server("d", "ERROR", fault=fault)]
        )
    )
    assert [each.state for each in found] == [State.OK, State.CRITICAL, State.WARNING, State.CRITICAL]
    assert "`openstack server start b`" in found[1].remedy
    assert found[3].message == "ERROR: No valid host was found."
    assert "`openstack server reboot --hard d`" in found[3].remedy


def test_the_nfs_server_is_no_node() -> None:
    stack = "a-name-with-more-than-16-characters"
    listed = [server(f"rsp-{stack}-nfs"), server(f"rsp-{stack}"[:20] + "-abc-master-0")]
    connection: Any = SimpleNamespace(compute=SimpleNamespace(servers=lambda: listed))
    assert [each.subject for each in servers.nodes(connection, environment(), stack)] == [f"server {listed[1].name}"]


def test_the_nfs_server_needs_its_volumes() -> None:
    nfs = server("rsp-test-nfs")
    found = list(
        servers.judge_nfs(
            nfs.name,
            nfs,
            {"data": volume("rsp-test-nfs-data", nfs.id), "jhome": volume("v", status="available"), "x": None},
        )
    )
    assert [each.state for each in found] == [State.OK, State.OK, State.CRITICAL, State.CRITICAL]
    assert found[2].message == "v is available and not attached to the NFS server"
    assert found[2].remedy.startswith("`openstack server add volume rsp-test-nfs v`")
    assert found[3].message == "does not exist"


def test_a_missing_nfs_server_is_one_finding() -> None:
    found = list(servers.judge_nfs("rsp-test-nfs", None, {"data": volume("v", status="available")}))
    assert states(found) == {"server rsp-test-nfs": State.CRITICAL, "volume of export /data": State.OK}


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ([Line.INSTALLING], State.WARNING),
        ([Line.INSTALLING, Line.INSTALLED], State.CRITICAL),
        ([Line.INSTALLING, Line.FAILED], State.CRITICAL),
        ([Line.INSTALLING, Line.FAILED, Line.INSTALLING, Line.SERVING], State.OK),
        ([Line.SERVING, Line.STOPPED], State.CRITICAL),
        ([Line.SERVING, Line.STOPPED, Line.SERVING], State.OK),
        ([], State.UNKNOWN),
    ],
)
def test_the_last_line_on_the_console_says_whether_exports_are_served(lines: list[Line], state: State) -> None:
    shown = "".join(f"[   33.123456] rsp-install[812]: {line.text}\r\nE: Unable to locate package\n" for line in lines)
    found = servers.judge_exports("rsp-test-nfs", f"Debian GNU/Linux 12\n{shown}login: ")
    assert (found.subject, found.state) == ("NFS exports", state)
    assert bool(found.remedy) is (state is not State.OK)


@pytest.mark.parametrize(
    "answer", [ForbiddenException("Policy"), HttpException("501"), {"output": "a\n"}, {"output": None}]
)
def test_a_console_that_cannot_be_read_is_no_failure(answer: Any) -> None:
    def console_output(_server: str) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    nfs = server("rsp-test-nfs")
    compute = SimpleNamespace(servers=lambda **_: [nfs], get_server_console_output=console_output)
    connection: Any = SimpleNamespace(compute=compute, block_storage=SimpleNamespace(volumes=list))
    settings = environment().nfs
    assert settings
    found = states(list(servers.nfs(connection, settings, "test")))
    assert (found[f"server {nfs.name}"], found["NFS exports"]) == (State.OK, State.UNKNOWN)
    nfs.status = "SHUTOFF"
    assert "NFS exports" not in states(list(servers.nfs(connection, settings, "test")))


def share(status: str = "available", rules: str = "active") -> SimpleNamespace:
    return SimpleNamespace(name="rsp-test-share-jhome", size=50, status=status, access_rules_status=rules)


def test_a_share_must_be_mountable() -> None:
    found = {"ok": share(), "grows": share("extending"), "broken": share("error"), "rules": share(rules="error")}
    findings = list(shares.judge({**found, "missing": None}))
    assert states(findings) == {
        "share ok": State.OK,
        "share grows": State.OK,
        "share broken": State.CRITICAL,
        "share rules": State.CRITICAL,
        "share missing": State.CRITICAL,
    }
    assert findings[0].message == "50 GiB, available"
    assert "`openstack share access list rsp-test-share-jhome`" in findings[3].remedy


def checked_cluster(cluster: dict[str, Any] | None, *groups: dict[str, Any]) -> list[Finding]:
    answers = recorded_magnum.groups(UUID, *groups)
    if cluster:
        answers["GET /clusters/c"] = (200, {"uuid": UUID, "name": "c", "coe_version": "v1.36.3", **cluster})
    with openstack_server(answers) as connection:
        return list(magnum.cluster(connection, "c"))


def test_a_complete_cluster_is_in_order() -> None:
    found = checked_cluster({"status": "UPDATE_COMPLETE"}, group("labs", "CREATE_COMPLETE"))
    assert [(each.state, each.message) for each in found] == [
        (State.OK, "UPDATE_COMPLETE, v1.36.3"),
        (State.OK, "CREATE_COMPLETE, 2 nodes"),
    ]


@pytest.mark.parametrize(
    ("address", "public", "states"),
    [
        ("203.0.113.7", True, [State.OK]),
        ("203.0.113.7", False, [State.CRITICAL]),
        ("10.20.0.7", False, [State.OK]),
        ("10.20.0.7", True, [State.WARNING]),
        ("127.0.0.1", False, []),
    ],
)
def test_the_api_is_public_only_if_configured(address: str, public: bool, states: list[State]) -> None:
    answers: dict[str, tuple[int, Any]] = {
        "GET /clusters/c": (200, {"uuid": UUID, "name": "c", "api_address": f"https://{address}:6443"}),
    }
    floating = [SimpleNamespace(floating_ip_address="203.0.113.7")]
    with openstack_server(answers) as server:
        connection: Any = SimpleNamespace(
            container_infrastructure_management=server.container_infrastructure_management,
            network=SimpleNamespace(ips=lambda **_: floating),
        )
        found = list(magnum.address(connection, "c", IPv4Network("10.20.0.0/24"), public=public))
    assert [each.state for each in found] == states


def test_a_failed_node_group_has_its_reason() -> None:
    found = checked_cluster(
        {"status": "UPDATE_IN_PROGRESS"}, group("labs", "CREATE_FAILED", status_reason="Quota exceeded for cores")
    )
    assert states(found) == {"cluster": State.WARNING, "node group labs": State.CRITICAL}
    assert found[1].message == "CREATE_FAILED: Quota exceeded for cores"
    assert found[1].remedy == "`openstack coe nodegroup show c labs`"


def test_a_failed_update_is_repeated_by_a_resize_to_the_present_size() -> None:
    groups = [
        group("default-master", "UPDATE_FAILED", role="master", is_default=True),
        group("default-worker", "UPDATE_COMPLETE", role="worker", is_default=True, node_count=3),
        group("labs", "UPDATE_FAILED", role="worker"),
        group("gpus", "UPDATE_FAILED", role="worker"),
    ]

    def command(*given: dict[str, Any]) -> str:
        cluster, *rest = checked_cluster({"status": "UPDATE_FAILED"}, *given)
        assert cluster.remedy.endswith("; if it cannot be repaired: docs/runbooks/cluster-loss.md")
        assert [each.subject for each in rest if "resize" in each.remedy] == [
            f"node group {each['name']}" for each in given if each["status"] == "UPDATE_FAILED"
        ]
        return cluster.remedy.split("`")[3]

    assert command(*groups) == "openstack coe cluster resize --nodegroup labs c 2"
    assert command(*groups[:2]) == "openstack coe cluster resize --nodegroup default-worker c 3"
    (failed,) = checked_cluster({"status": "CREATE_FAILED"})
    assert "resize" not in failed.remedy


def test_a_failed_unhealthy_or_missing_cluster_is_reported() -> None:
    (failed,) = checked_cluster({"status": "CREATE_FAILED", "status_reason": "No valid host was found."})
    assert (failed.state, failed.message) == (
        State.CRITICAL,
        "Magnum's cluster c: CREATE_FAILED: No valid host was found.",
    )
    reason = {"api": "ok", "c-node-0.Ready": "False"}
    unhealthy, *_ = checked_cluster(
        {"status": "CREATE_COMPLETE", "health_status": "UNHEALTHY", "health_status_reason": reason}
    )
    assert (unhealthy.state, unhealthy.message) == (
        State.WARNING,
        "CREATE_COMPLETE, but UNHEALTHY: c-node-0.Ready: False",
    )
    (missing,) = checked_cluster(None)
    assert (missing.state, missing.remedy) == (State.CRITICAL, "docs/runbooks/cluster-loss.md")


def tree(*statuses: str, operating: str = "ONLINE", provisioning: str = "ACTIVE") -> dict[str, Any]:
    members = [
        {
            "name": f"node-{number}",
            "address": f"10.20.0.{number}",
            "protocol_port": 30443,
            "operating_status": status,
        }
        for number, status in enumerate(statuses)
    ]
    listener = {"pools": [{"id": "p", "name": "https", "members": members}]}
    return {
        "id": "lb",
        "provisioning_status": provisioning,
        "operating_status": operating,
        "listeners": [listener],
    }


def judged(found: dict[str, Any]) -> list[Finding]:
    return list(load_balancer.judge(load_balancer.INGRESS, "203.0.113.16", found))


def test_members_without_a_monitor_are_up() -> None:
    (found,) = judged(tree("NO_MONITOR", "ONLINE"))
    assert (found.state, found.message) == (State.OK, "203.0.113.16: ACTIVE, ONLINE, 2 of 2 members up")


def test_a_member_that_is_down_is_a_warning_while_others_are_up() -> None:
    balancer, member = judged(tree("ERROR", "ONLINE", operating="DEGRADED"))
    assert balancer.message == "203.0.113.16: ACTIVE, DEGRADED, 1 of 2 members up"
    assert (member.state, member.subject) == (State.WARNING, "member 10.20.0.0:30443 (node-0) of https")
    assert member.because_of == ("server node-0", "node node-0")


def test_without_members_that_are_up_the_load_balancer_is_down() -> None:
    found = judged(tree("ERROR", "OFFLINE", operating="DEGRADED"))
    assert [each.state for each in found] == [State.CRITICAL] * 3
    assert [each.subject for each in explain(found) if each.is_root] == [load_balancer.INGRESS]


def test_the_nodes_explain_a_load_balancer_without_members_that_are_up() -> None:
    down = [Finding(subject=f"node node-{number}", state=State.CRITICAL, message="NotReady") for number in range(2)]
    found = explain([*down, *judged(tree("ERROR", "ERROR", operating="DEGRADED"))])
    assert [each.subject for each in found if each.is_root] == ["node node-0", "node node-1"]


@pytest.mark.parametrize(
    ("nodes", "monitored", "state", "message"),
    [
        ({"10.20.0.0", "10.20.0.1"}, False, State.OK, "the 2 nodes"),
        ({"10.20.0.0"}, False, State.CRITICAL, "belong to no node, for example to a replaced one: 10.20.0.1"),
        ({"10.20.0.0"}, True, State.WARNING, "belong to no node, for example to a replaced one: 10.20.0.1"),
        ({"10.20.0.0", "10.20.0.1", "10.20.0.2"}, False, State.WARNING, "lack the nodes 10.20.0.2"),
    ],
)
def test_members_must_be_the_nodes(
    nodes: set[str], monitored: bool, state: State, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a monitor, Octavia takes the address of a node that was replaced for a member that is up."""
    document = {"statuses": {"loadbalancer": tree("NO_MONITOR", "NO_MONITOR")}}
    monkeypatch.setattr(openstack_api, "get", lambda _, path: document if path.endswith("/lb/status") else None)
    connection: Any = SimpleNamespace(
        network=SimpleNamespace(ips=lambda **_: [SimpleNamespace(port_id="vip")]),
        load_balancer=SimpleNamespace(load_balancers=lambda vip_port_id: [SimpleNamespace(id="lb", name=vip_port_id)]),
    )
    listed = [{"type": "InternalIP", "address": address} for address in nodes]
    client: Any = SimpleNamespace(
        items=lambda _: [{"metadata": {"name": "node"}, "status": {"addresses": [each]}} for each in listed]
    )
    config = environment(ingress={"mode": "octavia", "healthMonitors": monitored})
    (found,) = load_balancer.nodes(connection, client, config, "test")
    assert (found.state, found.message) == (state, message)


def test_each_port_must_lead_to_all_nodes() -> None:
    both = {"10.20.0.0", "10.20.0.1"}
    found = load_balancer.judge_nodes([both, {"10.20.0.0"}], both, "test", monitored=True)
    assert (found.state, found.message) == (State.WARNING, "lack the nodes 10.20.0.1")


def test_no_load_balancer_has_no_members_to_compare() -> None:
    connection: Any = SimpleNamespace(network=SimpleNamespace(ips=lambda **_: []), load_balancer=None)
    client: Any = None
    assert list(load_balancer.nodes(connection, client, environment(), "test")) == []


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (tree("ONLINE", provisioning="ERROR"), State.CRITICAL),
        (tree("ONLINE", operating="ERROR"), State.CRITICAL),
        (tree(), State.CRITICAL),
        (tree("ONLINE", provisioning="PENDING_UPDATE"), State.WARNING),
    ],
)
def test_a_load_balancer_in_another_state_is_reported(found: dict[str, Any], state: State) -> None:
    assert judged(found)[0].state is state


def test_the_states_of_a_load_balancer_and_its_members_are_described(monkeypatch: pytest.MonkeyPatch) -> None:
    document = {"statuses": {"loadbalancer": tree("NO_MONITOR", "ERROR")}}
    monkeypatch.setattr(openstack_api, "get", lambda _, path: document if path.endswith("/lb/status") else None)
    balancers = {"vip": [SimpleNamespace(id="lb", name="ingress")]}
    connection: Any = SimpleNamespace(
        network=SimpleNamespace(ips=lambda floating_ip_address: [SimpleNamespace(port_id=floating_ip_address[:3])]),
        load_balancer=SimpleNamespace(load_balancers=lambda vip_port_id: balancers.get(vip_port_id, [])),
    )
    assert load_balancer.describe(connection, "vip") == [
        "load balancer ingress: ACTIVE, ONLINE",
        "member 10.20.0.0:30443 (node-0) of https: NO_MONITOR",
        "member 10.20.0.1:30443 (node-1) of https: ERROR",
    ]
    assert load_balancer.describe(connection, "192.0.2.1") == ["192.0.2.1 is not associated with a load balancer"]


@pytest.mark.parametrize(
    ("addresses", "message"),
    [
        ([], "its floating IP does not exist"),
        (
            [SimpleNamespace(floating_ip_address="203.0.113.16", port_id=None)],
            "203.0.113.16 is not associated with a load balancer",
        ),
    ],
)
def test_the_floating_ip_is_found_by_its_description(addresses: list[Any], message: str) -> None:
    asked: list[dict[str, str]] = []

    def ips(**query: str) -> list[Any]:
        asked.append(query)
        return addresses

    connection: Any = SimpleNamespace(network=SimpleNamespace(ips=ips))
    (found,) = load_balancer.ingress(connection, environment(), "roe")
    assert (found.state, found.message) == (State.CRITICAL, message)
    existing = environment(ingress={"floatingIp": "192.0.2.1"})
    assert load_balancer.ingress_address(connection, existing, "roe") == ("203.0.113.16" if addresses else None)
    assert asked == [
        {"description": "Ingress of the Rubin Science Platform (roe), managed by Pulumi"},
        {"floating_ip_address": "192.0.2.1"},
    ]
