"""Packages import only lower layers; no package imports `sandbox`."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = {
    "config": {"config", "phalanx"},
    "phalanx": {"phalanx"},
    "wiring": {"wiring", "phalanx", "config"},
    "probes": {"probes", "phalanx", "config"},
    "recovery": {"recovery", "probes", "phalanx", "config"},
    "review": {"review", "phalanx"},
    "diagram": {"diagram", "phalanx", "config"},
    "dashboard": {"dashboard", "probes", "phalanx"},
    "operations": {"operations", "dashboard", "diagram", "review", "recovery", "probes", "wiring", "phalanx", "config"},
    "components": {"components", "wiring", "phalanx", "config"},
    "program": {"program", "components", "recovery", "probes", "wiring", "phalanx", "config"},
    "__main__.py": {"program", "components", "probes", "wiring", "phalanx", "config"},
    "vault/__main__.py": {"program", "components", "probes", "config"},
}
"""Packages that a package, or a project's program, may import."""
PACKAGES = {*ALLOWED, "benchmarks", "sandbox", "tests"}
WITHOUT_PULUMI = ("phalanx", "wiring", "probes", "review", "diagram", "dashboard")
SDKS_OF_THE_PROGRAM = {"pulumi", "pulumi_kubernetes", "pulumi_openstack", "pulumi_vault"}


def imported(path: Path) -> Iterator[str]:
    """Yield the top-level names of all imports in a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]


def modules(package: str) -> list[Path]:
    path = ROOT / package
    found = [path] if path.is_file() else sorted(path.rglob("*.py"))
    assert found, package
    return found


@pytest.mark.parametrize("package", ALLOWED)
def test_a_package_imports_lower_layers_only(package: str) -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in imported(path)
        if name in PACKAGES - ALLOWED[package]
    }
    assert wrong == set()


@pytest.mark.parametrize("package", WITHOUT_PULUMI)
def test_packages_without_pulumi_do_not_import_it(package: str) -> None:
    assert not {str(path) for path in modules(package) if SDKS_OF_THE_PROGRAM & set(imported(path))}


def test_only_the_loader_reads_pulumi_configuration() -> None:
    using = [path.name for path in modules("config") if SDKS_OF_THE_PROGRAM & set(imported(path))]
    assert using == ["loader.py"]
    readers = {
        str(path.relative_to(ROOT))
        for package in ALLOWED.keys() - {"config", "__main__.py", "vault/__main__.py"}
        for path in modules(package)
        if "pulumi.Config(" in path.read_text()
    }
    assert readers == set()


def test_components_have_annotations_at_run_time() -> None:
    # Pulumi's component host reads annotations at run time.
    assert not [path.name for path in modules("components") if "from __future__ import annotations" in path.read_text()]
