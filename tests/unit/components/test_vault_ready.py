import asyncio
import socket
from collections.abc import Callable

import pulumi
import pytest

from components import vault_ready
from components.vault_ready import Expectation, wait

URL = "https://vault.example.org:8200"
ADDRESS = "203.0.113.16"

Answers = Callable[..., list[str]]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """Have the server's health be asked to no avail but for what is given; returns which URLs were asked."""

    def give(*said: tuple[int | None, str]) -> list[str]:
        left, asked = list(said), []

        def ask(url: str) -> tuple[int | None, str]:
            asked.append(url)
            return left.pop(0) if len(left) > 1 else left[0]

        monkeypatch.setattr(vault_ready, "_ask", ask)
        monkeypatch.setattr(vault_ready, "_POLL", 0)
        return asked

    return give


@pytest.fixture
def name(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], None]:
    def leads_to(address: str | None) -> None:
        def look_up(*_: object) -> list[object]:
            if address is None:
                raise socket.gaierror
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)

    leads_to(ADDRESS)
    return leads_to


def expect(*, people: bool = False, by_name: bool = True, patience: float = 60) -> Expectation:
    return Expectation(url=URL, by_name=by_name, unsealed_by_people=people, patience=patience)


def run(expected: Expectation) -> str:
    return asyncio.run(wait(expected, ADDRESS))


def test_waits_while_the_server_boots_initialises_and_unseals(answers: Answers, name: object) -> None:
    del name
    asked = answers((None, "does not answer"), (501, "is not initialised"), (503, "is sealed"), (200, "answers"))
    assert run(expect()) == URL
    assert asked == [URL] * 4


@pytest.mark.parametrize(("status", "what"), [(501, "bao operator init"), (503, "bao operator unseal")])
def test_says_at_once_what_people_have_to_do(answers: Answers, name: object, status: int, what: str) -> None:
    del name
    answers((status, "waits"))
    with pytest.raises(pulumi.RunError, match=what):
        run(expect(people=True))


@pytest.mark.parametrize(("found", "said"), [(None, "has no address"), ("198.51.100.7", "leads to 198.51.100.7")])
def test_a_name_that_leads_elsewhere_is_told_before_anybody_asks(
    answers: Answers, name: Callable[[str | None], None], found: str | None, said: str
) -> None:
    name(found)
    asked = answers((200, "answers"))
    with pytest.raises(pulumi.RunError, match=f"{said}.*A record with {ADDRESS}"):
        run(expect())
    assert asked == []


def test_another_way_to_the_server_needs_no_name(answers: Answers, name: Callable[[str | None], None]) -> None:
    name(None)
    answers((200, "answers"))
    assert run(expect(by_name=False)) == URL


def test_gives_up_in_the_end_and_says_what_the_server_said(answers: Answers, name: object) -> None:
    del name
    answers((None, "has a certificate that is not trusted"))
    with pytest.raises(pulumi.RunError, match=r"certificate that is not trusted.*run the same command again"):
        run(expect(patience=-1))


def test_a_preview_waits_for_nothing(answers: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers((None, "does not answer"))
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    assert run(expect()) == URL
    assert asked == []
