from typing import Any

import pytest

from probes import existing_node_groups
from tests.unit.probes import recorded_magnum
from tests.unit.probes.fake_project import FakeProject
from tests.unit.probes.preflight import check, only
from tests.unit.sample import environment

LABS = {"flavor": "m1.large", "count": 5, "autoscaling": {"minimum": 5, "maximum": 8}}


def refusals(count: int, *, status: str = "UPDATE_COMPLETE", flavor: str = "flavor-uuid", **changes: Any) -> list[str]:
    """Return the problems of the group `labs` with a number of nodes in Magnum."""
    settings = environment(clusters__cluster__nodeGroups={"labs": {**LABS, **changes}}).cluster.node_groups
    existing = [
        {"name": "default-worker", "node_count": 1, "status": "CREATE_COMPLETE", "flavor_id": "flavor-uuid"},
        {"name": "labs", "node_count": count, "status": status, "flavor_id": flavor},
    ]
    key, names = "clusters.cluster.nodeGroups", {"flavor-uuid": "m1.large"}
    return [str(each) for each in existing_node_groups.problems(key, settings, "rsp-test-cluster", existing, names)]


@pytest.mark.parametrize("count", [5, 6, 8])
def test_bounds_with_the_present_number_are_accepted(count: int) -> None:
    assert refusals(count) == []


@pytest.mark.parametrize(("count", "bound", "nearest"), [(3, "minimum", 5), (12, "maximum", 8)])
def test_bounds_that_exclude_the_current_number_are_refused(count: int, bound: str, nearest: int) -> None:
    (refusal,) = refusals(count)
    assert refusal == (
        f"rsp:clusters.cluster.nodeGroups.labs.autoscaling.{bound}: is {nearest}, but the group has {count} nodes, and "
        "Magnum refuses bounds that exclude the current number: run `openstack coe cluster resize --nodegroup labs "
        f"rsp-test-cluster {nearest}` first; if the current bounds exclude that number, first deploy bounds that "
        "include both"
    )


def test_a_fixed_number_and_groups_that_are_created_again_have_no_present_number() -> None:
    assert refusals(3, autoscaling=None) == []
    assert refusals(3, status="CREATE_FAILED") == []
    assert refusals(3, flavor="m1.medium") == []


def test_the_preflight_compares_them(project: FakeProject) -> None:
    config = environment(clusters__cluster__nodeGroups={"labs": LABS})
    project.clusters["rsp-test-cluster"] = recorded_magnum.cluster(config, flavor_id="id-of-m1.medium")
    project.templates["template-uuid"] = recorded_magnum.template(config)
    group = {"name": "labs", "status": "CREATE_COMPLETE", "flavor_id": "id-of-m1.large"}
    project.node_groups = [{**group, "node_count": 5}]
    assert check(config) == []
    project.node_groups = [{**group, "node_count": 3}]
    assert only(check(config)).startswith("rsp:clusters.cluster.nodeGroups.labs.autoscaling.minimum: is 5, but the")
