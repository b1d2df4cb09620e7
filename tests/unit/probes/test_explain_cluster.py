from functools import partial
from typing import Any

import pytest
from openstack import exceptions

from config.cloud import Cloud
from probes import explanations
from tests.unit.openstack_server import openstack_server
from tests.unit.probes import recorded_magnum
from tests.unit.probes.recorded_magnum import group

UUID = "6cfd4a9e-0000-4000-8000-000000000001"
groups = partial(recorded_magnum.groups, UUID)
NO_HOST = "Resource CREATE failed: ResourceInError: resources.kube_masters.resources[0]: No valid host was found."


TYPE_ERROR = "Expected HTTP response code [202] when accessing [PATCH http://magnum/v1/clusters/1], but got 500 instead"


def explained(
    answers: dict[str, tuple[int, Any]], kind: str = "cluster:Cluster", error: str = "", **inputs: Any
) -> list[str]:
    explain = explanations.OPENSTACK[f"openstack:containerinfra/{kind}"]
    with pytest.MonkeyPatch.context() as patch, openstack_server(answers) as connection:
        patch.setattr(explanations, "connect", lambda _: connection)
        return explain(Cloud(name="rsp"), inputs or {"name": "rsp-cluster"}, error)


def cluster(status: str, **rest: Any) -> tuple[int, Any]:
    return 200, {"uuid": UUID, "name": "rsp-cluster", "status": status, **rest}


def test_a_failed_cluster_has_magnums_reason_and_heats_failed_resources() -> None:
    failed = cluster("CREATE_FAILED", status_reason=NO_HOST, faults={"kube-master": "No fixed IPs", "ng": None})
    answers = {"GET /clusters/rsp-cluster": failed, **groups(group("default-worker", "CREATE_FAILED"))}
    assert explained(answers) == [
        f"Magnum's cluster rsp-cluster: CREATE_FAILED: {NO_HOST}",
        "  kube-master: No fixed IPs",
        "node group default-worker: CREATE_FAILED",
    ]


def test_a_node_group_does_not_repeat_the_reason_of_its_cluster() -> None:
    failed = cluster(
        "CREATE_FAILED", status_reason=f"default-master failed: {NO_HOST}", faults={"default-master": NO_HOST}
    )
    answers = {
        "GET /clusters/rsp-cluster": failed,
        **groups(group("default-master", "CREATE_FAILED", status_reason=NO_HOST)),
    }
    assert len(explained(answers)) == 1


def test_a_failed_node_group_has_its_reason() -> None:
    answers = {
        f"GET /clusters/{UUID}": cluster("UPDATE_IN_PROGRESS"),
        **groups(
            group("default-worker", "CREATE_COMPLETE"),
            group("labs", "CREATE_FAILED", status_reason="Quota exceeded for cores"),
        ),
    }
    assert explained(answers, "nodeGroup:NodeGroup", clusterId=UUID, name="labs") == [
        "Magnum's cluster rsp-cluster: UPDATE_IN_PROGRESS",
        "node group labs: CREATE_FAILED: Quota exceeded for cores",
    ]


def test_a_complete_or_absent_cluster_has_no_reasons() -> None:
    answers = {
        "GET /clusters/rsp-cluster": cluster("CREATE_COMPLETE"),
        **groups(group("default-worker", "CREATE_COMPLETE")),
    }
    assert explained(answers) == []
    assert explained({}) == []


def test_a_refusal_by_magnum_raises() -> None:
    with pytest.raises(exceptions.SDKException):
        explained({"GET /clusters/rsp-cluster": (500, {"errors": []})})


@pytest.mark.parametrize(
    ("labels", "error", "expected"),
    [
        ({"boot_volume_size": "200"}, TYPE_ERROR, 1),
        ({"boot_volume_size": "200"}, TYPE_ERROR.replace("500", "409"), 0),
        ({}, TYPE_ERROR, 0),
    ],
)
def test_a_boot_volume_explains_an_internal_error_of_magnum(labels: dict[str, str], error: str, expected: int) -> None:
    """For a new template from its inputs, for what exists from the labels in Magnum."""
    template = explained({}, "clusterTemplate:ClusterTemplate", error=error, labels=labels)
    existing = {f"GET /clusters/{name}": cluster("CREATE_COMPLETE", labels=labels) for name in (UUID, "rsp-cluster")}
    existing |= groups(group("default-worker", "CREATE_COMPLETE"))
    assert len(template) == expected
    assert all("Launchpad bug 2144473" in each for each in template)
    assert explained(existing, error=error) == template
    assert explained(existing, "nodeGroup:NodeGroup", error=error, clusterId=UUID) == template


def test_an_internal_error_of_magnum_without_a_cluster_has_no_explanation() -> None:
    assert explained({"GET /clusters/rsp-cluster": (404, {})}, error=TYPE_ERROR) == []


def test_magnum_tries_a_failed_update_again_after_a_resize() -> None:
    failed = cluster("UPDATE_FAILED", status_reason="not currently supported")
    answers = {"GET /clusters/rsp-cluster": failed, **groups(group("default-worker", "UPDATE_FAILED", node_count=5))}
    assert explained(answers)[-1].startswith(
        "once the cause is removed, `openstack coe cluster resize --nodegroup default-worker rsp-cluster 5`, with the "
    )
