"""The search for secrets in plaintext can fail: it finds a secret in any encoding."""

import base64
import json
import secrets as random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.sandbox import marks
from tests.sandbox.marks import Evidence, Mark
from tests.sandbox.watch import Watch


@pytest.mark.parametrize("encoding", range(12))
def test_the_search_finds_a_secret_in_files(encoding: int, tmp_path: Path) -> None:
    """In a log and in a file, in plaintext or encoded, complete or truncated."""
    value = 'planted/"secret"-of-the-test-' + random.token_hex(8)
    forms = [
        value,
        value[: marks.PIECE],
        value[-marks.PIECE :],
        quote(value, safe=""),
        json.dumps({"password": value}),
        value.encode().hex(),
        value.encode().hex().upper(),
        base64.urlsafe_b64encode(value.encode()).decode(),
        *(base64.b64encode(f"{'x' * before}{value}:y".encode()).decode() for before in range(4)),
    ]
    mark = Mark("ours", value)
    file = tmp_path / "some.log"
    with Watch([tmp_path]) as watch:
        file.write_text(f"2026-01-01 DEBUG body: {forms[encoding]}\n")
        _until(lambda: any(each.content for each in watch.files))
    assert marks.found([Evidence("the file", file.read_bytes())], [mark]) == [("ours", "the file")]
    assert marks.found([Evidence("seen", each.content) for each in watch.files], [mark]) == [("ours", "seen")]
    assert marks.found([Evidence("another", b"nothing of the kind")], [mark]) == []


def test_the_watch_records_command_lines_and_environments() -> None:
    argument, variable = (Mark(name, random.token_hex(16)) for name in ("argument", "variable"))
    command, environment = ("sh", "-c", "read _", "sh", argument.value), {"PASSWORD": variable.value}
    # It ends with its standard input.
    with Watch([]) as watch, subprocess.Popen(command, env=environment, stdin=subprocess.PIPE):
        _until(lambda: any(variable.value.encode() in each.content for each in [*watch.environments.values()]))
    assert [name for name, _ in marks.found(watch.commands.values(), [argument])] == ["argument"]
    assert ("variable", "the environment of sh -c read _ sh") in marks.found(watch.environments.values(), [variable])


def test_a_search_without_content_or_secrets_fails() -> None:
    with pytest.raises(AssertionError, match="nothing was searched"):
        marks.found([Evidence("an empty file", b"")], [Mark("ours", "a" * 20)])
    with pytest.raises(AssertionError, match="no marks"):
        marks.found([Evidence("a file", b"text")], [])


def _until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
