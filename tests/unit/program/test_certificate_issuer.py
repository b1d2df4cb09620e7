"""Let's Encrypt without Route 53: the ClusterIssuer for Phalanx's ingresses, and its solver for Designate."""

import json
from typing import Any

import pulumi
import pytest

from components.designate_solver import endpoint, keystone_v3, requests
from tests.unit.program.conftest import ROE_STATIC, StackRunner
from tests.unit.recording import Recording

WITHOUT_CERTIFICATE = {name: keys for name, keys in ROE_STATIC.items() if name != "ingress-nginx"}
DESIGNATE = {"kind": "designate", "zone": "acme.lsst.ac.uk"}


def run(run_stack: StackRunner, **settings: Any) -> Recording:
    tls = {"kind": "letsencrypt", "email": "rsp@example.org", **settings}
    return run_stack("roe", existing=WITHOUT_CERTIFICATE, changes={"tls": tls})


@pytest.fixture(scope="module")
def http01(run_stack: StackRunner) -> Recording:
    return run(run_stack)


@pytest.fixture(scope="module")
def designate(run_stack: StackRunner) -> Recording:
    return run(run_stack, challenge=DESIGNATE)


def issuer(recording: Recording) -> dict[str, Any]:
    return recording.one("ClusterIssuer").inputs


def test_no_issuer_exists_for_a_certificate_in_vault(graph: Recording) -> None:
    assert graph.of("ClusterIssuer") == []


def test_the_issuer_has_the_name_in_phalanxs_ingresses(http01: Recording) -> None:
    found = issuer(http01)
    assert found["apiVersion"] == "cert-manager.io/v1"
    assert found["metadata"]["name"] == "letsencrypt-dns"
    assert found["spec"]["acme"] == {
        "email": "rsp@example.org",
        "server": "https://acme-v02.api.letsencrypt.org/directory",
        "privateKeySecretRef": {"name": "cert-manager-letsencrypt"},
        "solvers": [{"http01": {"ingress": {"ingressClassName": "nginx"}}}],
    }


def test_the_acme_server_can_be_configured(run_stack: StackRunner) -> None:
    found = issuer(run(run_stack, server="https://acme.example.org/directory"))
    assert found["spec"]["acme"]["server"] == "https://acme.example.org/directory"


def test_the_issuer_depends_on_cert_manager_and_is_awaited(http01: Recording) -> None:
    found = http01.one("ClusterIssuer")
    (component,) = http01.ancestors(found)
    assert http01.one("Application", "cluster-applications-cert-manager").urn in component.dependencies
    assert http01.one("Application", "cluster-applications-nublado").urn not in component.dependencies
    assert found.inputs["metadata"]["annotations"]["pulumi.com/waitFor"] == "condition=Ready"


def test_the_issuer_outlives_the_resource_as_phalanxs_own_is_the_same_object(http01: Recording) -> None:
    """With tls.kind phalanx, Argo CD adopts it; on the way back, its fields have other managers."""
    found = http01.one("ClusterIssuer")
    assert found.retained
    assert found.inputs["metadata"]["annotations"]["pulumi.com/patchForce"] == "true"


class TestDesignate:
    """The DNS-01 challenge in a zone of Designate."""

    def test_the_issuer_calls_the_webhook(self, designate: Recording) -> None:
        (solver,) = issuer(designate)["spec"]["acme"]["solvers"]
        assert solver["dns01"]["cnameStrategy"] == "Follow"
        assert solver["dns01"]["webhook"] == {"groupName": "acme.syseleven.de", "solverName": "designatedns"}
        webhook = designate.one("Release", "cluster-certificate-designate-webhook")
        assert webhook.inputs["version"]
        assert webhook.inputs["namespace"] == "cert-manager"
        assert webhook.urn in designate.one("ClusterIssuer").dependencies

    def test_the_credential_is_limited_to_one_zone(self, designate: Recording) -> None:
        assert ("openstack:dns/getDnsZone:getDnsZone", {"name": "acme.lsst.ac.uk."}) in designate.invokes
        credential = designate.one("ApplicationCredential")
        assert not credential.inputs.get("unrestricted")
        rules = {(each["service"], each["method"], each["path"]) for each in credential.inputs["accessRules"]}
        assert rules == {
            ("dns", "GET", "/v2/zones"),
            ("dns", "GET", "/v2/zones/acme.lsst.ac.uk.-id/recordsets"),
            ("dns", "POST", "/v2/zones/acme.lsst.ac.uk.-id/recordsets"),
            ("dns", "DELETE", "/v2/zones/acme.lsst.ac.uk.-id/recordsets/*"),
        }

    def test_the_webhook_reads_the_credential_from_a_secret(self, designate: Recording) -> None:
        secret = designate.one("Secret", "cluster-certificate-designate-credentials")
        assert secret.inputs["stringData"] == {
            "OS_AUTH_URL": "https://keystone.example.org:5000/v3",
            "OS_REGION_NAME": "RegionOne",  # of clouds.yaml
            "OS_APPLICATION_CREDENTIAL_ID": "cluster-certificate-designate-credential-id",
            "OS_APPLICATION_CREDENTIAL_SECRET": "application-credential-secret",
        }
        assert secret.inputs["immutable"] is True
        webhook = designate.one("Release", "cluster-certificate-designate-webhook")
        assert webhook.inputs["values"]["credentialsSecret"] == secret.inputs["metadata"]["name"]
        seen = json.dumps([each.veiled for each in designate.resources])
        assert "application-credential-secret" not in seen

    def test_a_configured_credential_requires_no_access_to_the_zone(self, run_stack: StackRunner) -> None:
        given = {"id": "given-id", "secret": "given-secret"}
        recording = run(run_stack, challenge={**DESIGNATE, "credential": given})
        assert recording.of("ApplicationCredential") == []
        assert not [token for token, _ in recording.invokes if "getDnsZone" in token]
        secret = recording.one("Secret", "cluster-certificate-designate-credentials")
        assert secret.inputs["stringData"]["OS_APPLICATION_CREDENTIAL_SECRET"] == "given-secret"
        assert "given-secret" not in json.dumps([each.veiled for each in recording.resources])

    @pytest.mark.parametrize(
        ("url", "prefixes"),
        [
            ("http://203.0.113.1:9001", {""}),
            ("https://api.example.org/dns/", {"", "/dns"}),
            ("https://api.example.org/dns/v2", {"", "/dns"}),
        ],
    )
    def test_access_rules_include_the_path_prefix_of_the_endpoint(self, url: str, prefixes: set[str]) -> None:
        paths = {path for _, path in requests(url, "id") if path.endswith("/zones")}
        assert paths == {f"{prefix}/v2/zones" for prefix in prefixes}

    def test_the_endpoint_is_that_of_the_region(self) -> None:
        catalog = [
            {
                "type": "dns",
                "endpoints": [
                    {"interface": "admin", "region": "A", "url": "https://admin"},
                    {"interface": "public", "region": "A", "url": "https://a"},
                    {"interface": "public", "region": "B", "url": "https://b"},
                ],
            },
        ]
        assert endpoint(catalog, "dns", "B") == "https://b"
        assert endpoint(catalog, "dns", None) == "https://a"
        with pytest.raises(pulumi.RunError, match="no public endpoint of a service of type dns in C"):
            endpoint(catalog, "dns", "C")

    @pytest.mark.parametrize(
        "url", ["https://keystone", "https://keystone/", "https://keystone/v3", "https://keystone/v3/"]
    )
    def test_the_url_of_keystone_has_its_version(self, url: str) -> None:
        assert keystone_v3(url) == "https://keystone/v3"
