"""Imports go one way: components -> config, phalanx; operations -> config, phalanx; nothing -> sandbox."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"components", "config", "operations", "phalanx", "sandbox", "tests"}

ALLOWED = {
    "components": {"components", "config", "phalanx"},
    "config": {"config"},
    "operations": {"config", "operations", "phalanx"},
    "phalanx": {"phalanx"},
}
SDKS_OF_THE_PROGRAM = {"pulumi", "pulumi_kubernetes", "pulumi_openstack", "pulumi_vault"}


def imported(path: Path) -> Iterator[str]:
    """The packages that a module imports at any place, by their first name."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]


def modules(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert found, package
    return found


@pytest.mark.parametrize("package", ALLOWED)
def test_a_layer_imports_only_what_is_below(package: str) -> None:
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(package)
        for name in imported(path)
        if name in PACKAGES - ALLOWED[package]
    }
    assert wrong == set()


def test_what_phalanx_says_is_known_without_pulumi() -> None:
    assert not {str(path) for path in modules("phalanx") if SDKS_OF_THE_PROGRAM & set(imported(path))}


def test_only_the_loader_reads_pulumi_configuration() -> None:
    using = [path.name for path in modules("config") if SDKS_OF_THE_PROGRAM & set(imported(path))]
    assert using == ["loader.py"]
    readers = {
        str(path.relative_to(ROOT))
        for package in ("components", "operations", "phalanx")
        for path in modules(package)
        if "pulumi.Config(" in path.read_text()
    }
    assert readers == set()


def test_components_keep_their_annotations() -> None:
    # Pulumi's component host reads them at run time.
    assert not [path.name for path in modules("components") if "from __future__ import annotations" in path.read_text()]
