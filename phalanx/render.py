"""Rendering of the Argo CD Applications of an environment from Phalanx's own chart."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from phalanx import cache, helm
from phalanx.environment import Environment

_MANIFESTS: Final = TypeAdapter(list[dict[str, Any]])


def applications(
    root: Path,
    environment: Environment,
    *,
    repo_url: str,
    target_revision: str,
    revisions: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Render the chart ``environments``, which is the app of apps of Phalanx's own installer.

    Args:
        root: Directory of the checkout.
        environment: Environment to render.
        repo_url: Git repository of the Applications.
        target_revision: Branch, tag or commit of the Applications.
        revisions: Revisions that replace those of the environment's ``revisions``, by application.

    Returns:
        Manifests of Namespaces, AppProjects and Applications.

    Raises:
        RenderError: Helm is missing or rejects the chart.
    """
    chart = root / "environments"
    release = environment.app_of_apps_name
    values_files = ("values.yaml", f"values-{environment.name}.yaml")
    overrides = {"repoUrl": repo_url, "targetRevision": target_revision, "revisions": dict(revisions or {})}
    return cache.cached(
        _MANIFESTS,
        [*helm.cache_key(chart), release, values_files, overrides],
        lambda: helm.template(release, chart, shown="environments", values_files=values_files, overrides=overrides),
    )
