"""The Argo CD Applications of an environment, rendered from Phalanx's own chart by Helm."""

from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from phalanx import cache, helm
from phalanx.environment import Environment

_MANIFESTS: Final = TypeAdapter(list[dict[str, Any]])


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
    chart = root / "environments"
    release = environment.app_of_apps_name
    values_files = ("values.yaml", f"values-{environment.name}.yaml")
    overrides = {"repoUrl": repo_url, "targetRevision": target_revision}
    return cache.remembered(
        _MANIFESTS,
        [*helm.made_from(chart), release, values_files, overrides],
        lambda: helm.template(release, chart, values_files=values_files, overrides=overrides),
    )
