"""Tables as plain text, to be searched and copied."""

from collections.abc import Collection, Sequence


def lines(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Return the lines of a table with aligned columns.

    Args:
        rows: Cells of each row, the first with the titles if there are any.
        right: Numbers of the columns that are aligned to the right, from 0 on.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    aligns = [str.rjust if number in right else str.ljust for number in range(len(widths))]
    return [
        "  ".join(align(cell, width) for align, cell, width in zip(aligns, row, widths, strict=True)).rstrip()
        for row in rows
    ]
