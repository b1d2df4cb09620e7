"""A killed run can be recovered for every resource type of the program."""

from program.duplicates import GUARDED
from recovery.services import repeatable, service_of
from tests.unit.recording import Recording


def test_every_type_has_a_finder_or_a_repeatable_creation(graph: Recording) -> None:
    types = {each.type for each in graph.resources if each.custom}
    assert "openstack:blockstorage/volume:Volume" in types
    uncovered = {kind for kind in types if repeatable(kind) is None and not _is_found(kind)}
    assert uncovered == set()


def test_every_creation_in_openstack_checks_for_duplicates(graph: Recording) -> None:
    guarded = {each.type for each in graph.resources if "no-duplicates" in each.request.hooks.before_create}
    registered = {each.type for each in graph.resources if each.type.startswith("openstack:")}
    assert guarded == registered & set(GUARDED)
    assert registered - guarded <= {
        "openstack:objectstorage/container:Container",
        "openstack:identity/ec2CredentialV3:Ec2CredentialV3",
        "openstack:identity/applicationCredential:ApplicationCredential",
    }


def _is_found(kind: str) -> bool:
    service = service_of(kind)
    return service is not None and service.finder(kind) is not None
