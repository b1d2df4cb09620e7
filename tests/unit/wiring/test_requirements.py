from typing import Any

import pytest

from phalanx.application import Application
from phalanx.environment import Environment
from tests.unit.phalanx.repository import SETTINGS
from tests.unit.sample import environment
from wiring import requirements

KNOWN = {"cert-manager": False, "ingress-nginx": False}
ENVIRONMENT = Environment.model_validate(SETTINGS | {"applications": KNOWN})
INGRESS_NGINX = {"ingress-nginx": Application(name="ingress-nginx", values={})}
LETSENCRYPT = {"kind": "letsencrypt", "email": "operators@example.org"}


def problems(tls: dict[str, Any], *enabled: str) -> list[str]:
    applications = {name: Application(name=name, values={}) for name in enabled}
    return list(requirements.checker(environment(tls=tls))(ENVIRONMENT, applications))


def test_a_certificate_from_lets_encrypt_needs_cert_manager_and_ingress_nginx() -> None:
    assert problems(LETSENCRYPT, "cert-manager", "ingress-nginx") == []
    (problem,) = problems(LETSENCRYPT, "ingress-nginx")
    assert problem == (
        "environments/values-test.yaml: applications.cert-manager: is false or missing, but it obtains the "
        "certificate, as rsp:tls.kind is letsencrypt: set it to true, or change rsp:tls.kind"
    )
    assert len(problems(LETSENCRYPT)) == 2


@pytest.mark.parametrize("kind", ["vault", "phalanx"])
def test_any_platform_needs_ingress_nginx(kind: str) -> None:
    assert problems({"kind": kind}, "ingress-nginx") == []
    (problem,) = problems({"kind": kind}, "cert-manager")
    assert problem == (
        "environments/values-test.yaml: applications.ingress-nginx: is false or missing, but it answers at the "
        "platform's floating IP: set it to true, as the new cluster has no other ingress controller"
    )


def test_a_phalanx_with_another_ingress_controller_is_refused() -> None:
    others = {"gafaelfawr": True, "envoy-gateway": True}
    newer = Environment.model_validate(SETTINGS | {"applications": others})
    (problem,) = requirements.checker(environment())(newer, {})
    assert problem == (
        "environments/values.yaml: applications: has no ingress-nginx, but this program gives the platform's floating "
        "IP to no other ingress controller or Gateway: set rsp:phalanx.revision to a commit that has it, or use a "
        "release of this program for the newer Phalanx"
    )


def test_a_bucket_needs_its_application() -> None:
    check = requirements.checker(environment(objectStore__buckets={"tap": "async-tap", "ssotap": "async-ssotap"}))
    (problem,) = check(ENVIRONMENT, {"tap": Application(name="tap", values={}), **INGRESS_NGINX})
    assert problem == (
        "rsp:objectStore.buckets.ssotap: the Phalanx environment test does not enable ssotap: remove the bucket, or "
        "enable the application"
    )


@pytest.mark.parametrize(
    ("zone", "contained"),
    [("example.org", True), ("rsp.example.org", True), ("sp.example.org", False), ("a.rsp.example.org", False)],
)
def test_the_zone_must_contain_the_platforms_name(zone: str, contained: bool) -> None:
    named = ENVIRONMENT.model_copy(update={"fqdn": "rsp.example.org"})
    found = list(requirements.checker(environment(dns={"kind": "designate", "zone": zone}))(named, INGRESS_NGINX))
    problem = (
        f"rsp:dns.zone: {zone} does not contain rsp.example.org, the fqdn in environments/values-test.yaml: set it to "
        "a zone that does, or rsp:dns.kind to external"
    )
    assert found == ([] if contained else [problem])


def test_only_an_enabled_application_can_be_overridden() -> None:
    known = Environment.model_validate(SETTINGS | {"applications": {"mobu": True, "sia": False, "tap": True}})
    overrides = {name: {"wait": False} for name in ("ssia", "sia", "tapp", "tap")}
    applications = {name: Application(name=name, values={}) for name in ("mobu", "tap")} | INGRESS_NGINX
    unknown, disabled, misspelt = requirements.checker(environment(applications__overrides=overrides))(
        known, applications
    )
    expected = "; expected one of those that environments/values-test.yaml enables: mobu, tap"
    assert unknown == f"rsp:applications.overrides.ssia: Phalanx has no such application{expected}"
    assert misspelt == f"rsp:applications.overrides.tapp: Phalanx has no such application; did you mean tap?{expected}"
    assert disabled == (
        "rsp:applications.overrides.sia: the application is not enabled (environments/values-test.yaml: "
        "applications.sia: is false): set it to true there, or remove the override"
    )


def test_volumes_of_the_labs_are_checked_against_the_exports() -> None:
    volumes = [{"source": {"type": "nfs", "serverPath": path}} for path in ("/data", "/scratch")]
    values = {"controller": {"config": {"lab": {"volumes": volumes}}}}
    check = requirements.checker(environment())
    (problem,) = check(ENVIRONMENT, {"nublado": Application(name="nublado", values=values), **INGRESS_NGINX})
    assert "volumes[1].source.serverPath: /scratch is not exported: only /data, /jhome is; add" in problem


@pytest.mark.parametrize(
    ("program", "operator", "message"),
    [
        (None, None, ""),
        ("rsp", "rsp", ""),
        ("rsp", None, "VAULT_NAMESPACE is not set, but this program's is rsp: set both to the namespace in Vault"),
        (None, "rsp", "VAULT_NAMESPACE is rsp, but this program's is not set"),
    ],
)
def test_program_and_operator_use_the_same_namespace_in_vault(
    program: str | None, operator: str | None, message: str
) -> None:
    variables: list[dict[str, Any]] = [{"name": "VAULT_ROLE_ID", "valueFrom": {}}]
    if operator:
        variables.append({"name": "VAULT_NAMESPACE", "value": operator})
    values = {"vault-secrets-operator": {"environmentVars": variables}}
    check = requirements.checker(environment(), program)
    applications = {"ingress-nginx": {}, "vault-secrets-operator": values}
    found = check(ENVIRONMENT, {name: Application(name=name, values=each) for name, each in applications.items()})
    if message:
        (problem,) = found
        assert problem.startswith("applications/vault-secrets-operator/values-test.yaml: vault-secrets-operator.")
        assert message in problem
    else:
        assert found == []


def test_only_directories_of_the_nfs_server_that_labs_mount_are_missed() -> None:
    mounted = [{"source": {"type": "nfs", "serverPath": path}} for path in ("/jhome", "/data/butler/rubin")]
    values = {"controller": {"config": {"lab": {"volumes": mounted}}}}
    file = "applications/nublado/values-test.yaml"
    applications = {"nublado": Application(name="nublado", values=values, files={file: values})}
    (warning,) = requirements.warnings(environment(), applications)
    assert warning.startswith(f"{file}: controller.config.lab.volumes[1].source.serverPath: ")
    created = environment(nfs__volumes__data__directories=["butler/rubin"])
    assert requirements.warnings(created, applications) == []
    assert requirements.warnings(environment(), {}) == []
    shares = {name: {"size": 1} for name in ("data", "jhome")}
    assert requirements.warnings(environment(nfs=None, shares=shares), applications) == []
