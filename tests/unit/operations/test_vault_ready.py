import pytest
from typer.testing import CliRunner

from operations import vault_ready as command
from operations.__main__ import app
from probes import vault_ready
from probes.vault_ready import Obstacle

URL = "https://vault.example.org:8200"
BOOTING, SEALED = Obstacle(what="it boots"), Obstacle(what="it is sealed", temporary=False)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Obstacle | None]:
    """Return the list of what successive checks find; the last entry is repeated."""
    obstacles: list[Obstacle | None] = []
    monkeypatch.setattr(command, "INTERVAL", 0)
    monkeypatch.setattr(vault_ready, "check", lambda *_: obstacles.pop(0) if len(obstacles) > 1 else obstacles[0])
    return obstacles


def test_waits_and_reports_each_obstacle_once(found: list[Obstacle | None]) -> None:
    found += [BOOTING, BOOTING, Obstacle(what="it initializes itself"), None]
    done = CliRunner().invoke(app, ["vault-ready", f"{URL}/"])
    assert done.exit_code == 0
    assert done.stderr.splitlines() == ["it boots", "it initializes itself"]
    assert done.stdout == f"{URL} is ready\n"


@pytest.mark.parametrize(
    ("obstacle", "message"), [(SEALED, "it is sealed"), (BOOTING, "not ready after 0 s: it boots")]
)
def test_ends_with_the_obstacle(found: list[Obstacle | None], obstacle: Obstacle, message: str) -> None:
    found.append(obstacle)
    done = CliRunner().invoke(app, ["vault-ready", URL, "--timeout", "0"])
    assert isinstance(done.exception, command.NotReadyError)
    assert str(done.exception) == message


@pytest.mark.parametrize(
    "url",
    ["http://vault.example.org:8200", "vault.example.org:8200", "https://", "https://[::1", "https://localhost:99999"],
)
def test_a_url_without_https_is_refused(url: str) -> None:
    done = CliRunner().invoke(app, ["vault-ready", url])
    assert done.exit_code == 2
    assert "https://NAME:PORT" in done.stderr
