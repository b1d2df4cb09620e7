"""A snapshot as one HTML page, without scripts or styles in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from dashboard.board import Snapshot, of_applications
from phalanx.certificates import EXPIRY_WARNING, rfc3339
from probes.health.finding import Finding, State

SYMBOLS: Final = {State.OK: "✔", State.WARNING: "▲", State.UNKNOWN: "?", State.CRITICAL: "✖"}
"""Symbols of the states, for those who do not see their colors."""

_ADDRESSES: Final = {
    "platformUrl": "Platform",
    "argocdUrl": "Argo CD",
    "vaultUrl": "Vault",
    "clusterApi": "Kubernetes API",
    "ingressAddress": "Floating IP",
    "nfsAddress": "NFS server",
    "objectStoreUrl": "Object store",
    "phalanxRepository": "Phalanx repository",
}
"""Titles of the stack outputs that are shown, by name."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A fact about a subject, and since when it is known."""

    subject: str
    text: str
    state: State = State.OK
    time: datetime | None
    """Time of the answer if a later round got none; None for one of the last round."""


def render(stack: str, snapshot: Snapshot, interval: float, now: datetime) -> str:
    """Return the page.

    Args:
        stack: Name of the stack.
        snapshot: What is known.
        interval: Seconds between two rounds of queries.
        now: Current time, from which ages are counted.
    """
    deployment = snapshot.deployment
    outputs: Mapping[str, str] = deployment.value.outputs if deployment else {}
    return _PAGES.get_template("page.html.jinja").render(
        stack=stack,
        snapshot=snapshot,
        health=snapshot.health,
        interval=interval,
        now=now,
        applications=[each for each in _facts(snapshot) if of_applications(each[0])],
        expiries=list(_expiries(snapshot, now)),
        versions=list(_versions(snapshot, outputs)),
        addresses={title: outputs[name] for name, title in _ADDRESSES.items() if outputs.get(name)},
        # The browser asks again if, and only if, it has changed.
        topology=sha256(deployment.value.topology.encode()).hexdigest()[:16] if deployment else "",
        outdated=deployment and snapshot.health and deployment.time < snapshot.health.time,
    )


def age(time: datetime, now: datetime) -> str:
    """Return the time since another one in the largest unit that is not less than one."""
    seconds = max(0, int((now - time).total_seconds()))
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if count != 1 else ''} ago"
    return f"{seconds} s ago"


def code(text: str) -> Markup:
    """Return text as HTML, with what is between backticks as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup().join(
        Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


def _facts(snapshot: Snapshot) -> Iterator[tuple[str, Finding, datetime | None]]:
    """Yield check, finding, and the time if that is not of the last round."""
    for check, known in snapshot.facts.items():
        last = snapshot.health is not None and known.time == snapshot.health.time
        for each in known.value:
            yield check, each, None if last else known.time


def _expiries(snapshot: Snapshot, now: datetime) -> Iterator[Row]:
    dated = [(each.expires, each.subject, time) for _, each, time in _facts(snapshot) if each.expires]
    for expires, subject, time in sorted(dated, key=lambda each: each[0]):
        left = expires - now
        state = State.CRITICAL if left <= timedelta(0) else State.WARNING if left <= EXPIRY_WARNING else State.OK
        days = "expired" if state is State.CRITICAL else f"{left.days} day{'s' if left.days != 1 else ''} left"
        yield Row(subject=subject, text=f"{expires.astimezone(UTC):%Y-%m-%d}, {days}", state=state, time=time)


def _versions(snapshot: Snapshot, outputs: Mapping[str, str]) -> Iterator[Row]:
    if commit := outputs.get("checkoutCommit"):
        yield Row(subject="Phalanx, deployed", text=commit[:8], time=None)
    for check, each, time in _facts(snapshot):
        if each.version and not of_applications(check):
            yield Row(subject=each.subject, text=each.version, time=time)


def _environment() -> Environment:
    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters.update(age=age, code=code, rfc3339=rfc3339)
    pages.globals.update(symbols=SYMBOLS)
    return pages


_PAGES: Final = _environment()
