"""Whatever the program makes, a killed run of it can be recovered."""

from operations.recovery.guard import GUARDED
from operations.recovery.services import repeatable, service_of
from tests.unit.recording import Recording


def test_every_type_is_found_again_or_may_be_made_again(graph: Recording) -> None:
    types = {each.type for each in graph.resources if each.custom}
    assert "openstack:containerinfra/cluster:Cluster" in types
    left = {kind for kind in types if repeatable(kind) is None and not _is_found(kind)}
    assert left == set()


def test_each_creation_in_openstack_looks_first(graph: Recording) -> None:
    guarded = {each.type for each in graph.resources if "no-second-one" in each.request.hooks.before_create}
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
