from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from dashboard.board import Dated, Deployment, Snapshot
from dashboard.page import age, code, render
from probes.health.finding import Finding, critical, ok, warning
from probes.health.report import Report
from probes.health.root_causes import explain

TIME = datetime(2026, 11, 26, 9, tzinfo=UTC)
SEALED = replace(critical("Vault", "is <sealed>", "run `vault operator unseal`"), check="Vault", version="2.7.2")
MISSING = replace(critical("secrets", "cannot be read", because_of=("Vault",)), check="secrets")
NUBLADO = replace(ok("application nublado", "Synced, Healthy, 12345678", "nublado:15.1.0"), check="applications")
KUBECONFIG = replace(ok("kubeconfig", "valid"), check="kubeconfig", expires=TIME + timedelta(days=9, hours=1))
CLAIMS = replace(ok("claims", "3 bound"), check="claims")
OUTPUTS = {"platformUrl": "https://rsp.example.org", "ingressAddress": "203.0.113.16", "vaultUrl": "javascript:alert()"}


def snapshot(*findings: Finding, known: Snapshot | None = None, minute: int = 0) -> Snapshot:
    time = TIME + timedelta(minutes=minute)
    return (known or Snapshot()).with_health(Report(stack="test", time=time, seconds=2, findings=explain(findings)))


def shown(known: Snapshot, minute: int = 0) -> str:
    return render("test", known, 60, TIME + timedelta(minutes=minute, seconds=5))


def texts(page: str, heading: str) -> str:
    """Return the text of a section, with single blanks."""
    body = ET.fromstring(page[page.index("<main") : page.index("</main>")] + "</main>")  # noqa: S314 - our own page
    (section,) = [each for each in body.iter("section") if each.findtext("h2", "").startswith(heading)]
    return " ".join(" ".join(section.itertext()).split())


def test_root_causes_are_first_with_what_to_do_and_what_they_explain() -> None:
    page = shown(snapshot(CLAIMS, MISSING, SEALED))
    assert texts(page, "What is wrong") == (
        "What is wrong, and what to do ✖ critical Vault is <sealed> → run vault operator unseal explains 1 more secrets"
    )
    assert "<code>vault operator unseal</code>" in page
    assert page.index("What is wrong") < page.index("In order")
    assert texts(page, "In order") == "In order What Finding claims 3 bound"
    assert "<title>✖ test</title>" in page


def test_a_healthy_platform_says_so() -> None:
    page = shown(snapshot(CLAIMS))
    assert texts(page, "What is wrong").endswith("✔ ok Nothing is wrong.")
    assert "healthy" in page


def test_applications_expiries_and_versions_have_tables() -> None:
    page = shown(snapshot(NUBLADO, SEALED, KUBECONFIG))
    assert texts(page, "Applications").endswith("nublado ✔ ok Synced, Healthy, 12345678 nublado:15.1.0")
    assert texts(page, "Expiry dates").endswith("kubeconfig ▲ warning 2026-12-05, 9 days left")
    assert texts(page, "Versions").endswith("Vault 2.7.2")


def test_what_is_from_an_earlier_round_has_its_age() -> None:
    lost = replace(critical("Kubernetes API", "does not answer"), check="Kubernetes API")
    page = shown(snapshot(lost, known=snapshot(NUBLADO, KUBECONFIG), minute=7), minute=7)
    assert texts(page, "Applications").startswith("Applications as of 7 minutes ago")
    assert texts(page, "Expiry dates").endswith("9 days left as of 7 minutes ago")


def test_a_state_that_cannot_be_read_leaves_the_topology_with_its_age() -> None:
    deployed = Dated(value=Deployment(outputs=OUTPUTS, topology="<svg/>"), time=TIME)
    known = replace(snapshot(CLAIMS, minute=60), deployment=deployed, failures=("the stack's state cannot be read",))
    page = shown(known, minute=60)
    assert texts(page, "Topology").startswith("Topology as of 1 hour ago")
    assert "the stack&#39;s state cannot be read" in page


def test_only_web_addresses_are_links() -> None:
    deployed = Dated(value=Deployment(outputs=OUTPUTS, topology="<svg/>"), time=TIME)
    page = shown(replace(snapshot(CLAIMS), deployment=deployed))
    assert 'href="https://rsp.example.org"' in page
    assert 'href="javascript' not in page
    assert "203.0.113.16" in texts(page, "Topology")


def test_before_the_first_answers_the_page_says_that_it_waits() -> None:
    assert "Asking the clouds" in shown(Snapshot())


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (timedelta(seconds=-3), "0 s ago"),
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=47), "1 day ago"),
    ],
)
def test_an_age_has_one_unit(since: timedelta, expected: str) -> None:
    assert age(TIME, TIME + since) == expected


def test_a_warning_that_quotes_html_is_escaped() -> None:
    found = replace(warning("pod <b>", "<script>", "`<i>` and `"), check="applications")
    page = shown(snapshot(found))
    assert "<b>" not in page
    assert "<script>" not in page
    assert code("`<i>` and `") == "`&lt;i&gt;` and `"
