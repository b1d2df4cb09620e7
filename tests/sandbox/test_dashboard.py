"""The dashboard in a real browser, with a real platform behind it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from kubernetes import client
from playwright.sync_api import Browser, Page, sync_playwright

from sandbox import paths
from sandbox.cloud import packages
from tests.sandbox.program import Program

BROKEN: Final = "dashboard"
TIMEOUT: Final = 180_000
"""Milliseconds to wait for what the clouds have to answer."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield a browser, which is installed first if necessary."""
    packages.install(lambda _: None, packages.OF_TESTS)
    with sync_playwright() as playwright:
        # Chromium refuses its own sandbox to root.
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium-headless-shell", chromium_sandbox=False, timeout=TIMEOUT
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def dashboard(program: Program) -> Iterator[subprocess.Popen[str]]:
    """Yield the running command, whose output begins with its URL."""
    command = ("dashboard", f"--stack={program.stack}", "--port=0", "--interval=10")
    with subprocess.Popen(
        (sys.executable, "-m", "operations", *command), cwd=paths.CHECKOUT, text=True, stdout=subprocess.PIPE
    ) as process:
        yield process
        process.kill()


def test_a_broken_application_is_shown_with_what_to_do(
    dashboard: subprocess.Popen[str], browser: Browser, kubernetes: client.ApiClient
) -> None:
    assert dashboard.stdout
    url = dashboard.stdout.readline().split()[0]
    asked: list[str] = []
    complaints: list[str] = []
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    with _application_without_files(kubernetes):
        page.goto(url)
        broken = page.locator("article.critical", has_text=f"application {BROKEN}")
        broken.wait_for(timeout=TIMEOUT)
        assert f"kubectl -n argocd get application {BROKEN} -o yaml" in broken.locator(".remedy").inner_text()
        assert _color(page, f"article.critical:has-text('application {BROKEN}') .state") == "rgb(185, 28, 28)"
        in_cluster = {each["metadata"]["name"] for each in _applications(kubernetes)}
        assert {BROKEN, "nublado"} < in_cluster
        assert set(page.locator("#applications + table tbody th").all_inner_texts()) == in_cluster
    page.wait_for_function("document.querySelector('img')?.naturalWidth > 500", timeout=TIMEOUT)
    assert "kubeconfig" in page.locator("#expiries + table").inner_text()
    assert "v1." in page.locator("#versions + table").inner_text()
    # The page refreshes itself.
    broken.wait_for(state="detached", timeout=TIMEOUT)
    _is_readable(page)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 360, "height": 740})
    assert _color(page, "body", "background-color") == "rgb(17, 24, 39)"
    _is_readable(page)
    assert {each.startswith(url) for each in asked} == {True}
    assert complaints == []
    # Without the command, the last answer remains.
    dashboard.kill()
    page.locator("#lost").wait_for(timeout=TIMEOUT)
    assert "nublado" in page.locator("#applications + table").inner_text()
    page.close()


def _is_readable(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def _color(page: Page, selector: str, name: str = "color") -> str:
    element = page.locator(selector).first
    return str(element.evaluate("(element, name) => getComputedStyle(element).getPropertyValue(name)", name))


def _applications(api: client.ApiClient) -> list[dict[str, Any]]:
    listed: Any = client.CustomObjectsApi(api).list_namespaced_custom_object(**_KIND)
    found: list[dict[str, Any]] = listed["items"]
    return found


@contextmanager
def _application_without_files(api: client.ApiClient) -> Iterator[None]:
    """Create an Application that Argo CD cannot render, so that it deploys nothing."""
    custom = client.CustomObjectsApi(api)
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": BROKEN},
        "spec": {
            "project": "default",
            "source": {"repoURL": f"file://{paths.GIT}", "targetRevision": "main", "path": "absent"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": BROKEN},
        },
    }
    custom.create_namespaced_custom_object(**_KIND, body=body)
    try:
        yield
    finally:
        custom.delete_namespaced_custom_object(**_KIND, name=BROKEN)


_KIND: Final[Any] = {
    "group": "argoproj.io",
    "version": "v1alpha1",
    "namespace": "argocd",
    "plural": "applications",
}
