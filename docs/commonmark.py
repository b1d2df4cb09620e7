"""A hook of MkDocs: pages are CommonMark, as GitHub shows them, but Python-Markdown indents lists by four spaces."""

import math


def on_page_markdown(markdown: str, **_: object) -> str:
    """Return a page with the content of list items indented by multiples of four; code blocks move as a whole."""
    lines: list[str] = []
    fence, shift = "", 0
    for line in markdown.splitlines():
        text = line.lstrip(" ")
        if not fence:
            depth = len(line) - len(text)
            shift = 4 * math.ceil(depth / 4) - depth
        lines.append(" " * shift + line if text else "")
        if fence:
            fence = "" if text.rstrip() == fence else fence
        elif text.startswith("```"):
            fence = text[: len(text) - len(text.lstrip("`"))]
    return "\n".join(lines) + "\n"
