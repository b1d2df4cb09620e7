"""Everything that the program reads from a Phalanx repository: applications, secrets, Argo CD Applications."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phalanx import application, charts, checkout, documents, environment, render, undeclared
from phalanx.application import Application
from phalanx.checkout import Checkout
from phalanx.environment import Environment
from phalanx.manifests import Manifests, sort
from phalanx.secrets import Plan, SecretKey, resolve
from phalanx.values import merge

LINKS = Path(".phalanx")
"""Directory of links to the checkouts, one per environment, relative to the Pulumi project."""

BOOTSTRAPPED = frozenset({"argocd", "vault-secrets-operator"})
"""Applications that must be installed before Argo CD can deploy applications."""


@dataclass(frozen=True, kw_only=True)
class BootstrapChart:
    """A chart that must be installed before Argo CD can deploy applications."""

    path: str
    """Directory of the chart, relative to the Pulumi project. The provider loads the chart from the path in the state
    at each preview, so that the path must be the same on every machine and for every commit."""
    values: Mapping[str, Any]
    """Values that override those of the chart's ``values.yaml``; stored in clear, so none may be secret."""


@dataclass(frozen=True, kw_only=True)
class PhalanxSource:
    """An environment of a Phalanx repository at a commit."""

    checkout: Checkout
    environment: Environment
    applications: Mapping[str, Application]
    """Enabled applications by name; their values include the configured ones."""
    configured: Mapping[str, Mapping[str, Any]]
    """Configured Helm values that override those of the repository, by application."""
    manifests: Manifests
    """Argo CD Applications, with their projects and namespaces."""
    charts: Mapping[str, BootstrapChart]
    """Charts of the `BOOTSTRAPPED` applications, by application."""
    secrets: Plan
    """Secrets that ``secrets.yaml`` files declare."""
    undeclared: Mapping[SecretKey, tuple[str, ...]]
    """Secrets that are read but not declared, with their readers."""

    def values(self, name: str) -> Mapping[str, Any]:
        """Return the merged Helm values of an application; empty if it is not enabled."""
        return self.applications[name].values if name in self.applications else {}


def locate(repository: str, revision: str, name: str) -> tuple[Checkout, Environment]:
    """Check out a Phalanx repository, and read the settings of an environment.

    Args:
        repository: URL of the repository.
        revision: Branch, tag or commit.
        name: Name of the environment.

    Raises:
        PhalanxError: The repository cannot be read, or the environment is not valid.
    """
    tree = checkout.resolve(repository, revision)
    return tree, environment.load(tree.path, name)


def load(
    tree: Checkout,
    phalanx: Environment,
    configured: Mapping[str, Mapping[str, Any]],
    *,
    follow_revision: bool = False,
) -> PhalanxSource:
    """Read the applications of an environment and render its Argo CD Applications.

    Args:
        tree: The Phalanx repository.
        phalanx: The environment in it.
        configured: Helm values that override those of the repository, by application (`wiring.application_values`).
        follow_revision: Whether the Applications follow the revision, such as a branch, instead of its present commit.

    Raises:
        PhalanxError: The files of an application are not valid, or a chart cannot be rendered.
        ManifestError: The chart of the environment renders to a manifest that this program does not support.
    """
    applications = application.load_enabled(tree.path, phalanx, configured)
    plan = resolve(applications)
    rendered = render.applications(
        tree.path,
        phalanx,
        repo_url=tree.repository,
        target_revision=tree.revision if follow_revision else tree.commit,
    )
    manifests = sort(rendered)
    link = checkout.link(tree, LINKS / phalanx.name)
    # First, as it fetches dependencies of these charts, in which uses of Secrets are then found, too.
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
    environment_values = documents.read_optional_mapping(chart / f"values-{environment_name}.yaml")
    inline_values = charts.inline_values(application_manifest, configured)
    return BootstrapChart(path=str(link / "applications" / name), values=merge(environment_values, inline_values))
