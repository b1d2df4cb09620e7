"""The platform's certificate: what a deployment says of it, and what the applications are told."""

from datetime import UTC, datetime, timedelta

import pulumi
import pytest

from phalanx import certificates
from tests.unit.program.conftest import ENDS, ROE_STATIC, StackRunner, certificate
from tests.unit.program.test_graph import stored, told
from tests.unit.recording import Recording

ROE = "rsp.lsst.ac.uk"
LETS_ENCRYPT = {"tls": {"kind": "letsencrypt", "email": "rsp@example.org"}}
WITHOUT_CERTIFICATE = {name: keys for name, keys in ROE_STATIC.items() if name != "ingress-nginx"}


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the program warns of."""
    found: list[str] = []
    monkeypatch.setattr(pulumi, "warn", found.append)
    return found


def test_the_output_says_when_it_ends(roe: Recording) -> None:
    assert roe.exports["certificateExpires"] == ENDS.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(("days", "warned"), [(20, True), (22, False)])
@pytest.mark.parametrize("preview", [True, False])
def test_the_end_is_warned_of_21_days_ahead(
    run_stack: StackRunner, warnings: list[str], days: int, warned: bool, preview: bool
) -> None:
    held = {**ROE_STATIC, "ingress-nginx": certificate(ROE, datetime.now(UTC) + timedelta(days=days))}
    run_stack("roe", existing=held, preview=preview)
    assert bool(warnings) is warned
    assert all("kv-v2/k8s_operator/roe/ingress-nginx" in each and "renew it" in each for each in warnings)


@pytest.mark.parametrize(("days", "warned"), [(20, True), (22, False)])
def test_the_end_of_a_served_certificate_is_warned_of_as_well(
    run_stack: StackRunner, warnings: list[str], days: int, warned: bool
) -> None:
    ends = (datetime.now(UTC) + timedelta(days=days)).replace(microsecond=0)
    served = certificates.parse(certificate(ROE, ends)["tls.crt"])
    recording = run_stack("roe", existing=WITHOUT_CERTIFICATE, changes=LETS_ENCRYPT, served=served)
    assert recording.exports["certificateExpires"] == certificates.rfc3339(ends)
    assert bool(warnings) is warned
    assert all("cert-manager should have renewed it" in each for each in warnings)


def test_a_certificate_of_another_name_is_none(run_stack: StackRunner) -> None:
    # ingress-nginx serves one of its own making until it gets the right one.
    fake = certificates.parse(certificate("ingress.local")["tls.crt"])
    recording = run_stack("roe", existing=WITHOUT_CERTIFICATE, changes=LETS_ENCRYPT, served=fake)
    assert not recording.exports["certificateExpires"]


def test_a_certificate_that_cannot_be_served_stops_before_anything_is_made(run_stack: StackRunner) -> None:
    held = {**ROE_STATIC, "ingress-nginx": certificate("elsewhere.example.org")}
    with pytest.raises(pulumi.RunError, match=r"roe/ingress-nginx: tls.crt: is valid for elsewhere.example.org, exp"):
        run_stack("roe", existing=held)


def test_a_certificate_without_its_issuer_is_warned_of(run_stack: StackRunner, warnings: list[str]) -> None:
    pair = certificate(ROE)
    end = "-----END CERTIFICATE-----\n"
    pair["tls.crt"] = pair["tls.crt"].partition(end)[0] + end
    run_stack("roe", existing={**ROE_STATIC, "ingress-nginx": pair})
    assert ["only the server" in each for each in warnings] == [True]


@pytest.mark.parametrize(("days", "warned"), [(90, True), (30, False)])
def test_a_newer_one_in_vault_is_not_replaced_unseen(
    run_stack: StackRunner, warnings: list[str], days: int, warned: bool
) -> None:
    held = certificate("rsp.sandbox.test", datetime.now(UTC) + timedelta(days=days))
    run_stack("sandbox", existing={"ingress-nginx": held})
    assert ["would replace it" in each for each in warnings] == [True] * warned


def test_the_configuration_decides_which_secrets_are_needed(run_stack: StackRunner) -> None:
    recording = run_stack("roe", existing=WITHOUT_CERTIFICATE, changes=LETS_ENCRYPT)
    assert not [each for each in recording.of("SecretV2") if each.name == "secrets-ingress-nginx"]
    assert stored(run_stack("sandbox"), "ingress-nginx").keys() == {"tls.crt", "tls.key"}


def test_what_is_configured_and_what_is_made_reach_an_application_together(run_stack: StackRunner) -> None:
    recording = run_stack("sandbox")
    nginx = told(recording, "ingress-nginx")
    assert nginx["vaultCertificate"] == {"enabled": True}
    assert nginx["ingress-nginx"]["controller"]["service"]["loadBalancerIP"] == "203.0.113.16"
    assert told(recording, "argocd")["argo-cd"]["server"]["ingress"] == {"tls": False}
    release = next(each for each in recording.of("Release") if each.inputs["name"] == "argocd")
    assert release.inputs["values"]["argo-cd"]["server"]["ingress"]["tls"] is False
