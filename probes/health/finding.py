"""What a health check has found."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class State(StrEnum):
    """State of something that is checked, in ascending order of severity."""

    OK = "ok"
    WARNING = "warning"
    UNKNOWN = "unknown"
    """It could not be determined."""
    CRITICAL = "critical"

    @property
    def severity(self) -> int:
        """Position in the order of severity; 0 for OK."""
        return list(State).index(self)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The state of one thing."""

    subject: str
    """The thing; other findings refer to it by this name."""
    state: State = State.OK
    message: str
    """Description without secrets; may have several lines, the most important first."""
    remedy: str = ""
    """Command or page of the documentation that helps; empty if nothing is wrong."""
    because_of: tuple[str, ...] = ()
    """Subjects on which this one depends: if one of them is not OK, it explains this finding."""
    parts: tuple[str, ...] = ()
    """Subjects whose findings this one summarizes."""
    version: str = ""
    """Release, image tags or commit of what the subject runs, if the check has read it."""
    expires: datetime | None = None
    """Time at which the subject expires, for a certificate."""
    check: str = ""
    """Name of the check, set when it is run."""
    explained_by: str | None = None
    """Subject of the finding that is the root cause of this one, set by `root_causes.explain`."""

    @property
    def is_root(self) -> bool:
        """True if something is wrong that no other finding explains."""
        return self.state is not State.OK and self.explained_by is None


def ok(subject: str, message: str, version: str = "") -> Finding:
    """Return a finding about a subject that is healthy; arguments as the attributes of `Finding`."""
    return Finding(subject=subject, message=message, version=version)


def warning(subject: str, message: str, remedy: str = "", because_of: tuple[str, ...] = ()) -> Finding:
    """Return a finding about something to look at; arguments as the attributes of `Finding`."""
    return Finding(subject=subject, state=State.WARNING, message=message, remedy=remedy, because_of=because_of)


def unknown(subject: str, message: str, remedy: str = "", because_of: tuple[str, ...] = ()) -> Finding:
    """Return a finding about something that could not be determined; arguments as the attributes of `Finding`."""
    return Finding(subject=subject, state=State.UNKNOWN, message=message, remedy=remedy, because_of=because_of)


def critical(subject: str, message: str, remedy: str = "", because_of: tuple[str, ...] = ()) -> Finding:
    """Return a finding about a failure; arguments as the attributes of `Finding`."""
    return Finding(subject=subject, state=State.CRITICAL, message=message, remedy=remedy, because_of=because_of)
