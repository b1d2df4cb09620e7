from typing import Any

import pytest

from probes.readiness import failures, missing

LOAD_BALANCED = {"loadBalancer": {"ingress": [{"ip": "203.0.113.16"}]}}


def found(kind: str, status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "name"}, "spec": spec, "status": status}


def conditions(kind: str, status: str, **rest: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, **rest}]}


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (found("Deployment", {}), "0 of 1 pods ready"),
        (found("Deployment", {"readyReplicas": 2}, replicas=2), None),
        (
            found("Deployment", {"replicas": 2, "updatedReplicas": 1, "readyReplicas": 1}),
            "rollout not complete, 1 new and 1 old pods",
        ),
        (found("Deployment", {"replicas": 1, "updatedReplicas": 1, "readyReplicas": 1}), None),
        (found("StatefulSet", {"readyReplicas": 1}, replicas=2), "1 of 2 pods ready"),
        (found("DaemonSet", {"numberReady": 2, "desiredNumberScheduled": 3}), "2 of 3 pods ready"),
        (found("Job", conditions("Complete", "True")), None),
        (found("Job", conditions("Failed", "True")), "not complete"),
        (found("PersistentVolumeClaim", {"phase": "Pending"}), "Pending"),
        (found("PersistentVolumeClaim", {"phase": "Bound"}), None),
        (found("Service", {}, type="ClusterIP"), None),
        (found("Service", {"loadBalancer": {}}, type="LoadBalancer"), "no address assigned"),
        (found("Service", LOAD_BALANCED, type="LoadBalancer"), None),
        (found("Ingress", {}), "no address assigned"),
        (found("Ingress", LOAD_BALANCED), None),
        (found("Certificate", conditions("Ready", "False")), "not ready"),
        (found("Certificate", {}), None),
        ({"kind": "ConfigMap", "data": {}}, None),
    ],
)
def test_missing_parts_are_reported(thing: dict[str, Any], expected: str | None) -> None:
    assert missing(thing) == expected


def test_conditions_have_the_reason() -> None:
    failed = conditions("Ready", "False", reason="DoesNotExist", message="the Secret does not exist")
    assert list(failures(found("Certificate", failed))) == ["DoesNotExist: the Secret does not exist"]
    quota = conditions("ReplicaFailure", "True", reason="FailedCreate", message="exceeded quota: pods")
    assert list(failures(found("Deployment", quota))) == ["FailedCreate: exceeded quota: pods"]
    assert list(failures(found("Deployment", conditions("Available", "False")))) == []
