import pytest

from phalanx.errors import PhalanxError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cannot read https://somebody:hunter2@h/x: no", "cannot read https://[removed]@h/x: no"),
        ("'https://hunter2@h'", "'https://[removed]@h'"),
        ("ssh://git:hunter2@h/x", "ssh://[removed]@h/x"),
        ("ssh://git@h/x and git@h:x", "ssh://git@h/x and git@h:x"),
        ("https://h/x@y: https://h:8200/", "https://h/x@y: https://h:8200/"),
    ],
)
def test_passwords_in_urls_are_removed(text: str, shown: str) -> None:
    error = PhalanxError(text, "b")
    assert error.problems == (shown, "b")
    assert str(error) == f"{shown}\nb"
    assert error.args == (shown, "b")
