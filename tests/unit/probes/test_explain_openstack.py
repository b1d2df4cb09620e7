from types import SimpleNamespace
from typing import Any

import pytest
from openstack.connection import Connection

from probes.explain_openstack import explain_load_balancer, explain_server, explain_share, explain_volume
from tests.unit.openstack_server import openstack_server

SHARE = "rsp-test-share-jhome"
NO_PLACE = "No storage could be allocated for this share request. Trying again with a different size or share type may."


def explained(service: str, explain: Any, answers: dict[str, tuple[int, Any]], **api: str) -> list[str]:
    with openstack_server(answers, service, **api) as connection:
        return list(explain(connection, "rsp-test-one"))


@pytest.mark.parametrize(
    ("status", "lines"),
    [
        ("error", ["Cinder's volume rsp-test-one: error", "  schedule allocate volume: Could not find any host."]),
        ("in-use", []),
    ],
)
def test_a_volume_that_cannot_be_used_has_cinders_messages(status: str, lines: list[str]) -> None:
    volume = {"id": "id-1", "name": "rsp-test-one", "status": status}
    message = {"user_message": "schedule allocate volume: Could not find any host."}
    answers = {
        "GET /volumes/detail?name=rsp-test-one": (200, {"volumes": [volume]}),
        "GET /messages?resource_uuid=id-1": (200, {"messages": [message]}),
    }
    assert explained("block_storage", explain_volume, answers, id="v3.0", version="3.70") == lines


def test_a_server_that_cannot_be_scheduled_has_novas_reason() -> None:
    server = {"id": "id-1", "name": "rsp-test-one", "status": "ERROR", "fault": {"message": "No valid host was found."}}
    answers = {
        "GET /servers?name=%5Ersp%5C-test%5C-one%24": (200, {"servers": [{"id": "id-1", "name": "rsp-test-one"}]}),
        "GET /servers/id-1": (200, {"server": server}),
    }
    found = explained("compute", explain_server, answers, id="v2.1", version="2.90")
    assert found == ["Nova's server rsp-test-one: ERROR: No valid host was found."]


@pytest.mark.parametrize(
    ("status", "lines"),
    [("ERROR", ["Octavia's load balancer rsp-test-one: provisioning status ERROR"]), ("ACTIVE", [])],
)
def test_a_load_balancer_has_its_provisioning_status(
    status: str, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Connection, "current_project_id", "project-id")
    balancer = {"id": "id-1", "name": "rsp-test-one", "provisioning_status": status}
    path = "GET /lbaas/loadbalancers?name=rsp-test-one&project_id=project-id"
    answers = {path: (200, {"loadbalancers": [balancer]})}
    assert explained("load_balancer", explain_load_balancer, answers, id="v2.26") == lines


def explained_share(status: str | None, *messages: tuple[str, str]) -> list[str]:
    shares = [SimpleNamespace(id="share", name=SHARE, status=status)] if status else []
    listed = [SimpleNamespace(resource_id=share, user_message=text) for share, text in messages]
    manila = SimpleNamespace(shares=lambda **_: shares, user_messages=lambda: listed)
    connection: Any = SimpleNamespace(shared_file_system=manila)
    return list(explain_share(connection, SHARE))


def test_a_failed_share_has_manilas_messages_once() -> None:
    messages = [("share", NO_PLACE), ("another", "something else"), ("share", NO_PLACE)]
    assert explained_share("error", *messages) == [f"Manila's share {SHARE}: error", f"  {NO_PLACE}"]


def test_an_available_or_missing_share_needs_no_explanation() -> None:
    assert explained_share("available", ("share", NO_PLACE)) == []
    assert explained_share(None) == []
