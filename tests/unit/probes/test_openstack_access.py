from pathlib import Path

import pytest
import yaml

from probes import vault_server_preflight
from probes.openstack_connection import LoginError, connect, locate
from recovery import openstack
from tests.unit.json_server import json_server
from tests.unit.probes.fake_project import FakeProject
from tests.unit.probes.preflight import check, only
from tests.unit.sample import environment, vault_stack


def test_nodes_of_a_new_cluster_must_trust_a_private_authority(project: FakeProject, tmp_path: Path) -> None:
    project.verify = str(tmp_path)
    message = only(check())
    assert message.startswith(f"rsp:clusters.cluster (warning): its nodes must trust the CA in {tmp_path} as well")
    assert "openstack_ca_file in magnum.conf" in message


@pytest.mark.parametrize(
    ("restricted", "preview", "message"),
    [
        (True, False, "application credential `ci`: is restricted"),
        (True, True, "application credential `ci` (warning): is restricted"),
        (False, False, "application credential `ci` (warning): may be"),
    ],
)
def test_application_credentials(project: FakeProject, restricted: bool, preview: bool, message: str) -> None:
    project.token["application_credential"] = {"id": "1", "name": "ci", "restricted": restricted}
    assert only(check(preview=preview)).startswith(message)


def clouds_yaml(path: Path, auth_url: str) -> str:
    auth = {
        "auth_url": auth_url,
        "username": "rsp",
        "password": "s3cr3t-password",
        "project_name": "rsp",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    path.write_text(yaml.safe_dump({"clouds": {"test-cloud": {"auth": auth, "region_name": "RegionOne"}}}))
    return str(path)


def test_a_cloud_that_clouds_yaml_does_not_have(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", clouds_yaml(tmp_path / "clouds.yaml", "http://127.0.0.1:1/v3"))
    message = only(check(environment(cloud={"name": "elsewhere"})))
    assert message.startswith("rsp:cloud: Cloud elsewhere was not found: set it to an entry of clouds.yaml")


def test_variables_that_lead_the_provider_to_another_project_are_refused(
    monkeypatch: pytest.MonkeyPatch, project: FakeProject
) -> None:
    for name in ("OS_PROJECT_ID", "OS_TOKEN", "OS_CLOUD"):
        monkeypatch.setenv(name, "planted")
    monkeypatch.setenv("OS_CACERT", "")
    message = only(check())
    assert message.startswith("environment variables OS_TOKEN, OS_PROJECT_ID: must not be set, as Pulumi's OpenStack ")
    assert "run `unset OS_TOKEN OS_PROJECT_ID`" in message
    assert "planted" not in message
    with pytest.raises(LoginError, match="OS_PROJECT_ID"):
        locate(environment().cloud)
    with pytest.raises(LoginError, match="OS_PROJECT_ID"):
        openstack.connect({"cloud": "test-cloud"})
    monkeypatch.setattr(vault_server_preflight, "_check_certificate", lambda _: [])
    assert [str(each) for each in vault_server_preflight.check(vault_stack(), "test")] == [message]
    # Without the provider, they have no effect.
    assert connect(environment().cloud).current_project_id == project.current_project_id


def test_an_unreachable_keystone(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    with json_server({}) as url:
        pass
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", clouds_yaml(tmp_path / "clouds.yaml", f"{url}/v3"))
    message = only(check())
    assert message == f"Keystone at {url}/v3: does not answer: check auth_url in clouds.yaml and the network"


def test_a_wrong_password(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    version = {"id": "v3.14", "status": "stable", "links": [{"rel": "self", "href": "{url}/v3/"}]}
    answers = {
        "GET /v3": (200, {"version": version}),
        "POST /v3/auth/tokens": (401, {"error": {"code": 401, "message": "The request requires authentication."}}),
    }
    with json_server(answers) as url:
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", clouds_yaml(tmp_path / "clouds.yaml", f"{url}/v3"))
        message = only(check())
    assert message == (
        f"Keystone at {url}/v3: refuses the credentials of cloud `test-cloud`: "
        "check user, password and project in clouds.yaml"
    )
    assert "s3cr3t-password" not in message
