"""A Phalanx application in an environment: its merged Helm values and its secret definitions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from phalanx.definitions import SecretDefinition
from phalanx.documents import read_optional_mapping, validate
from phalanx.environment import Environment
from phalanx.errors import PhalanxError
from phalanx.values import is_true, merge


@dataclass(frozen=True, kw_only=True)
class Application:
    """An application of a checkout with the settings of one environment."""

    name: str

    values: Mapping[str, Any]
    """Helm values: ``values.yaml``, overridden by ``values-<environment>.yaml``, then by the caller's values."""

    secrets: Mapping[str, SecretDefinition] = field(default_factory=dict)
    """Definitions by key, including those whose condition is false; keys may contain dots. A definition in
    ``secrets-<environment>.yaml`` replaces the whole definition of that key in ``secrets.yaml``."""

    def holds(self, condition: str | None) -> bool:
        """Evaluate a condition of one of its secrets; a missing condition is true."""
        return not condition or is_true(self.values, condition)


def load(root: Path, environment: str, name: str, overrides: Mapping[str, Any] | None = None) -> Application:
    """Load an application.

    Args:
        root: Directory of the checkout.
        environment: Name of the environment whose settings apply.
        name: Name of the application.
        overrides: Helm values that override those of the checkout.

    Raises:
        PhalanxError: The checkout has no such application, or one of its files is malformed; all problems of its
            secret definitions are reported together.
    """
    directory = root / "applications" / name
    if not directory.is_dir():
        raise PhalanxError(
            f"The environment {environment} enables the application {name}, but its Phalanx repository has no "
            f"applications/{name}"
        )
    values = merge(
        read_optional_mapping(directory / "values.yaml"),
        read_optional_mapping(directory / f"values-{environment}.yaml"),
    )
    values = merge(values, overrides or {})
    definitions = read_optional_mapping(directory / "secrets.yaml")
    overrides = read_optional_mapping(directory / f"secrets-{environment}.yaml")
    files = dict.fromkeys(definitions, "secrets.yaml") | dict.fromkeys(overrides, f"secrets-{environment}.yaml")

    secrets: dict[str, SecretDefinition] = {}
    problems: list[str] = []
    for key, definition in (definitions | overrides).items():
        where = f"applications/{name}/{files[key]}: {key}"
        try:
            secrets[_require_text(key, where)] = validate(SecretDefinition, definition, where)
        except PhalanxError as error:
            problems.extend(error.problems)
    if problems:
        raise PhalanxError(*problems)
    return Application(name=name, values=values, secrets=secrets)


def load_enabled(
    root: Path, environment: Environment, overrides: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Application]:
    """Load all applications that an environment enables, by name in alphabetical order.

    Args:
        root: Directory of the checkout.
        environment: The environment.
        overrides: Helm values that override those of the checkout, by application.

    Raises:
        PhalanxError: As for `load`; the problems of all applications are reported together.
    """
    applications: dict[str, Application] = {}
    problems: list[str] = []
    for name in environment.enabled_applications:
        try:
            applications[name] = load(root, environment.name, name, (overrides or {}).get(name))
        except PhalanxError as error:
            problems.extend(error.problems)
    if problems:
        raise PhalanxError(*problems)
    return applications


def _require_text(key: Any, where: str) -> str:
    if not isinstance(key, str):
        raise PhalanxError(f"{where}: YAML reads this key as {type(key).__name__}, expected text: put it in quotes")
    return key
