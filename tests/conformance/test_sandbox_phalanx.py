"""The sandbox's own Phalanx repository has the same structure as the real one."""

from pathlib import Path

import pytest

from phalanx import application, environment, render, resource_uses, secret_additions, secrets, undeclared
from phalanx.secrets import Plan, SecretKey, Static

ROOT = Path(__file__).parents[2] / "sandbox" / "phalanx"


@pytest.mark.usefixtures("helm")
def test_undeclared_secrets_are_found() -> None:
    found = environment.load(ROOT, "sandbox")
    declared = secrets.resolve(application.load_enabled(ROOT, found))
    manifests = render.applications(ROOT, found, repo_url="https://example.org/phalanx.git", target_revision="main")
    extra = undeclared.find(resource_uses.find_all(ROOT, manifests), found.vault_path_prefix, declared)
    assert extra == {
        SecretKey("postgres", "jupyterhub_password"): ("postgres: Deployment/postgres",),
        SecretKey("tap", "AWS_ACCESS_KEY_ID"): ("tap: Deployment/cadc-tap",),
        SecretKey("tap", "AWS_SECRET_ACCESS_KEY"): ("tap: Deployment/cadc-tap",),
    }
    # With these, only declared static secrets have to be provided by the operator.
    plan = Plan([*declared.values(), *secret_additions.plan_undeclared(found.enabled_applications, extra)])
    assert plan.unresolved([key for key, secret in declared.items() if isinstance(secret.origin, Static)]) == ()


@pytest.mark.usefixtures("helm")
def test_every_enabled_application_is_rendered() -> None:
    found = environment.load(ROOT, "sandbox")
    manifests = render.applications(ROOT, found, repo_url="https://example.org/phalanx.git", target_revision="main")
    names = sorted(manifest["metadata"]["name"] for manifest in manifests if manifest["kind"] == "Application")
    assert names == list(found.enabled_applications)
