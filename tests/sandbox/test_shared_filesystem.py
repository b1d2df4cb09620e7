"""Create shares in Manila, grow one, and find them by their names."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pulumi
import pytest
from openstack.connection import Connection
from pulumi import ResourceOptions, automation

from components.shared_filesystem import SharedFilesystem
from config.names import cloud_name
from config.stack_config import StackConfig
from probes import allowances, existing_shares, openstack_services
from probes.quota import Allowance
from program import openstack_arguments
from program.providers import openstack_provider
from recovery.openstack import FINDERS
from sandbox.cloud import clients
from tests.sandbox.small_stack import small_stack
from tests.unit.sample import environment

STACK = "shares"
NAME = cloud_name(STACK, "share-jhome")
SUBNET = "10.41.0.0/24"


def configuration(size: int) -> StackConfig:
    return environment(
        cloud={"name": "rsp", "region": "RegionOne"},
        network={"externalNetwork": "external", "cidr": SUBNET},
        nfs=None,
        shares={"jhome": {"size": size}, "fast": {"size": 1, "type": "cephfs", "protocol": "CEPHFS"}},
        protect=False,
    )


class Deployed(NamedTuple):
    """The stack after its share has grown."""

    sizes: tuple[int, int]
    """Size of the share in GiB before and after."""
    outputs: automation.OutputMap
    again: Mapping[automation.OpType, int]
    """Changes in a preview after that, by operation."""


@pytest.fixture(scope="module")
def deployed(tenant: Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    wanted = [configuration(2)]

    def deploy() -> None:
        (config,) = wanted
        options = ResourceOptions(providers=[openstack_provider(config.cloud, config.cloud.region)])
        for name, args in openstack_arguments.shares(config).items():
            made = SharedFilesystem(f"share-{name}", args, options)
            pulumi.export(f"{name}Location", made.location)
            pulumi.export(f"{name}Key", made.access_key)

    try:
        with small_stack(STACK, deploy, tmp_path_factory.mktemp("shares")) as stack:
            stack.up()
            before = share(tenant).size
            wanted[:] = [configuration(3)]
            outputs = stack.up().outputs
            yield Deployed((before, share(tenant).size), outputs, stack.preview().change_summary)
    finally:
        # Pulumi keeps them: they hold data.
        for each in tenant.shared_file_system.shares():
            if each.name.startswith(cloud_name(STACK, "")):
                tenant.shared_file_system.delete_share(each.id)


def share(tenant: Connection, name: str = NAME) -> Any:
    (found,) = [each for each in tenant.shared_file_system.shares() if each.name == name]
    return found


def rules(tenant: Connection, name: str = NAME) -> list[Any]:
    return list(tenant.shared_file_system.access_rules(share(tenant, name).id))


def test_a_share_grows_in_place(deployed: Deployed, tenant: Connection) -> None:
    assert deployed.sizes == (2, 3)
    assert deployed.again.keys() == {automation.OpType.SAME}
    assert (share(tenant).status, share(tenant).share_protocol) == ("available", "NFS")


def test_only_the_clusters_subnet_may_mount_it(deployed: Deployed, tenant: Connection) -> None:
    del deployed
    (rule,) = rules(tenant)
    assert (rule.access_type, rule.access_to, rule.access_level, rule.state) == ("ip", SUBNET, "rw", "active")


def test_its_location_is_manilas(deployed: Deployed, tenant: Connection) -> None:
    locations = {each.path for each in tenant.shared_file_system.export_locations(share(tenant).id)}
    assert deployed.outputs["jhomeLocation"].value in locations


def test_cephfs_has_an_identity_with_a_secret_key(deployed: Deployed, tenant: Connection) -> None:
    name = cloud_name(STACK, "share-fast")
    (rule,) = rules(tenant, name)
    assert (rule.access_type, rule.access_to) == ("cephx", name)
    key = deployed.outputs["fastKey"]
    assert key.secret
    assert key.value == tenant.shared_file_system.get_access_rule(rule.id).access_key
    assert ",10.254.0.17:6789," in str(deployed.outputs["fastLocation"].value)


def test_the_preflight_knows_it(deployed: Deployed, tenant: Connection) -> None:
    del deployed
    manila: Any = tenant.shared_file_system
    assert list(existing_shares.problems(configuration(3), STACK, manila)) == []
    (smaller,) = existing_shares.problems(configuration(1), STACK, manila)
    assert str(smaller).startswith("rsp:shares.jhome.size: 1 GiB is less than the 3 GiB")
    (service,) = [each for each in openstack_services.required(configuration(3)) if each.name == "Manila"]
    assert tenant.session.get_endpoint(service_type=service.type, region_name="RegionOne", skip_discovery=True)
    assert manila.get(service.path).ok
    quota = allowances._manila(tenant)  # noqa: SLF001 - what Manila answers
    assert (quota["shares"].limit, quota["share_gigabytes"].used) == (10, 4)


def test_the_quota_of_a_share_type_is_shown_to_the_project(deployed: Deployed, tenant: Connection) -> None:
    del deployed
    project, headers = tenant.current_project_id, {"X-OpenStack-Manila-API-Version": "2.39"}
    path = f"/quota-sets/{project}?share_type=cephfs"
    with clients.connect("admin") as cloud:
        manila: Any = cloud.shared_file_system
        assert manila.put(path, json={"quota_set": {"gigabytes": 7, "force": True}}, headers=headers).ok
        try:
            found = allowances._manila(tenant, ["cephfs"])  # noqa: SLF001 - what Manila answers
        finally:
            assert manila.delete(path, headers=headers).ok
    assert found.pop("share_gigabytes_cephfs") == Allowance(limit=7, used=1)
    # The type has no other quota of its own.
    assert found == allowances._manila(tenant, ["cephfs"])  # noqa: SLF001


def test_the_recovery_finds_share_and_rule(deployed: Deployed, tenant: Connection) -> None:
    del deployed
    found, rule = share(tenant), rules(tenant)[0]
    finders = {kind.rpartition(":")[2]: finder for kind, finder in FINDERS.items()}
    assert [each.id for each in finders["Share"].find(tenant, {"name": NAME})] == [found.id]
    wanted = {"shareId": found.id, "accessType": "ip", "accessTo": SUBNET}
    assert [each.id for each in finders["ShareAccess"].find(tenant, wanted)] == [rule.id]
