from typing import Any

import pytest

from probes import node_addresses
from probes.kubernetes_api import KubernetesApi


def node(*addresses: tuple[str, str], **labels: str) -> dict[str, Any]:
    listed = [{"type": kind, "address": address} for kind, address in addresses]
    return {"metadata": {"name": "node", "labels": labels}, "status": {"addresses": listed}}


def internal(address: str) -> tuple[str, str]:
    return "InternalIP", address


@pytest.mark.parametrize(
    "labels",
    [
        {"node-role.kubernetes.io/control-plane": ""},
        {"node-role.kubernetes.io/master": ""},
        {"magnum.openstack.org/role": "master"},
    ],
)
def test_all_nodes_but_masters_by_their_internal_address(
    labels: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = [
        node(internal("10.20.0.100"), ("Hostname", "a"), ("ExternalIP", "203.0.113.9")),
        node(internal("10.20.0.9"), internal("fd00::9")),
        node(internal("10.20.0.8"), **labels),
        {"metadata": {"name": "not registered yet"}, "status": {}},
    ]
    monkeypatch.setattr(KubernetesApi, "__init__", lambda _self, _kubeconfig: None)
    monkeypatch.setattr(KubernetesApi, "items", lambda _self, path: nodes if path == "/api/v1/nodes" else [])
    assert node_addresses.addresses("kubeconfig") == ["10.20.0.9", "10.20.0.100"]
