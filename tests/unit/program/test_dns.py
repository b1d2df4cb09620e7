"""The DNS records of the platform: created in Designate, or an output for the administrators of the site's DNS."""

from typing import Any

from tests.unit.program.conftest import ROE_STATIC, StackRunner
from tests.unit.recording import Recording

HOST = "rsp.lsst.ac.uk"
LETSENCRYPT = {
    "kind": "letsencrypt",
    "email": "rsp@example.org",
    "challenge": {"kind": "designate", "zone": "acme.example.org"},
}


def run(run_stack: StackRunner, **changes: Any) -> Recording:
    return run_stack("roe", existing=ROE_STATIC, changes=changes)


def test_without_designate_the_site_creates_the_records(run_stack: StackRunner) -> None:
    recording = run(run_stack, tls=LETSENCRYPT)
    assert recording.of("RecordSet") == []
    assert recording.exports["dnsRecords"] == [
        f"{HOST}. IN A 203.0.113.16",
        f"_acme-challenge.{HOST}. IN CNAME {HOST}.acme.example.org.",
    ]


def test_designate_has_all_records(run_stack: StackRunner) -> None:
    recording = run(run_stack, dns={"kind": "designate", "zone": "lsst.ac.uk", "ttl": 60}, tls=LETSENCRYPT)
    assert recording.exports["dnsRecords"] == []
    records = {each.inputs["type"]: each for each in recording.of("RecordSet")}
    assert {kind: (each.inputs["name"], *each.inputs["records"]) for kind, each in records.items()} == {
        "A": (f"{HOST}.", "203.0.113.16"),
        "CNAME": (f"_acme-challenge.{HOST}.", f"{HOST}.acme.example.org."),
    }
    # cert-manager looks for the challenge at once.
    (issuer,) = recording.ancestors(recording.one("ClusterIssuer"))
    assert records["CNAME"].urn in issuer.dependencies
