"""Health checks of a stack with two clusters: subjects within a cluster are named after it."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from probes.health.check import Check
from probes.health.finding import Finding


def within(cluster: str, checks: Iterable[Check]) -> Iterator[Check]:
    """Yield checks of a cluster whose names and subjects have the cluster's name.

    What they depend on may be in the cluster, or shared by both: only one of these is a subject of a finding.

    Args:
        cluster: Name of the cluster.
        checks: The checks.
    """
    for each in checks:
        yield replace(
            each,
            name=_of(cluster, each.name),
            run=lambda each=each: (_qualified(cluster, finding) for finding in each.run()),  # type: ignore[misc]
            requires=_both(cluster, each.requires),
        )


def depending_on(cluster: str, checks: Iterable[Check]) -> Iterator[Check]:
    """Yield checks of what both clusters share, and what depends on one of them: the one that serves the platform.

    Args:
        cluster: Name of that cluster.
        checks: The checks.
    """
    for each in checks:
        yield replace(
            each,
            run=lambda each=each: (  # type: ignore[misc]
                replace(finding, because_of=_both(cluster, finding.because_of)) for finding in each.run()
            ),
            requires=_both(cluster, each.requires),
        )


def without_cluster(check: str) -> str:
    """Return the name of a check without that of its cluster."""
    return check.partition(" (")[0]


def _qualified(cluster: str, finding: Finding) -> Finding:
    return replace(
        finding,
        subject=_of(cluster, finding.subject),
        because_of=_both(cluster, finding.because_of),
        parts=tuple(_of(cluster, part) for part in finding.parts),
    )


def _of(cluster: str, subject: str) -> str:
    return f"{subject} ({cluster})"


def _both(cluster: str, subjects: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for subject in subjects for name in (_of(cluster, subject), subject))
