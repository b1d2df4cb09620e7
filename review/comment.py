"""The Markdown report of a run, for a comment, an issue or the summary of a job."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from review import links
from review.changes import LOST, SECRETS_MESSAGE, Application, Changes, Loss
from review.markdown import GITHUB_LIMIT, Block, Fence, Table, Text, code, document
from review.run import Diagnostic, without_colors
from review.values import ABSENT, Difference

_COUNTED: Final = {
    "replace": "to replace",
    "delete": "to delete",
    "create": "to create",
    "update": "to update",
    "import": "to import",
}
_DONE: Final = {
    "replace": "replaced",
    "delete": "deleted",
    "create": "created",
    "update": "updated",
    "import": "imported",
}
_SHORT_COMMIT: Final = 12
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
_MOST_PROPERTIES: Final = 6
_MOST_MESSAGE: Final = 6000
"""Size of a message in characters: the following ones and the changes are as important."""
_DIFF_MARK: Final = re.compile(r"^( +)(\+-|[+~]|-(?!-))")
_AS_IN_DIFFS: Final = {"~": "!", "+-": "-+"}
_RESOURCE: Final = re.compile(r"^[ ~+-]+[\w./-]+:[\w./-]+:\w+: \((?P<operation>[\w\[\]-]+)\)( 🔒)?$")
"""First line of a resource in Pulumi's output."""


def render(changes: Changes, diff: str = "", limit: int = GITHUB_LIMIT, head: str = "") -> str:
    """Return the report.

    Args:
        changes: The changes.
        diff: The CLI's output of ``--diff``, without colors; empty to leave it out.
        limit: Greatest size in characters.
        head: Commit of this repository that the run was made from; empty to leave it out.
    """
    blocks: list[Block] = [Text(_headline(changes, head))]
    blocks += _losses(changes)
    blocks += _messages(changes.diagnostics, "error", "Error")
    blocks += _messages(changes.diagnostics, "warning", "Warning")
    if not changes.succeeded:
        blocks += _messages(changes.diagnostics, "info#err", "Standard error")
    blocks += _applications(changes.applications)
    blocks += _facts(changes.applications)
    blocks += _secrets(changes)
    blocks += _outputs(changes.outputs)
    blocks += _others(changes)
    if diff.strip():
        summary = "<details><summary>All changes as shown by Pulumi</summary>"
        blocks.append(Fence(summary, _as_diff(diff), "diff", "</details>"))
    return document(blocks, limit)


def _headline(changes: Changes, head: str) -> str:
    what = "Preview" if changes.preview else "Update"
    title = f"## {what} of {code(changes.stack)}"
    if head:
        title += f" at {code(_short(head))}"
    if changes.commit:
        title += f"\n\nPhalanx commit {code(changes.commit)}"
    words = _COUNTED if changes.preview else _DONE
    ordered = [each for each in words if each in changes.counts] + [
        each for each in changes.counts if each not in words
    ]
    counts = ", ".join(f"**{changes.counts[each]} {words.get(each, each)}**" for each in ordered)
    if changes.succeeded:
        return f"{title}\n\n{counts or '**No changes**'}, {changes.unchanged} unchanged."
    failed = f"**The {what.lower()} failed.**"
    known = f" Until then: {counts}, {changes.unchanged} unchanged." if counts else ""
    return f"{title}\n\n> [!CAUTION]\n> {failed}{known}"


def _losses(changes: Changes) -> Iterator[Block]:
    if not changes.lost:
        return
    counts = {word: sum(each.operation == word for each in changes.lost) for word in LOST}
    words = _COUNTED if changes.preview else _DONE
    found = ", ".join(f"{words[word]}: {count}" for word, count in counts.items() if count)
    yield Text(f"> [!CAUTION]\n> **Resources {found}.** Check that no data are lost.")
    rows = [
        (code(each.name), code(each.type), f"**{each.operation}**", _marks(each), _paths(each.reasons))
        for each in changes.lost
    ]
    yield Table("### Replaced and deleted", ("Resource", "Type", "Operation", "Protection", "Because of"), rows)


def _marks(loss: Loss) -> str:
    marks = ["🔒 protected: Pulumi refuses this"] if loss.protected else []
    marks += ["retained: stays in the cloud"] if loss.retained else []
    return ", ".join(marks) or "none"


def _messages(diagnostics: Sequence[Diagnostic], severity: str, title: str) -> Iterator[Block]:
    for each in diagnostics:
        if each.severity == severity:
            where = f" of {code(each.resource)}" if each.resource else ""
            yield Fence(f"### {title}{where}", each.message, limit=_MOST_MESSAGE)


def _applications(applications: Sequence[Application]) -> Iterator[Block]:
    if applications:
        rows = [(code(each.name), each.operation, _revisions(each), _paths(each.others)) for each in applications]
        yield Table("### Applications", ("Application", "Operation", "Revision", "Other changes"), rows)


def _revisions(application: Application) -> str:
    old, new = application.old, application.new
    if old == new:
        return f"{code(_short(new))}, unchanged"
    shown = " → ".join(code(_short(each)) for each in (old, new) if each)
    url = links.compare(application.repository, old, new)
    return f"{shown} ([compare]({url}))" if url else shown


def _short(revision: str) -> str:
    return revision[:_SHORT_COMMIT] if _COMMIT.fullmatch(revision) else revision


def _facts(applications: Sequence[Application]) -> Iterator[Block]:
    rows = [
        (code(application.name), code(each.path), _value(each.old), _value(each.new))
        for application in applications
        for each in application.values
    ]
    if rows:
        yield Table("### Facts and Helm values of applications", ("Application", "Value", "Old", "New"), rows)


def _secrets(changes: Changes) -> Iterator[Block]:
    if changes.secrets:
        rows = [
            (code(each.name), "the stack's state" if each.generated else "Vault", each.operation)
            for each in changes.secrets
        ]
        yield Table("### Secrets", ("Name", "In", "Operation"), rows)
    for each in changes.diagnostics:
        if each.severity == "info" and each.message.startswith(SECRETS_MESSAGE):
            yield Fence("Names of their keys:", each.message, limit=_MOST_MESSAGE)


def _outputs(outputs: Sequence[Difference]) -> Iterator[Block]:
    rows = [(code(each.path), _value(each.old), _value(each.new)) for each in outputs]
    if rows:
        yield Table("### Stack outputs", ("Output", "Old", "New"), rows)


def _others(changes: Changes) -> Iterator[Block]:
    rows = [
        (
            code(each.name),
            code(each.type),
            each.operation + (", **failed**" if each.failed else ""),
            _paths(each.properties),
        )
        for each in changes.others
    ]
    if rows:
        title = f"<details><summary>Other resources ({len(rows)})</summary>"
        yield Table(title, ("Resource", "Type", "Operation", "Properties"), rows, "</details>")


def _paths(paths: Sequence[str]) -> str:
    shown = [code(each) for each in paths[:_MOST_PROPERTIES]]
    more = len(paths) - len(shown)
    return ", ".join([*shown, *([f"{more} more"] if more else [])])


def _value(value: Any) -> str:
    if value is ABSENT:
        return ""
    return code(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _as_diff(text: str) -> str:
    """Return Pulumi's output with its marks at the beginning of the lines, where highlighters of diffs expect them."""
    return "\n".join(_DIFF_MARK.sub(_moved, line) for line in _without_refreshes(without_colors(text).splitlines()))


def _moved(found: re.Match[str]) -> str:
    return _AS_IN_DIFFS.get(found[2], found[2]) + found[1]


def _without_refreshes(lines: Iterable[str]) -> Iterator[str]:
    """Leave out what a refresh has read, thousands of lines: a difference from the program is shown once more."""
    refreshed = False
    for line in lines:
        if found := _RESOURCE.match(line):
            refreshed = found["operation"] == "refresh"
        if not refreshed:
            yield line
