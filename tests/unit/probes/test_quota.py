from hypothesis import given
from hypothesis import strategies as st

from probes.quota import RESOURCES, Allowance, Flavor, needs, shortages
from tests.unit.sample import environment

FLAVORS = {
    "m1.small": Flavor(vcpus=1, ram=2048),
    "m1.medium": Flavor(vcpus=2, ram=4096),
    "m1.large": Flavor(vcpus=4, ram=8192),
}


def test_sums_servers_volumes_and_addresses() -> None:
    assert needs(environment(), FLAVORS) == {
        # The NFS server, three masters, two workers, one node of the group.
        "instances": 1 + 3 + 2 + 1,
        "cores": 1 + 5 * 2 + 4,
        "ram": 2048 + 5 * 4096 + 8192,
        "volumes": 2,
        "gigabytes": 150,
        "networks": 1,
        "subnets": 1,
        "routers": 1,
        "security_groups": 3,
        "floating_ips": 2,
        "load_balancers": 2,
    }


def test_autoscaled_groups_count_with_their_maximum() -> None:
    grown = environment(cluster__nodeGroups__labs__autoscaling={"minimum": 1, "maximum": 10})
    assert needs(grown, FLAVORS)["instances"] == 1 + 3 + 2 + 10


def test_boot_volumes_are_counted() -> None:
    needed = needs(environment(cluster__bootVolume={"size": 40}), FLAVORS)
    assert (needed["volumes"], needed["gigabytes"]) == (2 + 6, 150 + 6 * 40)


def test_an_adopted_network_is_not_counted() -> None:
    needed = needs(environment(network__adopt={"network": "shared", "subnet": "shared-v4"}), FLAVORS)
    assert (needed["networks"], needed["subnets"], needed["routers"]) == (0, 0, 0)


def test_heat_has_a_load_balancer_for_etcd_as_well() -> None:
    heat = {"cluster__driver": "heat", "cluster__kubernetesVersion": "v1.28.9-rancher1", "cluster__masters__count": 1}
    assert needs(environment(**heat), FLAVORS)["load_balancers"] == 3
    assert needs(environment(**heat, cluster__publicApi=False), FLAVORS)["load_balancers"] == 1


def test_a_private_api_needs_no_address() -> None:
    assert needs(environment(cluster__publicApi=False), FLAVORS)["floating_ips"] == 1


allowances = st.builds(Allowance, limit=st.integers(-1, 100), used=st.integers(0, 100))


@given(
    st.dictionaries(st.sampled_from(sorted(RESOURCES)), st.integers(0, 100)),
    st.dictionaries(st.sampled_from(sorted(RESOURCES)), allowances),
    st.booleans(),
)
def test_the_requested_quota_is_sufficient(
    needed: dict[str, int],
    given_allowances: dict[str, Allowance],
    first: bool,
) -> None:
    short = [
        resource
        for resource, amount in needed.items()
        if resource in given_allowances and given_allowances[resource].limit >= 0
        if amount > given_allowances[resource].limit - (given_allowances[resource].used if first else 0)
    ]
    assert len(list(shortages(needed, given_allowances, first=first))) == len(short)
    raised = {
        resource: Allowance(limit=allowance.used + needed.get(resource, 0), used=allowance.used)
        for resource, allowance in given_allowances.items()
    }
    assert list(shortages(needed, raised, first=first)) == []


def test_the_message_names_the_required_quota() -> None:
    ((_, sentence),) = shortages({"cores": 84}, {"cores": Allowance(limit=64, used=11)}, first=True)
    assert sentence.startswith("cores: 84 needed, 53 of 64 free: ask the cloud's administrators")
    assert "a quota of 95" in sentence
