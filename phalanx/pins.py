"""Revisions of the Argo CD Applications: each at the last commit that changed what it is rendered from.

A commit of Phalanx changes only a few of its applications. If all Applications had its hash, a preview would show a
change of each.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from phalanx import cache, charts
from phalanx.charts import Manifest
from phalanx.checkout import Checkout
from phalanx.history import History
from phalanx.source import PhalanxSource

_PINS: Final = TypeAdapter(dict[str, str])
_NO_INPUT: Final = ("README.md", "secrets.yaml", "secrets-*.yaml")
"""Files of an application's directory that neither Helm nor Argo CD reads."""


def pin(source: PhalanxSource, following: Collection[str] = ()) -> PhalanxSource:
    """Set the revision of each Application.

    Args:
        source: The environment.
        following: Applications that follow a branch: theirs is the configured revision.

    Returns:
        The environment with other manifests.

    Raises:
        PhalanxError: The history of the repository cannot be fetched, or a Chart.yaml is malformed.
    """
    applications = source.manifests.applications
    revisions: dict[str, str] = {}
    pinned: dict[Checkout, dict[str, Manifest]] = defaultdict(dict)
    for name, manifest in applications.items():
        tree = source.checkout_of(name)
        if name in following:
            revisions[name] = tree.revision
        else:
            pinned[tree][name] = manifest
    for tree, manifests in pinned.items():
        revisions.update(_last_changes(tree, manifests))
    changed = {name: _at(manifest, revisions[name]) for name, manifest in applications.items()}
    return replace(source, manifests=replace(source.manifests, applications=changed))


def pathspecs(root: Path, application: Manifest) -> list[str]:
    """Return Git's pathspecs (gitglossary(7)) of the files from which an Application is rendered.

    These are the directories of its chart and of the shared charts that it depends on, without the values of other
    environments and what Helm does not read. The settings of the environment are not among them: those that an
    application uses are parameters of the Application itself.

    Args:
        root: Directory of the checkout.
        application: Manifest of the Application, from `phalanx.render.applications`.

    Raises:
        PhalanxError: A Chart.yaml is missing or malformed.
    """
    source = application["spec"]["source"]
    directories = [path.relative_to(root).as_posix() for path in charts.chart_directories(root, root / source["path"])]
    links = {
        path.resolve().relative_to(root.resolve()).as_posix()
        for directory in directories
        for path in (root / directory).rglob("*")
        if path.is_symlink()
    }
    left_out = [*_NO_INPUT, *_other_values(source.get("helm", {}).get("valueFiles", ()))]
    excluded = [f"{source['path']}/{pattern}" for pattern in left_out]
    excluded += [f"{directory}/README.md" for directory in directories[1:]]
    return [*dict.fromkeys([*directories, *sorted(links)]), *(f":(exclude,glob){pattern}" for pattern in excluded)]


def _last_changes(tree: Checkout, manifests: Mapping[str, Manifest]) -> dict[str, str]:
    """Return the last commit that changed each Application; without Git if an earlier run has found out."""

    def find() -> dict[str, str]:
        files = {name: pathspecs(tree.path, manifest) for name, manifest in manifests.items()}
        return History(tree.repository, tree.credentials).last_changes(tree.commit, files)

    sources = {name: manifest["spec"]["source"] for name, manifest in manifests.items()}
    read = {name: [each["path"], each.get("helm", {}).get("valueFiles")] for name, each in sources.items()}
    return cache.cached(_PINS, ["last changes", tree.commit, read], find)


def _at(manifest: Manifest, revision: str) -> dict[str, Any]:
    spec = manifest["spec"]
    return {**manifest, "spec": {**spec, "source": {**spec["source"], "targetRevision": revision}}}


def _other_values(read: Collection[str]) -> Iterator[str]:
    """Yield patterns of the values files of all environments but the one whose file is read.

    A pathspec that excludes files has precedence over all that include them, and files of environments that no longer
    exist must match, too: the patterns are of names that differ from that of the file at one character.
    """
    kept = [name for name in read if name.startswith("values-") and name.endswith(".yaml")]
    if not kept:
        yield "values-*.yaml"
    if len(kept) != 1:
        return
    name = kept[0].removeprefix("values-").removesuffix(".yaml")
    for length, character in enumerate(name):
        yield f"values-{name[:length]}[!{character}]*.yaml"
        yield f"values-{name[:length]}.yaml"
    yield f"values-{name}?*.yaml"
