import pytest

from tests.unit.probes.fake_project import FakeProject


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> FakeProject:
    """Connect to a fake project instead of a cloud."""
    fake = FakeProject()
    monkeypatch.setattr("openstack.connect", lambda **_: fake)
    return fake
