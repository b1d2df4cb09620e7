from typing import Any

import pytest

from phalanx.application import Application
from phalanx.values import merge
from tests.unit.sample import environment
from tests.unit.ssh import private_key
from wiring.verification import Special, differences, problems


def application(name: str, own: dict[str, Any], shared: dict[str, Any] | None = None) -> dict[str, Application]:
    """Return an application with values in the file of all environments, and in that of its own."""
    files = {f"applications/{name}/values.yaml": shared or {}, f"applications/{name}/values-roe.yaml": own}
    return {name: Application(name=name, values=merge(shared or {}, own), files=files)}


INGRESS = {
    "kind": "DaemonSet",
    "service": {
        "loadBalancerIP": "192.0.2.7",
        "annotations": {
            "loadbalancer.openstack.org/keep-floatingip": "true",
            "loadbalancer.openstack.org/enable-health-monitor": "false",
            "kubernetes.io/ingress.class": "openstack",
        },
    },
}


def ingress(**changes: Any) -> dict[str, Application]:
    return application("ingress-nginx", {"ingress-nginx": {"controller": merge(INGRESS, changes)}})


def test_values_that_nothing_requires_may_be_set() -> None:
    assert differences(environment(), ingress(replicaCount=2), "192.0.2.7") == []


def test_a_boolean_is_not_the_text_that_an_annotation_needs() -> None:
    wrong = ingress(service={"annotations": {"loadbalancer.openstack.org/keep-floatingip": True}})
    (found,) = differences(environment(), wrong, "192.0.2.7")
    assert str(found) == (
        "applications/ingress-nginx/values-roe.yaml: ingress-nginx.controller.service.annotations"
        '["loadbalancer.openstack.org/keep-floatingip"]: is true, expected "true"'
    )


def test_the_file_that_sets_the_value_is_named() -> None:
    shared = application("postgres", {}, {"postgresStorageClass": "fast"})
    (found,) = differences(environment(), shared, Special.UNKNOWN)
    assert str(found) == 'applications/postgres/values.yaml: postgresStorageClass: is "fast", expected "standard"'
    (missing,) = differences(environment(), application("postgres", {}), Special.UNKNOWN)
    assert str(missing).startswith("applications/postgres/values-roe.yaml: postgresStorageClass: is not set, expected")


def test_only_verify_has_problems_and_only_with_what_is_known() -> None:
    wrong = ingress(kind="Deployment", service={"loadBalancerIP": "192.0.2.8"})
    assert problems(environment(), wrong) == []
    verify = environment(applications__wiring="verify")
    kind, how = problems(verify, wrong)
    assert kind.endswith('ingress-nginx.controller.kind: is "Deployment", expected "DaemonSet"')
    assert how.startswith("rsp:applications.wiring: is verify")
    assert len(problems(verify, wrong, "192.0.2.7")) == 3
    configured = environment(applications__wiring="verify", ingress={"floatingIp": "192.0.2.8"})
    assert len(problems(configured, wrong)) == 2


def test_no_repository_needs_the_fingerprint_of_credentials() -> None:
    assert differences(environment(), application("vault-secrets-operator", {}), "192.0.2.7") == []


@pytest.mark.parametrize(("hosts", "count"), [("", 1), ("other ssh-rsa BB\ngit.example.org ssh-rsa AA\n", 0)])
def test_argocd_must_trust_the_server_of_a_private_repository(hosts: str, count: int) -> None:
    credentials = {"kind": "ssh", "privateKey": private_key(), "knownHosts": ["git.example.org ssh-rsa AA"]}
    config = environment(phalanx__repository="git@git.example.org:phalanx", phalanx__credentials=credentials)
    argocd = application("argocd", {"argo-cd": {"configs": {"ssh": {"extraHosts": hosts}}}})
    found = differences(config, argocd, "192.0.2.7")
    assert [each.key for each in found] == ["argo-cd.configs.ssh.extraHosts"] * count


def test_the_repository_needs_the_path_at_which_the_operator_logs_in() -> None:
    other = environment(vault={"approle": {"path": "auth-of-roe"}})
    (missing,) = differences(other, application("vault-secrets-operator", {}), "192.0.2.7")
    assert str(missing).endswith('vault-secrets-operator.vault.appRolePath: is not set, expected "auth/auth-of-roe"')
