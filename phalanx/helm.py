"""Helm, as a process of its own for each chart."""

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
"""Seconds; rendering the largest environment takes less than one, fetching a dependency a few."""


def template(
    release: str, chart: Path, *, values_files: Sequence[str], overrides: dict[str, Any], namespace: str = "default"
) -> list[dict[str, Any]]:
    """Render a chart with ``helm template``.

    Args:
        release: Name of the release.
        chart: Directory of the chart.
        values_files: Files in it, later ones over earlier ones; those that do not exist are left out.
        overrides: Helm values over those of the files.
        namespace: Namespace of the release.

    Raises:
        RenderError: Helm is missing or refuses the chart.
    """
    files = [argument for name in values_files if (chart / name).exists() for argument in ("--values", chart / name)]
    # The overrides go in by standard input: no shell syntax to escape, nothing in the process list.
    arguments = ("template", release, chart, "--namespace", namespace, *files, "--values", "-")
    output = run(*arguments, given=json.dumps(overrides), problem=f"helm refuses the chart {chart}")
    try:
        return [dict(manifest) for manifest in parse_stream(output)]
    except yaml.YAMLError as error:
        raise RenderError(f"The chart {chart} renders to something that is not valid YAML: {error}") from None


def made_from(*charts: Path) -> list[Any]:
    """Return what determines how Helm renders some charts, but for its arguments; see `phalanx.cache.remembered`.

    Args:
        charts: Directories of all charts that go in.

    Raises:
        RenderError: Helm is missing.
    """
    # Asking Helm for its version takes as long as rendering a chart.
    binary = _binary().resolve()
    status = binary.stat()
    settings = {name: value for name, value in processes.environment().items() if name.startswith("HELM_")}
    return [[str(binary), status.st_size, status.st_mtime_ns], settings, [cache.digest_of(chart) for chart in charts]]


def run(*arguments: str | Path, given: str = "", problem: str) -> str:
    """Run Helm and return what it prints.

    Args:
        arguments: Its arguments.
        given: Its standard input.
        problem: What to say if it fails, before its own words.

    Raises:
        RenderError: It is missing, fails, or takes too long.
    """
    try:
        done = subprocess.run(
            (_binary(), *arguments),
            env=processes.environment(),
            input=given,
            capture_output=True,
            text=True,
            check=True,
            timeout=_TIMEOUT,
        )
    except subprocess.CalledProcessError as error:
        raise RenderError(f"{problem}: {error.stderr.strip().removeprefix('Error: ')}") from None
    except subprocess.TimeoutExpired:
        raise RenderError(f"{problem}: no answer within {_TIMEOUT:.0f} s") from None
    return done.stdout


def _binary() -> Path:
    found = shutil.which("helm")
    if found is None:
        raise RenderError(
            "helm is not installed (https://helm.sh/docs/intro/install/): Phalanx is made of Helm charts."
        )
    return Path(found)
