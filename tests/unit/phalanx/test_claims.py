from typing import Any

import pytest

from phalanx import claims
from phalanx.charts import RenderedApplication
from phalanx.claims import Claim


def find(*manifests: dict[str, Any]) -> list[Claim]:
    return list(
        claims.find(
            RenderedApplication(name="postgres", namespace="databases", manifests=list(manifests), external_values={})
        )
    )


def spec(storage: Any = "8Gi", storage_class: str | None = "ceph-ssd") -> dict[str, Any]:
    named = {"storageClassName": storage_class} if storage_class is not None else {}
    return {"resources": {"requests": {"storage": storage}}, **named}


def claim(*, annotations: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "annotations": annotations, **fields},
        "spec": spec(),
    }


def test_claims_are_found() -> None:
    (found,) = find(claim(), {"kind": "ConfigMap", "metadata": {"name": "data"}})
    assert found == Claim(application="postgres", namespace="databases", name="data", storage_class="ceph-ssd", size=8)
    assert [each.namespace for each in find(claim(namespace="elsewhere"))] == ["elsewhere"]


def test_claims_of_templates_are_found() -> None:
    templates = [{"metadata": {"name": "storage"}, "spec": spec("500Mi", None)}]
    stateful = {"kind": "StatefulSet", "metadata": {"name": "redis"}}
    (found,) = find({**stateful, "spec": {"replicas": 3, "volumeClaimTemplates": templates}})
    assert (found.name, found.storage_class, found.size, found.count) == ("storage-redis", None, 1, 3)
    assert found.template
    (found,) = find({**stateful, "spec": {"volumeClaimTemplates": templates}})
    assert found.count == 1
    assert find({**stateful, "spec": {"volumeClaimTemplates": None}}, {**stateful, "spec": None}) == []


def test_a_chart_can_decide_itself_whether_a_claim_is_deleted() -> None:
    assert [each.decided for each in find(claim())] == [False]
    for name in ("argocd.argoproj.io/sync-options", "helm.sh/resource-policy"):
        assert [each.decided for each in find(claim(annotations={name: "keep"}))] == [True]


def test_claims_of_hooks_are_left_out() -> None:
    assert find(claim(annotations={"helm.sh/hook": "pre-install"})) == []


@pytest.mark.parametrize(
    ("quantity", "size"),
    [
        ("1Gi", 1),
        ("1.5Gi", 2),
        ("1Ti", 1024),
        ("10G", 10),
        ("1025Mi", 2),
        (1073741824, 1),
        ("1e9", 1),
        ("128974848000m", 1),
        (".5Gi", 1),
        ("", None),
        ("much", None),
        (None, None),
    ],
)
def test_sizes_are_rounded_up(quantity: Any, size: int | None) -> None:
    (found,) = find({**claim(), "spec": spec(quantity)})
    assert found.size == size
