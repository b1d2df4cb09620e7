"""Charts that Argo CD cannot deploy, although they can be rendered here."""

import hashlib
import json
import re
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final

from phalanx import charts, helm
from phalanx.documents import read_mapping
from phalanx.errors import RenderError

_FIELDS: Final = ("name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias")
"""Fields of a dependency in the order of Helm's type (``Dependency`` in pkg/chart/dependency.go)."""

_ALWAYS: Final = frozenset({"name", "repository"})
"""Fields that Helm's JSON contains even if they are empty."""

_RELEASE = re.compile(r"v?\d+\.\d+\.\d+")


def problems(root: Path, application: str, kubernetes: Collection[str]) -> Iterator[str]:
    """Yield the reasons why Argo CD cannot deploy an application's chart.

    Args:
        root: Directory of the checkout.
        application: Name of the application.
        kubernetes: Kubernetes releases of the clusters, such as v1.36.3; empty if they are not known.

    Yields:
        Messages that start with file and key.

    Raises:
        PhalanxError: A Chart.yaml or Chart.lock is malformed, or Helm is missing.
    """
    chart = root / "applications" / application
    if not (chart / "Chart.yaml").is_file():
        return  # reported by `phalanx.charts.render`
    yield from _lock_problems(root, chart)
    supported = charts.metadata(root, chart).kube_version
    for release in sorted(set(kubernetes)) if supported else ():
        if _supports(supported, release):
            continue
        yield (
            f"applications/{application}/Chart.yaml: kubeVersion: is {supported!r}, which Helm enforces, expected a "
            f"range that contains {release}, the release in rsp:clusters.NAME.kubernetesVersion: choose an image "
            "with a release that the chart supports, or another version of the application"
        )


def _lock_problems(root: Path, chart: Path) -> Iterator[str]:
    """Compare Chart.lock with Chart.yaml: ``helm dependency build``, which Argo CD runs, refuses an outdated one.

    Source: ``Build`` in pkg/downloader/manager.go and ``HashReq`` in internal/resolver/resolver.go of Helm.
    """
    file = chart / "Chart.lock"
    dependencies = charts.dependencies(root, chart)
    if not file.is_file() or all(charts.is_vendored(chart, each) for each in dependencies):
        return
    lock = read_mapping(file, root)
    listed = [read_mapping(chart / "Chart.yaml", root).get("dependencies"), lock.get("dependencies")]
    if lock.get("digest") != f"sha256:{hashlib.sha256(_as_go_json(listed)).hexdigest()}":
        where = file.relative_to(root)
        yield (
            f"{where}: digest: is not that of the dependencies in Chart.yaml, so Argo CD refuses the chart: run "
            f"`helm dependency update {where.parent}` and commit Chart.lock, or delete the file, as Phalanx has none"
        )


def _as_go_json(lists: list[Any]) -> bytes:
    """Return lists of dependencies in Helm's JSON; what Helm cannot read in them is null."""

    def ordered(dependency: Any) -> dict[str, Any] | None:
        if not isinstance(dependency, dict):
            return None
        present = (name for name in _FIELDS if dependency.get(name) or name in _ALWAYS)
        return {name: dependency.get(name, "") for name in present}

    listed = [[ordered(each) for each in found] if isinstance(found, list) else None for found in lists]
    text = json.dumps(listed, ensure_ascii=False, separators=(",", ":"), default=str)
    for character in "<>&":  # as by Go's encoding/json
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode(errors="replace")


def _supports(supported: str, kubernetes: str) -> bool:
    """Return whether a range of versions contains a release, as Helm itself decides.

    A suffix of the release, such as ``-rancher1``, belongs to the image; the cluster reports the release without it.
    """
    release = _RELEASE.match(kubernetes)
    with tempfile.TemporaryDirectory(prefix="rsp-chart-") as directory:
        metadata = {"apiVersion": "v2", "name": "empty", "version": "1.0.0", "kubeVersion": supported}
        Path(directory, "Chart.yaml").write_text(json.dumps(metadata))
        try:
            helm.run("template", directory, "--kube-version", release[0] if release else kubernetes, problem="")
        except RenderError as error:
            if "kubeVersion" not in str(error):
                raise
            return False
    return True
