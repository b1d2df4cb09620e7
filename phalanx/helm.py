"""Execution of the Helm command."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from phalanx import cache, processes
from phalanx.documents import parse_stream
from phalanx.errors import RenderError

_TIMEOUT = 120.0
"""Timeout in seconds; rendering the largest environment takes less than one, fetching a dependency a few."""


def template(
    release: str, chart: Path, *, values_files: Sequence[str], overrides: dict[str, Any], namespace: str = "default"
) -> list[dict[str, Any]]:
    """Render a chart with ``helm template``.

    Args:
        release: Name of the release.
        chart: Directory of the chart.
        values_files: Values files in the chart, in order of increasing precedence; missing files are skipped.
        overrides: Helm values that override those of the files.
        namespace: Namespace of the release.

    Returns:
        The manifests.

    Raises:
        RenderError: Helm is missing or rejects the chart.
    """
    files = [argument for name in values_files if (chart / name).exists() for argument in ("--values", chart / name)]
    # Passed on standard input: no syntax to escape, and not visible in the process list.
    arguments = ("template", release, chart, "--namespace", namespace, *files, "--values", "-")
    output = run(*arguments, stdin=json.dumps(overrides), problem=f"Helm cannot render the chart {chart}")
    try:
        return [dict(manifest) for manifest in parse_stream(output)]
    except yaml.YAMLError as error:
        raise RenderError(f"The chart {chart} renders to invalid YAML: {error}") from None


def cache_key(*charts: Path) -> list[Any]:
    """Return what determines how Helm renders charts, except its arguments, for a key of `phalanx.cache.cached`.

    Args:
        charts: Directories of all charts that are rendered.

    Raises:
        RenderError: Helm is missing.
    """
    # Not `helm version`, which takes as long as rendering a chart.
    binary = _binary().resolve()
    status = binary.stat()
    settings = {name: value for name, value in processes.environment().items() if name.startswith("HELM_")}
    return [[str(binary), status.st_size, status.st_mtime_ns], settings, [cache.tree_digest(chart) for chart in charts]]


def run(*arguments: str | Path, stdin: str = "", problem: str) -> str:
    """Run Helm and return its output.

    Args:
        arguments: Arguments of Helm.
        stdin: Standard input.
        problem: Start of the error message if it fails; Helm's own message follows.

    Raises:
        RenderError: Helm is missing, fails, or takes too long.
    """
    try:
        done = subprocess.run(
            (_binary(), *arguments),
            env=processes.environment(),
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
            timeout=_TIMEOUT,
        )
    except subprocess.CalledProcessError as error:
        raise RenderError(f"{problem}: {error.stderr.strip().removeprefix('Error: ')}") from None
    except subprocess.TimeoutExpired:
        raise RenderError(f"{problem}: Helm did not finish within {_TIMEOUT:.0f} s") from None
    return done.stdout


def _binary() -> Path:
    found = shutil.which("helm")
    if found is None:
        raise RenderError(
            "helm is not installed: it is required to render Phalanx's charts (https://helm.sh/docs/intro/install/)"
        )
    return Path(found)
