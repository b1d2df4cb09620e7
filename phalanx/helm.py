"""Execution of the Helm command."""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from phalanx import cache, processes
from phalanx.documents import kind, parse_stream
from phalanx.errors import RenderError

_TIMEOUT = 120.0
"""Timeout in seconds; rendering the largest environment takes less than one, fetching a dependency a few."""

_HOMES = ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")
"""Variables of Helm's directories, below which are its repositories, registry logins and plugins."""


def template(  # noqa: PLR0913 - arguments of Helm
    release: str,
    chart: Path,
    *,
    shown: str,
    values_files: Sequence[str],
    overrides: dict[str, Any],
    namespace: str = "default",
) -> list[dict[str, Any]]:
    """Render a chart with ``helm template``.

    Args:
        release: Name of the release.
        chart: Directory of the chart.
        shown: Path of the chart in the checkout, for error messages.
        values_files: Values files in the chart, in order of increasing precedence; missing files are skipped.
        overrides: Helm values that override those of the files.
        namespace: Namespace of the release.

    Returns:
        The manifests.

    Raises:
        RenderError: Helm is missing or rejects the chart, or the chart renders to something else than manifests.
    """
    files = [argument for name in values_files if (chart / name).exists() for argument in ("--values", chart / name)]
    # Passed on standard input: no syntax to escape, and not visible in the process list.
    arguments = ("template", release, chart, "--namespace", namespace, *files, "--values", "-")
    output = run(
        *arguments, stdin=json.dumps(overrides), problem=f"{shown}: Helm cannot render the chart", shown={chart: shown}
    )
    try:
        documents = parse_stream(output)
    except (yaml.YAMLError, RecursionError, ValueError):
        raise RenderError(f"{shown}: the chart renders to invalid YAML") from None
    for document in documents:
        metadata = document.get("metadata") if isinstance(document, Mapping) else None
        if not isinstance(metadata, Mapping) or not isinstance(document.get("kind"), str):
            raise RenderError(
                f"{shown}: the chart renders to {kind(document)} that is no manifest: expected kind and metadata"
            )
    return documents


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
    return [[str(binary), status.st_size, status.st_mtime_ns], [cache.tree_digest(chart) for chart in charts]]


def run(*arguments: str | Path, stdin: str = "", problem: str, shown: Mapping[Path, str] | None = None) -> str:
    """Run Helm and return its output.

    Args:
        arguments: Arguments of Helm.
        stdin: Standard input.
        problem: Start of the error message if it fails; Helm's own message follows.
        shown: Replacements of paths in Helm's message, such as that of a temporary directory.

    Raises:
        RenderError: Helm is missing, fails, or takes too long.
    """
    try:
        cache.directory().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".helm-", dir=cache.directory()) as directory:
            done = processes.run((_binary(), *arguments), env=_environment(directory), timeout=_TIMEOUT, stdin=stdin)
    except subprocess.CalledProcessError as error:
        message = _message(error.stdout, error.stderr)
        for path, name in (shown or {}).items():
            message = message.replace(str(path), name)
        raise RenderError(f"{problem}: {message}") from None
    except subprocess.TimeoutExpired:
        raise RenderError(f"{problem}: Helm did not finish within {_TIMEOUT:.0f} s") from None
    except OSError as error:
        raise RenderError(f"{problem}: {cache.UNWRITABLE}: {error.strerror}") from None
    return done.stdout


def _environment(directory: str) -> dict[str, str]:
    """Return an environment in which Helm sees neither the user's repositories, logins and plugins nor a cluster."""
    inherited = processes.environment()
    own = {name: value for name, value in inherited.items() if not name.startswith(("HELM_", "KUBE"))}
    return own | {name: str(Path(directory, name.lower())) for name in _HOMES}


def _message(stdout: str, stderr: str) -> str:
    """Return Helm's message in one line.

    ``helm dependency`` prints the cause on standard output, and on standard error that a file of its cache is missing.
    """
    _, found, cause = stdout.partition("Unable to get an update from the ")
    lines = cause.splitlines()[:2] if found else stderr.splitlines()
    message = " ".join(line.strip() for line in lines if line.strip() and not line.startswith("Use --debug"))
    return message.removeprefix("Error: ")


def _binary() -> Path:
    found = shutil.which("helm")
    if found is None:
        raise RenderError(
            "helm is not installed: it is required to render Phalanx's charts (https://helm.sh/docs/intro/install/)"
        )
    return Path(found)
