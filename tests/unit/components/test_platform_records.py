from components.platform_records import PlatformRecords, PlatformRecordsArgs
from tests.unit.given_network import on_cloud
from tests.unit.recording import ProgramRunner, Recording
from wiring.dns_records import Alias


def make(run_program: ProgramRunner, alias: Alias | None) -> Recording:
    def program() -> None:
        args = PlatformRecordsArgs(
            zone="example.org", host="rsp.example.org", address="203.0.113.16", alias=alias, ttl=60
        )
        PlatformRecords("dns", args, on_cloud())

    return run_program.having(invokes={"openstack:dns/getDnsZone:getDnsZone": {"id": "zone-1"}})(program)


def test_the_name_has_the_address(run_program: ProgramRunner) -> None:
    record = make(run_program, None).one("RecordSet")
    description = record.inputs.pop("description")
    assert record.inputs == {
        "zoneId": "zone-1",
        "name": "rsp.example.org.",
        "type": "A",
        "records": ["203.0.113.16"],
        "ttl": 60,
    }
    # Recovery tells the stack's record from another one of the same name by it.
    assert description == "Rubin Science Platform (test), managed by Pulumi"


def test_the_challenge_leads_to_its_zone(run_program: ProgramRunner) -> None:
    recording = make(run_program, Alias("_acme-challenge.rsp.example.org", "rsp.example.org.acme.example.org"))
    (record,) = [each for each in recording.of("RecordSet") if each.inputs["type"] == "CNAME"]
    assert record.inputs["name"] == "_acme-challenge.rsp.example.org."
    assert record.inputs["records"] == ["rsp.example.org.acme.example.org."]
