"""What merging another Phalanx repository would change for an environment."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from phalanx import application, charts, environment
from phalanx.application import Application
from phalanx.checkout import Checkout
from phalanx.documents import read_optional_mapping
from phalanx.environment import Environment
from phalanx.errors import PhalanxError
from phalanx.history import History, Merge
from phalanx.secrets import Plan, Static, resolve


@dataclass(frozen=True)
class Change:
    """A changed value; empty text where there is none."""

    old: str
    new: str


@dataclass(frozen=True, kw_only=True)
class ApplicationChange:
    """Changes of an application that is enabled before and after the merge."""

    versions: Mapping[str, Change] = field(default_factory=dict)
    """Versions of its charts, and of the application itself (``appVersion``), by name."""
    values: Mapping[str, Change] = field(default_factory=dict)
    """Merged Helm values, by path."""
    files: tuple[str, ...] = ()
    """Other changed files of its charts, such as templates."""


@dataclass(frozen=True, kw_only=True)
class Preview:
    """Changes for one environment."""

    merge: Merge
    added: tuple[str, ...] = ()
    """Applications that only the merged environment enables."""
    removed: tuple[str, ...] = ()
    changed: Mapping[str, ApplicationChange] = field(default_factory=dict)
    new_secrets: Mapping[str, str] = field(default_factory=dict)
    """Secrets (``application/key``) that only the merged environment needs: the description of those that the operator
    must provide, otherwise ``generated or copied``."""
    unneeded_secrets: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    """Reasons why the merged environment cannot be deployed."""


def preview(ours: Checkout, theirs: Checkout, name: str, configured: Mapping[str, Mapping[str, Any]]) -> Preview:
    """Merge two repositories, and compare an environment before and after it.

    Files with conflicts count as in the other repository, as far as it has them.

    Args:
        ours: The repository of the environment.
        theirs: The repository to merge.
        name: Name of the environment.
        configured: Helm values that override those of the repositories, by application.

    Raises:
        PhalanxError: A repository cannot be fetched or merged, or the present environment is not valid.
    """
    history = History(ours.repository, ours.credentials)
    merge = history.merge(ours.commit, theirs.commit, theirs.repository)
    before = _load(ours.path, name, configured)
    with tempfile.TemporaryDirectory(prefix="rsp-merge-") as directory:
        root = Path(directory)
        history.extract(merge.tree, root)
        for path in merge.conflicts:
            _take(theirs.path / path, root / path)
        try:
            after = _load(root, name, configured)
        except PhalanxError as error:
            return Preview(merge=merge, problems=tuple(error.problems))
        changes = {
            each: found
            for each in sorted(before.applications.keys() & after.applications.keys())
            if (found := _changes(each, before, after, merge)) != ApplicationChange()
        }
    return Preview(
        merge=merge,
        added=tuple(sorted(after.applications.keys() - before.applications.keys())),
        removed=tuple(sorted(before.applications.keys() - after.applications.keys())),
        changed=changes,
        new_secrets={
            str(key): secret.description if isinstance(secret.origin, Static) else "generated or copied"
            for key, secret in sorted(after.secrets.items())
            if key not in before.secrets
        },
        unneeded_secrets=tuple(str(key) for key in sorted(before.secrets) if key not in after.secrets),
    )


class _Side(NamedTuple):
    root: Path
    environment: Environment
    applications: Mapping[str, Application]
    secrets: Plan
    """Declared secrets."""


def _load(root: Path, name: str, configured: Mapping[str, Mapping[str, Any]]) -> _Side:
    found = environment.load(root, name)
    applications = application.load_enabled(root, found, configured)
    return _Side(root, found, applications, resolve(applications))


def _take(source: Path, target: Path) -> None:
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def _changes(name: str, before: _Side, after: _Side, merge: Merge) -> ApplicationChange:
    old, new = (dict(_flat(side.applications[name].values)) for side in (before, after))
    directories = {
        str(path.relative_to(side.root))
        for side in (before, after)
        if (side.root / "applications" / name / "Chart.yaml").is_file()
        for path in charts.chart_directories(side.root, side.root / "applications" / name)
    }
    return ApplicationChange(
        versions=_differences(_versions(before.root, name), _versions(after.root, name)),
        values=_differences(old, new),
        files=tuple(path for path in merge.changed if _is_template(path, directories)),
    )


def _differences(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, Change]:
    return {
        key: Change(old.get(key, ""), new.get(key, ""))
        for key in sorted(old.keys() | new.keys())
        if old.get(key, "") != new.get(key, "")
    }


def _versions(root: Path, name: str) -> dict[str, str]:
    chart = read_optional_mapping(root / "applications" / name / "Chart.yaml", root)
    dependencies = charts.dependencies(root, root / "applications" / name) if chart else ()
    own = {"appVersion": str(chart["appVersion"])} if chart.get("appVersion") else {}
    return own | {each.alias or each.name: each.version for each in dependencies if not each.is_local}


def _is_template(path: str, directories: set[str]) -> bool:
    known = ("values", "Chart.", "secrets", "README.md")
    return any(path.startswith(f"{each}/") for each in directories) and not path.rpartition("/")[2].startswith(known)


def _flat(values: Mapping[Any, Any], parents: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Yield the values that are no mappings, by path, as text."""
    for key, value in values.items():
        keys = (*parents, str(key))
        if isinstance(value, Mapping) and value:
            yield from _flat(value, keys)
        else:
            yield ".".join(keys), str(value)
