"""What `pulumi.com/waitFor` asks for, and what is told when it does not come."""

import json
from typing import Any

import pytest

from sandbox.engine.adapters.kubernetes import conditions
from sandbox.engine.errors import ResourceError

APPLICATION: dict[str, Any] = {
    "metadata": {"name": "tap", "generation": 2},
    "status": {
        "sync": {
            "status": "OutOfSync",
            "revision": "abc",
            "comparedTo": {"source": {"helm": {"valuesObject": {"n": 3}}}},
        },
        "health": {"status": "Degraded", "message": "no endpoints"},
        "conditions": [
            {"type": "Ready", "status": "True"},
            {"type": "ComparisonError", "message": "cannot read the chart"},
        ],
        "operationState": {"phase": "Failed", "message": "one or more objects failed to apply"},
        "resources": [
            {"kind": "Service", "namespace": "tap", "name": "tap", "status": "Synced", "health": {"status": "Healthy"}},
            {
                "kind": "Ingress",
                "namespace": "tap",
                "name": "api",
                "status": "OutOfSync",
                "health": {"status": "Progressing", "message": "waiting for an address"},
            },
        ],
    },
}


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("jsonpath={.status.sync.revision}=abc", True),
        ("jsonpath={ .status.sync.revision }=abd", False),
        ("jsonpath={.status.sync}", True),
        ("jsonpath={.status.nothing}", False),
        ("jsonpath={.status.sync.comparedTo.source.helm.valuesObject.n}=3", True),
        ("jsonpath={$.status.resources[1].kind}=Ingress", True),
        ('jsonpath={.status.conditions[?(@.type=="Ready")].status}=True', True),
        ("jsonpath={['metadata']['name']}=tap", True),
        ("condition=Ready", True),
        ("condition=Ready=False", False),
        ("condition=Missing", False),
    ],
)
def test_expressions(expression: str, holds: bool) -> None:
    assert conditions.parse(expression).holds(APPLICATION) is holds


def test_annotation_is_one_expression_or_a_list() -> None:
    assert conditions.conditions({}) == []
    single = conditions.conditions({"annotations": {conditions.WAIT_FOR: "condition=Ready"}})
    both = conditions.conditions(
        {"annotations": {conditions.WAIT_FOR: json.dumps(["condition=Ready", "jsonpath={.a}"])}}
    )
    assert [each.text for each in single] == ["condition=Ready"]
    assert [each.text for each in both] == ["condition=Ready", "jsonpath={.a}"]


@pytest.mark.parametrize("text", ["jsonpath=.a", "jsonpath={.a", "jsonpath={..a}", "[not json"])
def test_malformed_annotation_is_told(text: str) -> None:
    with pytest.raises(ResourceError, match=r"pulumi\.com/waitFor"):
        conditions.conditions({"annotations": {conditions.WAIT_FOR: text}})


def test_status_of_an_older_generation_does_not_count() -> None:
    assert conditions.observed(APPLICATION)
    assert not conditions.observed({**APPLICATION, "status": {"observedGeneration": 1}})


def test_cause_is_told() -> None:
    wanted = [conditions.parse("jsonpath={.status.sync.status}=Synced"), conditions.parse("condition=Ready")]
    assert conditions.unmet(wanted, APPLICATION).splitlines() == [
        "waited in vain for jsonpath={.status.sync.status}=Synced (it is OutOfSync)",
        "  ComparisonError: cannot read the chart",
        "  last sync Failed: one or more objects failed to apply",
        "  health: no endpoints",
        "  Ingress tap/api: OutOfSync, Progressing, waiting for an address",
    ]
