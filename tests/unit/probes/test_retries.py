from pathlib import Path
from typing import Any

import hvac
import pytest
import requests
import yaml

from config.cloud import Cloud
from probes import openstack_connection, retries, vault_client
from tests.unit.flaky_server import flaky_server


def statuses(method: str, *outcomes: int | None) -> tuple[int, list[str]]:
    """Return the final status of a request, and the requests that the server received."""
    received: list[str] = []
    with flaky_server(outcomes, received) as url, requests.Session() as session:
        retries.retry_reads(session)
        return session.request(method, url, timeout=5).status_code, received


@pytest.mark.parametrize("method", ["GET", "LIST"])
@pytest.mark.parametrize("outcome", [429, 500, 502, 503, 504, None])
def test_a_read_is_repeated_until_it_succeeds(method: str, outcome: int | None) -> None:
    assert statuses(method, outcome, outcome, 200) == (200, [method] * 3)


def test_the_last_response_is_returned() -> None:
    status, received = statuses("GET", 503)
    assert status == 503
    assert len(received) == 1 + retries.RETRIES


def test_a_refusal_is_not_repeated() -> None:
    assert statuses("GET", 403) == (403, ["GET"])


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_change_is_not_repeated_as_it_may_have_been_made(method: str) -> None:
    assert statuses(method, 503, 200) == (503, [method])
    with pytest.raises(requests.ConnectionError):
        statuses(method, None, 200)


def test_a_client_of_vault_repeats_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "token-of-the-test")
    received: list[str] = []
    with flaky_server([None, 500, 200], received) as url:
        vault_client.connect(url).adapter.request("get", "v1/sys/mounts")
    assert received == ["GET"] * 3


def test_a_client_of_vault_repeats_the_question_for_capabilities_but_no_other_post(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "token-of-the-test")
    asked: list[str] = []
    with flaky_server([None, 500, 200], asked) as url:
        vault_client.connect(url).sys.get_capabilities(paths=["secret/a"])
    assert asked == ["POST"] * 3
    changed: list[str] = []
    with flaky_server([500, 200], changed) as url, pytest.raises(hvac.exceptions.InternalServerError):
        vault_client.connect(url).adapter.request("post", "v1/sys/mounts/a")
    assert changed == ["POST"]


def test_a_request_for_a_token_is_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[str] = []
    with flaky_server([None, 503, 401], received) as url:
        auth: dict[str, Any] = {"auth_url": f"{url}/v3", "username": "u", "password": "p", "project_name": "p"}
        auth |= {"user_domain_name": "d", "project_domain_name": "d"}
        clouds = tmp_path / "clouds.yaml"
        document = {"clouds": {"test": {"auth_type": "v3password", "region_name": "one", "auth": auth}}}
        clouds.write_text(yaml.safe_dump(document))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
        with pytest.raises(openstack_connection.LoginError, match="refuses the credentials"):
            openstack_connection.connect(Cloud(name="test", region="one"))
    assert received == ["POST"] * 3
