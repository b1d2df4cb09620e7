"""Lines that a server writes to its console, whose output is all that Nova shows of what runs on it."""

from enum import StrEnum

PREFIX = "rsp-server:"
"""Beginning of each line, after what systemd's journal puts before it."""


class Line(StrEnum):
    """What a line says; the last one holds."""

    INSTALLING = "installs its packages"
    INSTALLED = "has installed its packages, and starts when its volumes are mounted"
    FAILED = "could not install its packages, and tries again"
    SERVING = "serves its exports"
    STOPPED = "does not serve its exports"

    @property
    def text(self) -> str:
        """The line."""
        return f"{PREFIX} {self.value}"


def last(output: str) -> Line | None:
    """Return what the last line says; None if there is none, as in a console that has been cut off."""
    for text in reversed(output.splitlines()):
        for line in Line:
            if text.rstrip().endswith(line.text):
                return line
    return None
