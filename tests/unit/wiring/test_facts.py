from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from wiring.facts import Facts, Mount, helm_values

FACTS = Facts(
    vault_credentials="fingerprint-of-the-ids",
    ingress_address="203.0.113.16",
    ingress_annotations={"loadbalancer.openstack.org/keep-floatingip": "true"},
    ingress_controller_kind="DaemonSet",
    ingress_is_public=True,
    ingress_node_ports={},
    ingress_proxy_protocol=False,
    nfs_mounts={
        "/data": Mount(server="10.20.0.10", path="/data".__add__),
        "/jhome": Mount(server="10.254.0.10", path="/volumes/_nogroup/a".__add__),
    },
    s3_endpoint="https://s3.example.org",
    s3_bucket="async",
    s3_buckets={},
)


def nublado(*paths: str) -> dict[str, Any]:
    volumes: list[dict[str, Any]] = [
        {"name": path.strip("/"), "source": {"type": "nfs", "server": "192.0.2.1", "serverPath": path}}
        for path in paths
    ]
    volumes.append({"name": "scratch", "source": {"type": "hostPath", "path": "/scratch"}})
    return {"controller": {"config": {"lab": {"volumes": volumes}}}}


def test_ingress_nginx_gets_the_address_and_the_settings_of_the_load_balancer() -> None:
    assert helm_values("ingress-nginx", FACTS, {}) == {
        "ingress-nginx": {
            "controller": {
                "kind": "DaemonSet",
                "service": {
                    "loadBalancerIP": "203.0.113.16",
                    "annotations": {"loadbalancer.openstack.org/keep-floatingip": "true"},
                },
            },
        },
    }


@pytest.mark.parametrize("proxy_protocol", [True, False])
def test_behind_a_load_balancer_of_the_stack_ingress_nginx_listens_on_node_ports(proxy_protocol: bool) -> None:
    facts = replace(
        FACTS, ingress_node_ports={"http": 30080}, ingress_annotations={}, ingress_proxy_protocol=proxy_protocol
    )
    assert helm_values("ingress-nginx", facts, {}) == {
        "ingress-nginx": {
            "controller": {
                "kind": "DaemonSet",
                "config": {"use-proxy-protocol": "true" if proxy_protocol else "false"},
                "extraArgs": {"publish-status-address": "203.0.113.16"},
                "publishService": {"enabled": False},
                "service": {
                    "type": "NodePort",
                    "nodePorts": {"http": 30080},
                    "loadBalancerIP": "",
                    "annotations": {},
                },
            },
        },
    }


def test_nublado_keeps_every_volume_and_mounts_nfs_from_where_it_is_exported() -> None:
    values = nublado("/data/datasets", "/jhome", "/jhome/shared", "/other")
    before = deepcopy(values)
    volumes = helm_values("nublado", FACTS, values)["controller"]["config"]["lab"]["volumes"]
    assert volumes == [
        {"name": "data/datasets", "source": {"type": "nfs", "server": "10.20.0.10", "serverPath": "/data/datasets"}},
        {"name": "jhome", "source": {"type": "nfs", "server": "10.254.0.10", "serverPath": "/volumes/_nogroup/a"}},
        {
            "name": "jhome/shared",
            "source": {"type": "nfs", "server": "10.254.0.10", "serverPath": "/volumes/_nogroup/a/shared"},
        },
        {"name": "other", "source": {"type": "nfs", "server": "192.0.2.1", "serverPath": "/other"}},
        {"name": "scratch", "source": {"type": "hostPath", "path": "/scratch"}},
    ]
    assert values == before


@pytest.mark.parametrize(
    "values", [{}, nublado(), nublado("/other"), {"controller": {"config": {"lab": {"volumes": None}}}}]
)
def test_nublado_without_volumes_of_ours_gets_no_values(values: dict[str, Any]) -> None:
    assert helm_values("nublado", FACTS, values) == {}


@pytest.mark.parametrize("application", ["tap", "ssotap"])
def test_tap_gets_the_bucket(application: str) -> None:
    assert helm_values(application, FACTS, {})["cadc-tap"]["config"] == {
        "gcsBucket": "async",
        "gcsBucketUrl": "https://s3.example.org",
        "gcsBucketType": "S3",
    }


def test_a_tap_service_may_have_its_own_bucket() -> None:
    facts = replace(FACTS, s3_buckets={"ssotap": "async-ssotap"})
    assert helm_values("ssotap", facts, {})["cadc-tap"]["config"]["gcsBucket"] == "async-ssotap"
    assert helm_values("tap", facts, {})["cadc-tap"]["config"]["gcsBucket"] == "async"


def test_other_applications_get_no_values() -> None:
    assert helm_values("squareone", FACTS, {"config": {}}) == {}


def test_the_operator_restarts_when_its_ids_change() -> None:
    values = helm_values("vault-secrets-operator", FACTS, {})
    assert values["vault-secrets-operator"]["podAnnotations"] == {
        "checksum/vault-credentials": "fingerprint-of-the-ids"
    }
