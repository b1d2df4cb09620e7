"""The Argo CD Applications of an environment, rendered from Phalanx's own chart by Helm."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from phalanx import processes
from phalanx.documents import parse_stream
from phalanx.environment import Environment
from phalanx.errors import RenderError

_TIMEOUT = 120.0
"""Seconds; rendering the largest environment takes less than one, fetching a dependency a few."""


def applications(root: Path, environment: Environment, *, repo_url: str, target_revision: str) -> list[dict[str, Any]]:
    """Render ``environments/``: what Phalanx's installer makes as the app of apps.

    Args:
        root: Directory of the checkout.
        environment: Environment to render.
        repo_url: Git repository that the Applications name.
        target_revision: Branch, tag or commit that they name, unless the environment's ``revisions`` say otherwise.

    Returns:
        Manifests: the namespaces, AppProjects and Applications.

    Raises:
        RenderError: Helm is missing or refuses the chart.
    """
    return template(
        environment.app_of_apps_name,
        root / "environments",
        values_files=("values.yaml", f"values-{environment.name}.yaml"),
        overrides={"repoUrl": repo_url, "targetRevision": target_revision},
    )


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
    output = run_helm(*arguments, given=json.dumps(overrides), problem=f"helm refuses the chart {chart}")
    try:
        return [dict(manifest) for manifest in parse_stream(output)]
    except yaml.YAMLError as error:
        raise RenderError(f"The chart {chart} renders to something that is not valid YAML: {error}") from None


def run_helm(*arguments: str | Path, given: str = "", problem: str) -> str:
    """Run Helm and return what it prints.

    Args:
        arguments: Its arguments.
        given: Its standard input.
        problem: What to say if it fails, before its own words.

    Raises:
        RenderError: It is missing, fails, or takes too long.
    """
    helm = shutil.which("helm")
    if helm is None:
        raise RenderError(
            "helm is not installed (https://helm.sh/docs/intro/install/): Phalanx is made of Helm charts."
        )
    try:
        done = subprocess.run(
            (helm, *arguments),
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
