from pathlib import Path

from operations import summary
from tests.unit.review import recorded


def test_the_preview_at_the_beginning_of_an_update_is_left_out(tmp_path: Path) -> None:
    output = tmp_path / "output.diff"
    output.write_text("Previewing update (sandbox):\n  + planned\nUpdating (sandbox):\n  + created: Updating (x)\n")
    text = summary.render(recorded.of("application-changed"), output)
    assert "created" in text
    assert "planned" not in text
    output.write_text("Previewing update (sandbox):\n  + planned\n")
    assert "planned" in summary.render(recorded.of("application-changed"), output)
