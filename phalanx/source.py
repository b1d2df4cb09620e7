"""Everything that the program reads from a Phalanx repository: applications, secrets, Argo CD Applications."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from phalanx import (
    application,
    chart_checks,
    charts,
    checkout,
    custom_resources,
    documents,
    environment,
    labs,
    lint,
    render,
    resource_uses,
    sign_in,
    undeclared,
)
from phalanx.application import Application
from phalanx.checkout import Checkout
from phalanx.claims import Claim
from phalanx.environment import Environment
from phalanx.errors import PhalanxError, Problems
from phalanx.git_credentials import Credentials
from phalanx.manifests import Manifests, sort
from phalanx.secrets import Plan, SecretKey, resolve
from phalanx.values import is_true, merge

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
    other_checkouts: Mapping[str, Checkout] = field(default_factory=dict)
    """Checkouts of the applications that are deployed from another revision than the environment's, by application."""
    manifests: Manifests
    """Argo CD Applications, with their projects and namespaces. Each is at the commit of its checkout."""
    charts: Mapping[str, BootstrapChart]
    """Charts of the `BOOTSTRAPPED` applications, by application."""
    secrets: Plan
    """Secrets that ``secrets.yaml`` files declare."""
    undeclared: Mapping[SecretKey, tuple[str, ...]]
    """Secrets that are read but not declared, with their readers."""
    read: Collection[SecretKey] = ()
    """Secrets that pods read by their key, declared or not."""
    unfilled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Secrets in Vault, by name, that VaultSecrets read although no value of them is planned, with the pods that do
    not start without them."""
    claims: Sequence[Claim] = ()
    """PersistentVolumeClaims of the charts in the repository."""
    warnings: Sequence[str] = ()
    """Settings without the intended effect; each starts with file and key."""

    def checkout_of(self, name: str) -> Checkout:
        """Return the checkout from which an application is deployed."""
        return self.other_checkouts.get(name, self.checkout)

    def values(self, name: str) -> Mapping[str, Any]:
        """Return the merged Helm values of an application; empty if it is not enabled."""
        return self.applications[name].values if name in self.applications else {}


def locate(
    repository: str, revision: str, name: str, credentials: Credentials | None = None
) -> tuple[Checkout, Environment]:
    """Check out a Phalanx repository, and read the settings of an environment.

    Args:
        repository: URL of the repository.
        revision: Branch, tag or commit.
        name: Name of the environment.
        credentials: Credentials of a private repository.

    Raises:
        PhalanxError: The repository cannot be read, or the environment is not valid.
    """
    tree = checkout.resolve(repository, revision, credentials=credentials)
    return tree, environment.load(tree.path, name)


Check = Callable[[Environment, Mapping[str, Application]], Iterable[str]]
"""Returns what the stack's configuration requires of an environment's applications and is not met, one message each."""


def load(  # noqa: PLR0913 - all that determines the result
    tree: Checkout,
    phalanx: Environment,
    configured: Mapping[str, Mapping[str, Any]],
    check: Check,
    *,
    revisions: Mapping[str, str] | None = None,
    bootstrap: bool = True,
    kubernetes: Collection[str] = (),
) -> PhalanxSource:
    """Read the applications of an environment and render its Argo CD Applications.

    Args:
        tree: The Phalanx repository.
        phalanx: The environment in it.
        configured: Helm values that override those of the repository, by application (`wiring.application_values`).
        check: Requirements of the configuration.
        revisions: Configured revisions of individual applications, which override those of the environment.
        bootstrap: Whether to prepare the charts of the `BOOTSTRAPPED` applications, which may need the network.
        kubernetes: Kubernetes releases of the clusters, such as v1.36.3, which charts must support; empty for any.

    Raises:
        PhalanxError: The files of an application are not valid, a requirement is not met, or a chart cannot be
            rendered. All problems that need no rendering are reported together.
    """
    problems = Problems()
    problems.found.extend(_missing_bootstrapped(phalanx))
    trees: Mapping[str, Checkout] = {}
    with problems.collected():
        trees = other_revisions(tree, phalanx, revisions or {})
    roots = {name: other.path for name, other in trees.items()}
    plan = Plan([])
    applications: dict[str, Application] = {}
    with problems.collected():
        applications = application.load_enabled(tree.path, phalanx, configured, roots)
        problems.found.extend(check(phalanx, applications))
        problems.found.extend(_missing_database(phalanx, applications))
        problems.found.extend(_contradictions(applications))
        for name in applications:
            problems.found.extend(chart_checks.problems(roots.get(name, tree.path), name, kubernetes))
        plan = resolve(applications)
    problems.report()
    rendered = render.applications(
        tree.path,
        phalanx,
        repo_url=tree.repository,
        target_revision=tree.commit,
        revisions={name: other.commit for name, other in trees.items()},
    )
    manifests = sort(rendered)
    _check_rendered(phalanx, manifests, {name: other for name, other in trees.items() if name not in (revisions or {})})
    _check_values_files(tree, manifests, trees)
    # First, as it fetches dependencies of these charts, in which uses of Secrets are then found, too.
    bootstrapped = {
        name: _bootstrap_chart(tree, trees.get(name), phalanx.name, manifests.applications[name], configured.get(name))
        for name in (BOOTSTRAPPED if bootstrap else ())
    }
    uses = resource_uses.find_all(tree.path, rendered, configured, roots)
    undefined = custom_resources.undefined((one for each in uses for one in each.custom_resources), phalanx)
    problems.found.extend(undefined)
    problems.report()
    return PhalanxSource(
        checkout=tree,
        environment=phalanx,
        applications=applications,
        configured=configured,
        other_checkouts=trees,
        manifests=manifests,
        charts=bootstrapped,
        secrets=plan,
        undeclared=undeclared.find(uses, phalanx.vault_path_prefix, plan),
        read=frozenset(undeclared.reads(uses, phalanx.vault_path_prefix)),
        unfilled=undeclared.unfilled(uses, phalanx.vault_path_prefix, plan),
        claims=[claim for each in uses for claim in each.claims],
        warnings=lint.check(tree.path, phalanx, applications, roots),
    )


def _missing_bootstrapped(phalanx: Environment) -> list[str]:
    reasons = {
        "argocd": "this program deploys all applications with it",
        "vault-secrets-operator": "this program creates the cluster, so no other operator there reads the "
        "applications' secrets from Vault",
    }
    return [
        f"environments/values-{phalanx.name}.yaml: applications.{name}: is false or missing, expected true: {reason}"
        for name, reason in reasons.items()
        if name not in phalanx.enabled_applications
    ]


def _missing_database(phalanx: Environment, applications: Mapping[str, Application]) -> Iterator[str]:
    """Yield a problem for each application that keeps its data in the application postgres, if that is not enabled."""
    for name, setting in (("gafaelfawr", "config.internalDatabase"), ("nublado", "hub.internalDatabase")):
        if "postgres" not in applications and name in applications and is_true(applications[name].values, setting):
            yield (
                f"environments/values-{phalanx.name}.yaml: applications.postgres: is false or missing, expected true: "
                f"{setting} is true in {applications[name].file_of(*setting.split('.'))}"
            )


def _contradictions(applications: Mapping[str, Application]) -> Iterator[str]:
    """Yield the values with which an application would not start."""
    if "gafaelfawr" in applications:
        yield from sign_in.contradictions(applications["gafaelfawr"])
    if "nublado" in applications:
        yield from labs.contradictions(applications["nublado"])


def other_revisions(tree: Checkout, phalanx: Environment, configured: Mapping[str, str]) -> dict[str, Checkout]:
    """Check out the revisions of applications that are not deployed from the environment's own.

    Args:
        tree: The Phalanx repository.
        phalanx: The environment in it.
        configured: Configured revisions of individual applications, which override those of the environment.

    Returns:
        Their checkouts, by application.

    Raises:
        CheckoutError: A revision cannot be read; the problems of all together.
    """
    found: dict[str, Checkout] = {}
    problems = Problems()
    for name, revision in {**phalanx.revisions, **configured}.items():
        if name not in phalanx.enabled_applications:
            continue  # A check of the configuration, or of the environment, reports it.
        key = f"environments/values-{phalanx.name}.yaml: revisions.{name}"
        if name in configured:
            key = f"rsp:applications.overrides.{name}.revision"
        with problems.collected():
            found[name] = checkout.resolve(tree.repository, revision, key, credentials=tree.credentials)
    problems.report()
    return found


def _check_rendered(phalanx: Environment, manifests: Manifests, trees: Mapping[str, Checkout]) -> None:
    """Check that each enabled application is rendered, from its own revision.

    Raises:
        PhalanxError: The chart of the environment does not deploy what the environment asks for.
    """
    where = f"environments/values-{phalanx.name}.yaml"
    problems = [
        f"{where}: applications.{name}: is true, but no file in environments/templates renders an Application {name}"
        for name in phalanx.enabled_applications
        if name not in manifests.applications
    ] + [
        f"{where}: revisions.{name}: {tree.revision!r} has no effect: the templates of this revision of Phalanx do not "
        "support revisions of applications; remove it"
        for name, tree in trees.items()
        if name in manifests.applications
        and manifests.applications[name]["spec"]["source"]["targetRevision"] != tree.commit
    ]
    if problems:
        raise PhalanxError(*problems)


def _check_values_files(tree: Checkout, manifests: Manifests, trees: Mapping[str, Checkout]) -> None:
    """Check that the values files of each Application exist.

    Raises:
        PhalanxError: Some do not, so that Argo CD cannot render the charts.
    """
    problems = [
        problem
        for name, manifest in manifests.applications.items()
        for problem in _missing_values_files(trees.get(name, tree).path, manifest)
    ]
    if problems:
        raise PhalanxError(*problems)


def _missing_values_files(root: Path, application_manifest: charts.Manifest) -> list[str]:
    name, source = application_manifest["metadata"]["name"], application_manifest["spec"]["source"]
    settings, chart = source.get("helm", {}), root / source["path"]
    if settings.get("ignoreMissingValueFiles") or not chart.is_dir():
        return []
    return [
        f"{source['path']}/{file}: does not exist, but the Application {name} reads it, so Argo CD cannot deploy "
        "it: create the file; it may be empty"
        for file in settings.get("valueFiles", ())
        if not (chart / file).exists()
    ]


def _bootstrap_chart(
    tree: Checkout,
    own_tree: Checkout | None,
    environment_name: str,
    application_manifest: charts.Manifest,
    configured: Mapping[str, Any] | None,
) -> BootstrapChart:
    name = application_manifest["metadata"]["name"]
    link = LINKS / (f"{environment_name}-{name}" if own_tree else environment_name)
    tree = own_tree or tree
    checkout.link(tree, link)
    chart = charts.vendor(tree.path, name)
    environment_values = documents.read_optional_mapping(chart / f"values-{environment_name}.yaml", tree.path)
    inline_values = charts.inline_values(application_manifest, configured)
    return BootstrapChart(path=str(link / "applications" / name), values=merge(environment_values, inline_values))
