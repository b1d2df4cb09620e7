"""Mode verify: the repository has the facts, and the Applications override nothing."""

import shutil
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from phalanx.values import merge
from tests.unit.program.conftest import CHECKOUTS, StackRunner
from tests.unit.program.test_graph import application, conditions
from tests.unit.recording import Recording

VERIFY = {"applications": {"wiring": "verify"}}

FLOATING_IP = "203.0.113.16"
"""Address that these tests create."""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Copy the repository of ukidacprod with the facts of the stack in it."""
    root = Path(shutil.copytree(CHECKOUTS["ukidacprod"], tmp_path / "phalanx"))
    annotations = {"loadbalancer.openstack.org/keep-floatingip": "true"}
    change(root, "ingress-nginx", {"service": {"loadBalancerIP": FLOATING_IP, "annotations": annotations}})
    path = root / "applications" / "nublado" / "values-ukidacprod.yaml"
    path.write_text(path.read_text().replace("192.41.122.33", "10.64.0.10"))
    path = root / "applications" / "ssotap" / "values-ukidacprod.yaml"
    path.write_text(path.read_text().replace('gcsBucket: "async"', 'gcsBucket: "async-ssotap"'))
    path = root / "applications" / "gafaelfawr" / "values-ukidacprod.yaml"
    path.write_text(path.read_text().replace("updateSchema: true", "updateSchema: false"))
    path = root / "applications" / "postgres" / "values-ukidacprod.yaml"
    path.write_text(path.read_text().replace('postgresStorageClass: "ceph-hdd"', 'postgresStorageClass: "standard"'))
    return root


def about_wiring(recording: Recording) -> list[str]:
    """Return the messages, without those about other settings in Phalanx."""
    others = ("enable-health-monitor", "replicaCount", "updateSchema")
    return [message for _, message in recording.logged if not any(other in message for other in others)]


def change(root: Path, name: str, controller: dict[str, Any]) -> None:
    path = root / "applications" / name / "values-ukidacprod.yaml"
    values = merge(yaml.safe_load(path.read_text()), {"ingress-nginx": {"controller": controller}})
    path.write_text(yaml.safe_dump(values))


def test_a_repository_with_other_values_is_refused_before_the_first_resource(run_stack: StackRunner) -> None:
    recording = Recording()
    with pytest.raises(pulumi.RunError) as caught:
        run_stack("ukidacprod", preview=True, changes=VERIFY, recording=recording)
    lines = str(caught.value).splitlines()
    assert len(lines) == 8
    assert lines[-2] == (
        'applications/ssotap/values-ukidacprod.yaml: cadc-tap.config.gcsBucket: is "async", expected "async-ssotap"'
    )
    assert lines[-1].startswith("rsp:applications.wiring: is verify, so the repository must have these values")
    assert "loadBalancerIP" not in str(caught.value)
    assert recording.resources == []


def test_the_applications_override_nothing(run_stack: StackRunner, repository: Path) -> None:
    recording = run_stack("ukidacprod", changes=VERIFY, root=repository)
    own = {
        each.inputs["metadata"]["name"]: each.inputs["spec"]["source"]["helm"]["valuesObject"]
        for each in recording.of("Application")
        if "valuesObject" in each.inputs["spec"]["source"]["helm"]
    }
    assert own == {"mobu": {"config": {"availableServices": ["tap"]}}}  # Phalanx's own
    assert not any("factsHash" in condition for condition in conditions(recording, "ingress-nginx"))
    assert about_wiring(recording) == []


def test_the_release_of_argocd_has_the_values_of_the_repository(run_stack: StackRunner, repository: Path) -> None:
    changes = {**VERIFY, "tls": {"kind": "phalanx"}}
    values = (
        run_stack("ukidacprod", changes=changes, root=repository)
        .one("Release", "cluster-argocd-release")
        .inputs["values"]
    )
    assert values["argo-cd"]["server"]["ingress"] == {"hostname": "rsp.lsst.ac.uk", "tls": True}


def test_an_update_stops_before_ingress_nginx_if_the_address_differs(run_stack: StackRunner, repository: Path) -> None:
    change(repository, "ingress-nginx", {"service": {"loadBalancerIP": "192.0.2.1"}})
    recording = Recording()
    with pytest.raises(pulumi.RunError) as caught:
        run_stack("ukidacprod", changes=VERIFY, root=repository, recording=recording)
    first, _ = str(caught.value).splitlines()
    assert first == (
        "applications/ingress-nginx/values-ukidacprod.yaml: ingress-nginx.controller.service.loadBalancerIP: is "
        f'"192.0.2.1", expected "{FLOATING_IP}"'
    )
    # As soon as the address is known, so that nobody waits for the cluster.
    names = {each.name for each in recording.resources}
    assert "ingress-address" in names
    assert not names & {
        "cluster-applications-ingress-nginx",
        "cluster-applications-gafaelfawr",
        "cluster-applications-nublado",
    }


def test_a_preview_warns_of_an_address_that_it_does_not_know(run_stack: StackRunner, repository: Path) -> None:
    recording = run_stack("ukidacprod", preview=True, changes=VERIFY, root=repository)
    (message,) = about_wiring(recording)
    assert message == (
        "applications/ingress-nginx/values-ukidacprod.yaml: ingress-nginx.controller.service.loadBalancerIP: is "
        f'"{FLOATING_IP}"; the required value is known after `pulumi up`; if it differs, the update stops before '
        "ingress-nginx"
    )
    assert application(recording, "ingress-nginx")["spec"]["source"]["path"] == "applications/ingress-nginx"


def test_an_existing_address_is_verified_in_a_preview(run_stack: StackRunner, repository: Path) -> None:
    changes = {**VERIFY, "ingress": {"floatingIp": "192.0.2.9"}}
    with pytest.raises(pulumi.RunError, match=rf'loadBalancerIP: is "{FLOATING_IP}", expected "192\.0\.2\.9"'):
        run_stack("ukidacprod", preview=True, changes=changes, root=repository)


def test_the_default_mode_applies_the_same_values(run_stack: StackRunner, repository: Path) -> None:
    recording = run_stack("ukidacprod", root=repository)
    service = application(recording, "ingress-nginx")["spec"]["source"]["helm"]["valuesObject"]["ingress-nginx"]
    assert service["controller"]["service"]["loadBalancerIP"] == FLOATING_IP
