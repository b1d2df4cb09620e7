"""All that the program reads from a Phalanx repository: applications, secrets, rendered Argo CD Applications."""

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
"""Where, in the project, a link for each environment leads to its checkout."""

BOOTSTRAPPED = frozenset({"argocd", "vault-secrets-operator"})
"""Applications that must be installed before Argo CD can deploy any."""


@dataclass(frozen=True, kw_only=True)
class BootstrapChart:
    """A chart that must be installed before Argo CD can deploy anything."""

    path: str
    """Directory of the chart. The provider loads it from the recorded path at each preview, so it must be the same on
    every machine and for every commit: relative to the project."""
    values: Mapping[str, Any]
    """Values over those of the chart's own ``values.yaml``. They are kept in clear: none is secret."""


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


def locate(repository: str, revision: str, name: str) -> tuple[Checkout, Environment]:
    """Check out a Phalanx repository, and read an environment of it.

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
        configured: Helm values to merge over those of the repository, by application (`wiring.application_values`).
        follow_revision: Whether Applications name the revision, such as a branch, instead of its present commit.

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
        target_revision=tree.revision if follow_revision else tree.commit,
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
