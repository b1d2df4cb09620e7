"""The program's ClusterIssuers are valid by cert-manager's own CRD."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
import yaml
from keystoneauth1.exceptions import Forbidden, Unauthorized
from keystoneauth1.identity import v3
from keystoneauth1.session import Session
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from openstack.connection import Connection

from components.certificate_issuer import CertificateIssuer
from components.designate_solver import requests
from config.tls import LetsEncrypt
from program.platform_arguments import certificate_issuer
from sandbox.process import wait_for
from sandbox.tools import store, toolchain
from sandbox.tools.downloads import Downloads
from sandbox.tools.versions import DataFile, Tool
from tests.unit.program.conftest import OPENSTACK_ANSWERS, OPENSTACK_COMPUTED
from tests.unit.recording import ProgramRunner
from tests.unit.sample import environment

CERT_MANAGER = "github.com/cert-manager/cert-manager@v1.21.1"
"""Go module of the release that Phalanx deploys, which contains the CRDs."""

KIND = "clusterissuers.cert-manager.io"

CHALLENGES: dict[str, dict[str, Any]] = {
    "http01": {"kind": "http01"},
    "designate": {"kind": "designate", "zone": "acme.example.org"},
    "designate in another project": {
        "kind": "designate",
        "zone": "acme.example.org",
        "credential": {"id": "id-of-the-test", "secret": "secret-of-the-test"},
    },
}


@pytest.fixture(scope="module")
def definition(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the CustomResourceDefinition from the Go module, verified by Go's checksum database."""
    go, _ = toolchain.find_or_install(store.home() / "go", Downloads())
    folder = tmp_path_factory.mktemp("cert-manager")
    file = DataFile(name="clusterissuers.yaml", sources=("deploy/crds/cert-manager.io_clusterissuers.yaml",))
    go.collect(Tool(name="cert-manager", version="", module=CERT_MANAGER, files=(file,)), folder)
    return yaml.safe_load((folder / file.name).read_text())


@pytest.fixture(scope="module")
def cluster_issuers(kubernetes: client.ApiClient, definition: Any) -> Iterator[client.CustomObjectsApi]:
    """Yield a client while the cluster has the CRD; cert-manager itself does not run in the sandbox."""
    definitions = client.ApiextensionsV1Api(kubernetes)
    definitions.create_custom_resource_definition(definition)
    try:
        wait_for(
            lambda: "Established" in conditions(definitions.read_custom_resource_definition(KIND)), f"{KIND} is served"
        )
        yield client.CustomObjectsApi(kubernetes)
    finally:
        definitions.delete_custom_resource_definition(KIND)


def conditions(kind: Any) -> set[str]:
    return {each.type for each in kind.status.conditions or [] if each.status == "True"}


def apply(issuers: client.CustomObjectsApi, manifest: dict[str, Any]) -> Any:
    """Validate a manifest with the API server in a dry run."""
    return issuers.create_cluster_custom_object(
        "cert-manager.io", "v1", "clusterissuers", manifest, dry_run="All", field_validation="Strict"
    )


def issuer(challenge: dict[str, Any]) -> dict[str, Any]:
    config = environment(tls={"kind": "letsencrypt", "email": "rsp@example.org", "challenge": challenge})
    settings = config.tls
    assert isinstance(settings, LetsEncrypt)

    def program() -> None:
        CertificateIssuer("certificate", certificate_issuer(config, settings, "RegionOne"))

    recording = ProgramRunner(invokes=OPENSTACK_ANSWERS, computed=OPENSTACK_COMPUTED)(program)
    return recording.one("ClusterIssuer").inputs


@pytest.mark.parametrize("challenge", CHALLENGES)
def test_cert_managers_crd_accepts_the_issuer(challenge: str, cluster_issuers: client.CustomObjectsApi) -> None:
    wanted = issuer(CHALLENGES[challenge])
    made = apply(cluster_issuers, wanted)
    assert made["spec"] == wanted["spec"]


def test_cert_managers_crd_rejects_an_unknown_solver(cluster_issuers: client.CustomObjectsApi) -> None:
    manifest = issuer(CHALLENGES["http01"])
    manifest["spec"]["acme"]["solvers"] = [{"http02": {}}]
    with pytest.raises(ApiException, match=r"unknown field .*http02"):
        apply(cluster_issuers, manifest)


def test_designates_credential_is_restricted_by_keystone(tenant: Connection) -> None:
    rules = [
        {"service": "dns", "method": method, "path": path}
        for method, path in requests("https://dns.example.org", "id-of-a-zone")
    ]
    keystone: Any = tenant.identity
    user = str(tenant.current_user_id)
    made = keystone.create_application_credential(user, "test-of-designate", access_rules=rules)
    try:
        auth = v3.ApplicationCredential(
            tenant.config.get_auth_args()["auth_url"],
            application_credential_id=made.id,
            application_credential_secret=made.secret,
        )
        session = Session(auth)
        assert session.get_token()  # the credential is valid
        for service in ("compute", "network", "block-storage", "container-infra"):
            endpoint = tenant.session.get_endpoint(service_type=service, interface="public")
            with pytest.raises(Unauthorized):
                session.get(f"{endpoint}{_ANY_PATH[service]}")
            assert tenant.session.get(f"{endpoint}{_ANY_PATH[service]}").status_code == HTTPStatus.OK
        with pytest.raises(Forbidden):
            session.post(f"{auth.auth_url}/users/{user}/application_credentials", json=_ANOTHER)
    finally:
        keystone.delete_application_credential(user, made.id)


_ANY_PATH = {
    "compute": "/servers",
    "network": "/v2.0/networks",
    "block-storage": "/volumes",
    "container-infra": "/clusters",
}
_ANOTHER = {"application_credential": {"name": "another"}}
