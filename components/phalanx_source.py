"""What the program takes from the Phalanx repository: the one place of it that renders."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.bootstrap_release import BootstrapChart
from components.manifests import Manifests, sort
from config.applications import SyncMode
from phalanx import application, charts, checkout, documents, render, undeclared
from phalanx.application import Application
from phalanx.checkout import Checkout
from phalanx.environment import Environment
from phalanx.secrets import Plan, SecretKey, resolve
from phalanx.values import merge

LINKS = Path(".phalanx")
"""Where, in the project, a link for each environment leads to its checkout."""

BOOTSTRAPPED = frozenset({"argocd", "vault-secrets-operator"})
"""Applications that must be installed before Argo CD can deploy any."""


@dataclass(frozen=True, kw_only=True)
class PhalanxSource:
    """An environment of a Phalanx repository at a commit."""

    checkout: Checkout
    environment: Environment
    applications: Mapping[str, Application]
    """The enabled applications by name, with their values as configured."""
    configured: Mapping[str, Mapping[str, Any]]
    """By application, the Helm values over those of the repository that the configuration gives."""
    manifests: Manifests
    """Their Argo CD Applications, with projects and namespaces."""
    charts: Mapping[str, BootstrapChart]
    """By application, the charts of those that are bootstrapped, with the values that their Applications give."""
    secrets: Plan
    """The secrets that ``secrets.yaml`` files declare."""
    undeclared: Mapping[SecretKey, tuple[str, ...]]
    """The secrets that templates read though nothing declares them, and what reads each."""

    def values(self, name: str) -> Mapping[str, Any]:
        """The merged Helm values of an application; none if it is not enabled."""
        return self.applications[name].values if name in self.applications else {}


def load(
    tree: Checkout, phalanx: Environment, sync: SyncMode, configured: Mapping[str, Mapping[str, Any]]
) -> PhalanxSource:
    """Read the applications of an environment and render its Argo CD Applications.

    Args:
        tree: The Phalanx repository.
        phalanx: The environment in it.
        sync: Whether Applications name the branch or this run's commit.
        configured: What `config.application_values` gives.

    Raises:
        PhalanxError: If one of its applications is not as it should be.
        ManifestError: If it renders to something that this program has no place for.
    """
    applications = application.load_enabled(tree.path, phalanx, configured)
    plan = resolve(applications)
    rendered = render.applications(
        tree.path,
        phalanx,
        repo_url=tree.repository,
        target_revision=tree.revision if sync is SyncMode.AUTOMATIC else tree.commit,
    )
    manifests = sort(rendered)
    link = checkout.link(tree, LINKS / phalanx.name)
    # Before the uses of Secrets are looked for: what these charts need from elsewhere is then there.
    bootstrapped = {
        name: _bootstrap_chart(tree.path, link, phalanx.name, manifests.applications[name], configured.get(name))
        for name in BOOTSTRAPPED
    }
    uses = undeclared.uses_of_all(tree.path, rendered, configured)
    return PhalanxSource(
        checkout=tree,
        environment=phalanx,
        applications=applications,
        configured=configured,
        manifests=manifests,
        charts=bootstrapped,
        secrets=plan,
        undeclared=undeclared.find(uses, phalanx.vault_path_prefix, plan),
    )


def _bootstrap_chart(
    root: Path,
    link: Path,
    environment_name: str,
    application_manifest: charts.Manifest,
    configured: Mapping[str, Any] | None,
) -> BootstrapChart:
    name = application_manifest["metadata"]["name"]
    chart = charts.vendor(root, name)
    of_environment = documents.read_optional_mapping(chart / f"values-{environment_name}.yaml")
    of_application = charts.given_values(application_manifest, configured)
    return BootstrapChart(path=str(link / "applications" / name), values=merge(of_environment, of_application))
