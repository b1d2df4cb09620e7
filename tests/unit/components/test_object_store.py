import pulumi
import pulumi_openstack as openstack

from components.object_store import ObjectStore
from program.openstack_arguments import object_store
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
        provider = openstack.Provider("cloud", cloud="test-cloud")
        options = pulumi.ResourceOptions(providers=[provider])
        store = ObjectStore("results", object_store(environment(**changes)), options)
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


def test_keys_are_secret(run_program: ProgramRunner) -> None:
    for recording in (make(run_program), make(run_program, **GIVEN)):
        assert recording.veiled_exports["access_key"] == "[secret]"
        assert recording.veiled_exports["secret_key"] == "[secret]"
        assert not any(
            value in str(resource.veiled)
            for resource in recording.resources
            for value in ("given-access", "given-secret", "ec2-access", "ec2-secret")
        )


def test_protection_can_be_disabled_but_not_retention(run_program: ProgramRunner) -> None:
    container = make(run_program, protect=False).one("Container")
    assert not container.protect
    assert container.retained
