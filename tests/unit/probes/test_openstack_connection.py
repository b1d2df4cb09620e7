"""A Keystone with a certificate of a private CA."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from components import private_authority
from config.cloud import Cloud
from probes.openstack_connection import LoginError, connect
from tests.unit.tls_server import tls_server

Refusal = Callable[[str | None], str]


@pytest.fixture
def refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Refusal]:
    """Return a function that connects with a ``cacert``, and returns why that fails; the right one is ca.pem."""
    for name in ("ca.pem", "other.pem"):
        authority = private_authority.create("localhost")
        (tmp_path / name).write_text(authority["certificate"])
        if name == "ca.pem":
            signed = private_authority.issue(authority, "localhost")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    with tls_server(signed["certificate"], signed["key"], tmp_path) as address:
        url = f"https://localhost:{address.partition(':')[2]}/v3"

        def connect_with(cacert: str | None) -> str:
            login = {"auth_url": url, "username": "a", "password": "planted", "project_name": "a"}
            domains = {"user_domain_name": "Default", "project_domain_name": "Default"}
            entry = {"auth": login | domains, **({"cacert": str(tmp_path / cacert)} if cacert else {})}
            (tmp_path / "clouds.yaml").write_text(yaml.safe_dump({"clouds": {"site": entry}}))
            with pytest.raises(LoginError) as caught:
                connect(Cloud(name="site"))
            found = caught.value.problem
            assert str(caught.value) == str(found)
            assert found.where == f"Keystone at {url}"
            return found.what

        yield connect_with


def test_an_untrusted_certificate_is_reported_with_the_authorities(refusal: Refusal, tmp_path: Path) -> None:
    remedy = "set `cacert` of cloud `site` in clouds.yaml to the file of its CA"
    without, with_other = refusal(None), refusal("other.pem")
    assert without.startswith("has a certificate that no public CA has signed (")
    assert with_other.startswith(f"has a certificate that no CA in {tmp_path}/other.pem has signed (")
    assert without.endswith(remedy)
    assert with_other.endswith(remedy)


def test_a_missing_file_is_reported(refusal: Refusal, tmp_path: Path) -> None:
    expected = f"`cacert` of cloud `site` in clouds.yaml is {tmp_path}/gone.pem, which does not exist"
    assert refusal("gone.pem") == expected


def test_with_its_authority_a_server_is_trusted(refusal: Refusal) -> None:
    assert refusal("ca.pem") == "does not answer: check auth_url in clouds.yaml and the network"
