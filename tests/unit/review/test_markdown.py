"""Text from outside is shown as it is, by a parser of GitHub's Markdown, and a cut document is still whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from review.markdown import Block, Fence, Table, Text, code, document, size, visible

HOSTILE = (
    "a | b",
    r"a \| b",
    "`code`",
    "``` fence",
    "**bold** _it_ ~~gone~~",
    "[link](https://example.org)",
    "![image](https://example.org/x.png)",
    "<script>alert(1)</script>",
    "</code></td></table></details>",
    "<!-- comment",
    "&lt;b&gt; &#124;",
    "@someone #1 !2 ~label $x$",
    "www.example.org https://example.org",
    "line\nbreak\r\nand\rmore\u2028still",
    "\u202egnitsaoc",
    "\\",
    "",
)
"""Texts that have a meaning in Markdown, HTML, or the links of GitHub and GitLab."""

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def tokens(markdown: str) -> list[Token]:
    return [inner for token in PARSER.parse(markdown) for inner in (token, *(token.children or ()))]


def cells(markdown: str) -> list[list[str]]:
    """Return the text of the cells of a document's only table, by row."""
    rows: list[list[str]] = []
    in_cell = False
    for token in PARSER.parse(markdown):
        if token.type == "tr_open":
            rows.append([])
        if token.type in {"th_open", "td_open", "th_close", "td_close"}:
            in_cell = token.type.endswith("open")
        if token.type == "inline" and in_cell:
            inner = token.children or []
            assert {each.type for each in inner} <= {"text", "text_special", "html_inline"}
            assert {each.content for each in inner if each.type == "html_inline"} <= {"<code>", "</code>"}
            rows[-1].append("".join(each.content for each in inner if each.type != "html_inline"))
    return rows


def one_line(text: str) -> str:
    return " ".join(visible(text).split())


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_in_a_table(text: str) -> None:
    assert cells(document([Table("", ("A", "B"), [(code(text), "b")])]))[1:] == [[one_line(text), "b"]]


@given(st.text(max_size=100), st.text(alphabet="|`\\<>&*_[]()#\n@~-", max_size=40))
def test_any_text_is_shown_in_a_table(first: str, second: str) -> None:
    rows = cells(document([Table("", ("A", "B"), [(code(first), code(second))])]))
    assert rows[1:] == [[one_line(first), one_line(second)]]


@given(st.text(alphabet=st.sampled_from("`~ab<>|\n-=#"), max_size=60))
def test_any_text_is_shown_in_a_fence(text: str) -> None:
    found = [each for each in tokens(document([Fence("Title", text), Text("After")])) if each.type != "text"]
    (fence,) = [each for each in found if each.type == "fence"]
    assert fence.content == visible(text).strip("\n") + "\n"
    assert [each.content for each in found if each.type == "inline"] == ["Title", "After"]


def test_no_url_or_mention_remains_outside_of_code() -> None:
    assert "@" not in code("@team")
    assert "://" not in code("https://example.org")
    assert "www." not in code("WWW.example.org www.example.org").lower()


def test_characters_that_reverse_text_are_shown() -> None:
    assert "\u202e" not in code("\u202egnitsaoc")
    assert "u202e" in code("\u202egnitsaoc")


ROWS = [(code(f"row {number} | {'x' * 50}"), "b") for number in range(200)]
LINES = "\n".join(f"line {number} ```` {'y' * 40}" for number in range(200))


@pytest.mark.parametrize("limit", [*range(260, 800, 17), 4000, 12_000, 30_000, 60_000])
def test_a_cut_document_fits_and_is_whole(limit: int) -> None:
    blocks: list[Block] = [
        Text("# Title"),
        Table("<details><summary>Rows</summary>", ("A", "B"), ROWS, "</details>"),
        Fence("<details><summary>Lines</summary>", LINES, "diff", "</details>"),
    ]
    text = document(blocks, limit)
    assert size(text) <= limit
    assert text.count("<details>") == text.count("</details>")
    found = PARSER.parse(text)
    fences = [each for each in found if each.type == "fence"]
    assert len(fences) == text.count("`````diff")
    assert all(line.endswith("y" * 40) for each in fences for line in each.content.splitlines())
    assert all(len(row) == 2 for row in cells(text))
    assert "left out" in text or limit >= 30_000


def test_a_whole_document_has_no_note() -> None:
    assert "left out" not in document([Table("T", ("A", "B"), ROWS[:3]), Fence("F", "line")])


def test_a_note_has_the_number_of_missing_rows() -> None:
    text = document([Table("T", ("A", "B"), ROWS)], 3000)
    assert f"*{len(ROWS) - text.count('row ')} more rows are left out.*" in text


def test_the_size_is_at_least_that_of_any_way_to_count() -> None:
    assert size("a𝄞") == 3


def test_a_long_line_and_a_long_cell_are_shortened() -> None:
    assert size(document([Fence("F", "x" * 5000)])) < 1100
    assert size(code("x" * 5000)) < 350
