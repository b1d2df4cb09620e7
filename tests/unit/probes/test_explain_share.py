from types import SimpleNamespace
from typing import Any

from probes.explain_share import explain

NAME = "rsp-test-share-jhome"
NO_PLACE = "No storage could be allocated for this share request. Trying again with a different size or share type may."


def explained(status: str | None, *messages: tuple[str, str]) -> list[str]:
    shares = [SimpleNamespace(id="share", name=NAME, status=status)] if status else []
    listed = [SimpleNamespace(resource_id=share, user_message=text) for share, text in messages]
    manila = SimpleNamespace(shares=lambda **_: shares, user_messages=lambda: listed)
    connection: Any = SimpleNamespace(shared_file_system=manila)
    return explain(connection, {"name": NAME})


def test_a_failed_share_has_manilas_messages_once() -> None:
    messages = [("share", NO_PLACE), ("another", "something else"), ("share", NO_PLACE)]
    assert explained("error", *messages) == [f"Manila's share {NAME}: error", f"  {NO_PLACE}"]


def test_an_available_or_missing_share_needs_no_explanation() -> None:
    assert explained("available", ("share", NO_PLACE)) == []
    assert explained(None) == []
