"""Expiry of the private certificate authorities that the configuration names."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from config.files import ca_expiry
from probes.health.finding import Finding
from probes.health.kubernetes import judge_expiry


def check(subject: str, path: Path) -> Iterator[Finding]:
    """Check when the last CA in a file expires, from when on no command accepts the file.

    Args:
        subject: Subject of the finding.
        path: The file.

    Raises:
        ValueError: The file is no longer valid.
    """
    yield judge_expiry(subject, ca_expiry(path), datetime.now(UTC), "docs/howto/private-ca.md#replace-a-ca")
