from ipaddress import IPv4Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.loader import ConfigError
from config.network import SMALLEST_POOL, NetworkSettings
from tests.unit.config.refusals import refusals
from tests.unit.sample import HEAT, environment

subnets = st.builds(
    lambda prefix, offset: IPv4Network((int(IPv4Network("10.0.0.0/8")[0]) + (offset << (32 - prefix)), prefix)),
    st.integers(min_value=20, max_value=26),
    st.integers(min_value=0, max_value=2**12 - 1),
)


@given(subnets, st.integers(min_value=4, max_value=50))
def test_gateway_fixed_addresses_and_pool_share_the_subnet(cidr: IPv4Network, reserved: int) -> None:
    network = NetworkSettings(external_network="external", cidr=cidr, reserved_addresses=reserved)
    first, last = network.allocation_pool
    fixed = [address for address in cidr if network.may_be_fixed(address)]
    assert network.gateway in cidr
    assert all(address in cidr for address in (first, last))
    assert int(last) - int(first) + 1 >= SMALLEST_POOL
    # The gateway is one of the reserved addresses.
    assert len(fixed) == reserved - 1
    assert not any(first <= address <= last for address in [network.gateway, *fixed])
    # No gap between network address, reserved addresses, pool and broadcast address.
    assert 1 + reserved + int(last) - int(first) + 1 + 1 == cidr.num_addresses


def test_in_an_adopted_subnet_any_host_address_may_be_fixed() -> None:
    adopt = {"network": "shared", "subnet": "shared-v4"}
    environment(network__adopt=adopt, nfs__address="10.20.0.200")
    with pytest.raises(ConfigError, match=r"10\.20\.0\.255 cannot be a fixed address"):
        environment(network__adopt=adopt, nfs__address="10.20.0.255")


@pytest.mark.parametrize(
    ("routes", "reason"),
    [
        ({"10.20.0.0/25": "10.20.0.5"}, r"hostRoutes 10\.20\.0\.0/25 overlaps cidr 10\.20\.0\.0/24"),
        ({"10.30.0.0/16": "10.21.0.5"}, r"hostRoutes 10\.30\.0\.0/16: 10\.21\.0\.5 is not a host address in cidr"),
        ({"10.30.0.0/16": "10.20.0.255"}, r"10\.20\.0\.255 is not a host address in cidr"),
        ({"10.30.0.1/16": "10.20.0.5"}, r"network\.hostRoutes.*the network of this address is 10\.30\.0\.0/16"),
    ],
)
def test_a_route_that_hosts_cannot_use_is_refused(routes: dict[str, str], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        environment(network__hostRoutes=routes)


@pytest.mark.parametrize(
    "changes",
    [{"mtu": 1400}, {"hostRoutes": {"10.30.0.0/16": "10.20.0.5"}}, {"reservedAddresses": 32}],
    ids=lambda changes: next(iter(changes)),
)
def test_settings_of_an_adopted_network_are_refused(changes: dict[str, object]) -> None:
    adopt = {"network": "shared", "subnet": "shared-v4"}
    with pytest.raises(ConfigError, match="not possible with adopt, as the network belongs to somebody else"):
        environment(network__adopt=adopt, **{f"network__{key}": value for key, value in changes.items()})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"network__cidr": "10.20.0.0/26", "clusters__cluster__workers__count": 20},
            "rsp:network.cidr: 10.20.0.0/26 has 30 addresses for nodes, but 32 are needed: 24 for nodes",
        ),
        (
            {"clusters__cluster__nodeGroups__labs__autoscaling": {"minimum": 1, "maximum": 300}},
            "rsp:network.cidr: 10.20.0.0/24 has 222 addresses for nodes, but 313 are needed: 305 for nodes",
        ),
        (
            {**HEAT, "clusters__cluster__podCidr": "10.100.0.0/23", "clusters__cluster__networkDriver": "calico"},
            "rsp:clusters.cluster.podCidr: 10.100.0.0/23 has room for the pods of 4 nodes (a /25 for each with calico)",
        ),
        (
            {**HEAT, "clusters__cluster__podCidr": "10.100.0.0/22", "clusters__cluster__networkDriver": "flannel"},
            "rsp:clusters.cluster.podCidr: 10.100.0.0/22 has room for the pods of 4 nodes (a /24 for each with ",
        ),
        (
            {**HEAT, "clusters__cluster__podCidr": "10.100.0.0/28"},
            "rsp:clusters.cluster.podCidr: 10.100.0.0/28 has room for the pods of 0 nodes",
        ),
        (
            {**HEAT, "clusters__cluster__serviceCidr": "10.254.0.0/28"},
            "rsp:clusters.cluster.serviceCidr: 10.254.0.0/28: the prefix must be between /12 and /24, such as",
        ),
        (
            {**HEAT, "clusters__cluster__podCidr": "198.18.0.0/16"},
            "rsp:clusters.cluster.podCidr: must be a private network (RFC 1918",
        ),
        (
            {"network__dnsNameservers": ["172.16.0.10"]},
            "rsp:network.dnsNameservers: 172.16.0.10 is within clusters.cluster.podCidr 172.16.0.0/13, where nodes",
        ),
    ],
)
def test_a_network_that_is_too_small_is_refused(changes: dict[str, Any], reason: str) -> None:
    (line,) = refusals(changes)
    assert line.startswith(f"Pulumi.test.yaml: {reason}")
