import pulumi

from components.object_store import ObjectStore
from program.openstack_arguments import object_store
from tests.unit.given_network import on_cloud
from tests.unit.recording import ProgramRunner, Recording
from tests.unit.sample import environment

GIVEN = {
    "objectStore__kind": "s3",
    "objectStore__endpoint": "https://s3.example.org:6780/",
    "objectStore__accessKey": "given-access",
    "objectStore__secretKey": "given-secret",
}


def make(run_program: ProgramRunner, **changes: object) -> Recording:
    def program() -> None:
        store = ObjectStore("results", object_store(environment(**changes)), on_cloud())
        for name in ("endpoint", "bucket", "access_key", "secret_key"):
            pulumi.export(name, getattr(store, name))

    return run_program(program)


def test_a_container_and_keys_are_created(run_program: ProgramRunner) -> None:
    recording = make(run_program)
    container = recording.one("Container")
    assert container.inputs == {"name": "async"}
    assert container.protect
    assert container.retained
    assert list(container.request.replaceOnChanges) == ["name"]
    assert recording.exports == {
        "endpoint": "http://127.0.0.1:8080",
        "bucket": "async",
        "access_key": "ec2-access",
        "secret_key": "ec2-secret",
    }


def test_a_container_is_created_for_each_bucket(run_program: ProgramRunner) -> None:
    buckets = {"ssotap": "async-ssotap", "tap": "async"}
    recording = make(run_program, objectStore__buckets=buckets)
    containers = recording.of("Container")
    assert sorted((each.name, each.inputs["name"]) for each in containers) == [
        ("results-bucket", "async"),
        ("results-bucket-async-ssotap", "async-ssotap"),
    ]
    assert all(each.protect and each.retained for each in containers)
    assert not make(run_program, **GIVEN, objectStore__buckets=buckets).of("Container")


def test_an_existing_bucket_requires_no_resources(run_program: ProgramRunner) -> None:
    recording = make(run_program, **GIVEN)
    assert not recording.of("Container")
    assert not recording.of("Ec2CredentialV3")
    assert recording.exports == {
        "endpoint": "https://s3.example.org:6780",
        "bucket": "async",
        "access_key": "given-access",
        "secret_key": "given-secret",
    }
