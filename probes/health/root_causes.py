"""Find the root causes among findings, so that a failure is one line, without everything that follows from it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from probes.health.finding import Finding, State


def explain(findings: Iterable[Finding]) -> list[Finding]:
    """Set `explained_by` of each finding that another one explains.

    A subject explains those that depend on it, unless it is less severe than they are: a warning never hides a
    failure. A summary explains its parts, except when other causes explain all of them; those then explain the summary.

    Args:
        findings: All findings, in any order. The worst counts if a subject has several.

    Returns:
        The findings in the same order.
    """
    known = list(findings)
    subjects: dict[str, Finding] = {}
    for each in known:
        if each.subject not in subjects or each.state.severity > subjects[each.subject].state.severity:
            subjects[each.subject] = each
    causes: dict[str, str] = {}
    wrong = [each for each in subjects.values() if each.state is not State.OK]
    for each in wrong:
        _set_first(causes, each.subject, _candidates(each, subjects))
    for each in wrong:
        if each.parts:
            _summarize(causes, each, subjects)
    return [
        replace(each, explained_by=_root(causes, each.subject) if each.state is not State.OK else None)
        for each in known
    ]


def _candidates(finding: Finding, subjects: Mapping[str, Finding]) -> list[str]:
    """Return the subjects that can explain a finding."""
    severity = finding.state.severity
    return [name for name in finding.because_of if name in subjects and subjects[name].state.severity >= severity]


def _summarize(causes: dict[str, str], summary: Finding, subjects: Mapping[str, Finding]) -> None:
    parts = [subjects[name] for name in summary.parts if name in subjects and subjects[name].state is not State.OK]
    # The less severe ones do not account for the state of the summary.
    worst = [part for part in parts if part.state.severity >= summary.state.severity]
    if worst and all(part.subject in causes for part in worst):
        _set_first(causes, summary.subject, [causes[worst[0].subject]])
    for part in parts:
        _set_first(causes, part.subject, [summary.subject])


def _set_first(causes: dict[str, str], subject: str, candidates: Iterable[str]) -> None:
    """Set the first candidate as cause of a subject that has none yet; a subject is never among its own causes."""
    for candidate in candidates:
        if subject not in causes and (_root(causes, candidate) or candidate) != subject:
            causes[subject] = candidate


def _root(causes: Mapping[str, str], subject: str) -> str | None:
    """Follow the causes of a subject to the last one; None if it has none."""
    root = None
    while subject in causes:
        subject = root = causes[subject]
    return root
