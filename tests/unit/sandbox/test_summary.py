import io

from rich.console import Console, RenderableType

from sandbox import summary


def shown(renderable: RenderableType) -> list[list[str]]:
    """Return the rows of a table as printed."""
    terminal = io.StringIO()
    Console(file=terminal, width=200).print(renderable)
    return [line.split() for line in terminal.getvalue().splitlines()]


def test_outputs_other_than_strings_are_shown_as_json() -> None:
    rows = shown(summary.outputs_table({"bucket": "async", "nfsExports": ["/data", "/jhome"], "token": "[secret]"}))
    assert rows[1:] == [["bucket", "async"], ["nfsExports", '["/data",', '"/jhome"]'], ["token", "[secret]"]]


def test_applications_are_shown_with_revision_and_health() -> None:
    rows = shown(
        summary.applications_table(
            [
                {
                    "metadata": {"name": "tap"},
                    "status": {"sync": {"revision": "0" * 40, "status": "Synced"}, "health": {"status": "Healthy"}},
                },
                {"metadata": {"name": "mobu"}},
            ],
        ),
    )
    assert rows[1:] == [["tap", "0" * 12, "Synced", "Healthy"], ["mobu", "Unknown", "Unknown"]]


def test_phases_are_shown_in_seconds() -> None:
    assert shown(summary.phases_table({"preview": 2.04, "apply": 61.26}))[1:] == [["preview", "2.0"], ["apply", "61.3"]]
