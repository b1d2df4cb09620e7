from hypothesis import given
from hypothesis import strategies as st

from probes.needs import needs
from probes.quota import RESOURCES, Allowance, Project, compare, refusal, request, resource, table
from tests.unit.sample import environment

PROJECT = Project(name="rsp", id="0123", region="RegionOne")

names = st.sampled_from([*RESOURCES, "volumes_ceph-ssd", "gigabytes_ceph-ssd", "share_gigabytes_cephfs"])
amounts = st.dictionaries(names, st.integers(0, 100) | st.none())
known = st.dictionaries(names, st.builds(Allowance, limit=st.integers(-1, 100), used=st.integers(0, 100)))


@given(amounts, known, st.booleans())
def test_the_requested_quota_of_known_and_limited_resources_is_exactly_sufficient(
    needed: dict[str, int | None], allowances: dict[str, Allowance], first: bool
) -> None:
    short = [row for row in compare(needed, allowances, first=first) if row.short]
    for row in short:
        assert row.needed is not None
        used = allowances[row.name].used if first else 0
        assert row.needed + (used or 0) > allowances[row.name].limit >= 0
    for raised_by in (0, -1):
        raised = {
            row.name: Allowance(limit=row.sufficient + raised_by, used=allowances[row.name].used)
            for row in short
            if row.sufficient + raised_by >= 0
        }
        again = [row for row in compare(needed, {**allowances, **raised}, first=first) if row.short]
        assert len(again) == (len(short) if raised_by else 0)


def test_what_is_left_of_a_lost_stack_is_not_counted_twice() -> None:
    needed, allowances = {"backups": 18, "cores": 4}, {"backups": Allowance(limit=20, used=15)}
    (twice, _) = compare(needed, allowances, first=True)
    assert twice.short == 13
    (once, cores) = compare(needed, allowances, first=True, kept={"backups": 12})
    assert (once.short, once.used, cores.short) == (1, 15, 0)
    assert "is too small for this stack (used includes this stack's resources" in refusal([once], PROJECT, "roe")
    assert "--backups 21 0123" in refusal([once], PROJECT, "roe")


def test_every_resource_of_a_stack_has_a_title_and_a_command() -> None:
    assert {resource(name).title for name in needs(environment(), {})} >= {"servers", "GiB of volumes, type ceph-ssd"}


def test_the_refusal_has_one_table_and_the_message_to_the_administrators() -> None:
    needed = {"cores": 84, "gigabytes": 150, "gigabytes_ceph-ssd": 50, "load_balancers": 2, "routers": 1, "clusters": 1}
    allowances = {
        "cores": Allowance(limit=64, used=11),
        "gigabytes": Allowance(limit=-1, used=9000),
        "gigabytes_ceph-ssd": Allowance(limit=1000, used=990),
        "load_balancers": Allowance(limit=5, used=4),
        "clusters": Allowance(limit=4, used=4),
    }
    assert refusal(compare(needed, allowances, first=True), PROJECT, "roe").splitlines() == [
        "is too small for this stack:",
        "  resource                       needed  used  limit  short  depends on",
        "  cores                              84    11     64     31  clusters",
        "  GiB of volumes, type ceph-ssd      50   990   1000     40  nfs.volumes",
        "  load balancers                      2     4      5      1  clusters.NAME.publicApi",
        "  clusters                            1     4      4      1  clusters",
        "Reduce the size of the stack, or send this to the cloud's administrators:",
        "  Please raise the quotas of project rsp (ID 0123) in region RegionOne",
        "  for the Rubin Science Platform (stack roe):",
        "    openstack coe quotas update --resource Cluster --hard-limit 5 --project-id 0123",
        "    openstack loadbalancer quota set --loadbalancer 6 0123",
        "    openstack quota set --cores 95 0123",
        "    openstack quota set --volume-type ceph-ssd --gigabytes 1040 0123",
    ]


def test_the_resources_of_an_existing_stack_are_in_use_already() -> None:
    allowances = {"cores": Allowance(limit=64, used=60)}
    assert refusal(compare({"cores": 60}, allowances, first=False), PROJECT, "roe") == ""
    grown = refusal(compare({"cores": 80}, allowances, first=False), PROJECT, "roe")
    assert "used includes this stack's resources" in grown
    assert "--cores 80 0123" in grown


def test_a_table_without_quotas_has_no_columns_for_them() -> None:
    lines = list(table(compare({"instances": 7, "cores": None}, {}, first=True)))
    assert lines == [
        "resource  needed  depends on",
        "servers        7  clusters",
        "cores          -  clusters",
    ]


def test_the_request_sets_resources_of_one_service_with_one_command() -> None:
    allowances = {name: Allowance(limit=0, used=0) for name in ("cores", "ram")}
    *_, command = request(compare({"cores": 2, "ram": 1024}, allowances, first=True), PROJECT, "roe")
    assert command == "  openstack quota set --cores 2 --ram 1024 0123"
