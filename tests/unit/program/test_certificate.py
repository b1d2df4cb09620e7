"""The platform's certificate: output, warnings, and values of the applications."""

from datetime import UTC, datetime, timedelta

import pulumi
import pytest

from phalanx import certificates
from probes import certificate_preflight
from tests.unit.program.conftest import EXPIRES, ROE_STATIC, StackRunner, certificate
from tests.unit.program.test_graph import stored, values_of
from tests.unit.recording import Recording

ROE = "rsp.lsst.ac.uk"
LETS_ENCRYPT = {"tls": {"kind": "letsencrypt", "email": "rsp@example.org"}}
WITHOUT_CERTIFICATE = {name: keys for name, keys in ROE_STATIC.items() if name != "ingress-nginx"}


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of warnings of the program, without those about values of the Phalanx repository."""
    found: list[str] = []
    monkeypatch.setattr(pulumi, "warn", lambda text: None if text.startswith("applications/") else found.append(text))
    return found


def test_the_expiry_is_an_output(roe: Recording) -> None:
    assert roe.exports["certificateExpires"] == EXPIRES.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(("days", "warned"), [(20, True), (22, False)])
def test_an_expiry_is_a_warning_21_days_before(days: int, warned: bool) -> None:
    now = datetime.now(UTC)
    found = certificates.parse(certificate(ROE, now + timedelta(days=days))["tls.crt"])
    problems = [*certificate_preflight.check_expiry(found, "", now, from_vault=True)]
    assert [each.fatal for each in problems] == [False] * warned


def test_the_expiry_of_a_certificate_in_vault_causes_a_warning(run_stack: StackRunner, warnings: list[str]) -> None:
    held = {**ROE_STATIC, "ingress-nginx": certificate(ROE, datetime.now(UTC) + timedelta(days=20))}
    run_stack("roe", existing=held, preview=True)
    (warning,) = warnings
    assert "kv-v2/k8s_operator/roe/ingress-nginx" in warning
    assert "renew it" in warning


def test_the_expiry_of_a_served_certificate_causes_a_warning(run_stack: StackRunner, warnings: list[str]) -> None:
    expires = (datetime.now(UTC) + timedelta(days=20)).replace(microsecond=0)
    served = certificates.parse(certificate(ROE, expires)["tls.crt"])
    recording = run_stack("roe", existing=WITHOUT_CERTIFICATE, changes=LETS_ENCRYPT, served=served)
    assert recording.exports["certificateExpires"] == certificates.rfc3339(expires)
    (warning,) = warnings
    assert "cert-manager should have renewed it" in warning


def test_a_served_certificate_of_another_name_is_ignored(run_stack: StackRunner) -> None:
    # ingress-nginx serves a self-signed certificate until it has the right one.
    fake = certificates.parse(certificate("ingress.local")["tls.crt"])
    recording = run_stack("roe", existing=WITHOUT_CERTIFICATE, changes=LETS_ENCRYPT, served=fake)
    assert not recording.exports["certificateExpires"]


def test_an_invalid_certificate_stops_the_program(run_stack: StackRunner) -> None:
    held = {**ROE_STATIC, "ingress-nginx": certificate("elsewhere.example.org")}
    with pytest.raises(pulumi.RunError, match=r"roe/ingress-nginx: tls.crt: is valid for elsewhere.example.org, exp"):
        run_stack("roe", existing=held)


def test_a_certificate_without_intermediate_certificates_causes_a_warning(
    run_stack: StackRunner, warnings: list[str]
) -> None:
    pair = certificate(ROE)
    end = "-----END CERTIFICATE-----\n"
    pair["tls.crt"] = pair["tls.crt"].partition(end)[0] + end
    run_stack("roe", existing={**ROE_STATIC, "ingress-nginx": pair})
    assert ["only the server" in each for each in warnings] == [True]


@pytest.mark.parametrize(("days", "warned"), [(90, True), (30, False)])
def test_replacing_a_newer_certificate_in_vault_causes_a_warning(
    run_stack: StackRunner, warnings: list[str], days: int, warned: bool
) -> None:
    held = certificate("rsp.sandbox.test", datetime.now(UTC) + timedelta(days=days))
    run_stack("sandbox", existing={"ingress-nginx": held})
    assert ["would replace it" in each for each in warnings] == [True] * warned


def test_lets_encrypt_requires_no_certificate_in_vault(run_stack: StackRunner) -> None:
    recording = run_stack("roe", existing=WITHOUT_CERTIFICATE, changes=LETS_ENCRYPT)
    assert not [each for each in recording.of("SecretV2") if each.name == "secrets-ingress-nginx"]
    assert stored(run_stack("sandbox"), "ingress-nginx").keys() == {"tls.crt", "tls.key"}


def test_an_application_gets_configured_values_and_facts(run_stack: StackRunner) -> None:
    recording = run_stack("sandbox")
    nginx = values_of(recording, "ingress-nginx")
    assert nginx["vaultCertificate"] == {"enabled": True}
    assert nginx["ingress-nginx"]["controller"]["service"]["loadBalancerIP"] == "203.0.113.16"
    assert values_of(recording, "argocd")["argo-cd"]["server"]["ingress"] == {"tls": False}
    release = next(each for each in recording.of("Release") if each.inputs["name"] == "argocd")
    assert release.inputs["values"]["argo-cd"]["server"]["ingress"]["tls"] is False
