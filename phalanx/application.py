"""An application as an environment has it: its merged Helm values and its secret definitions."""

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
    """``values.yaml`` under ``values-<environment>.yaml``, under what the caller lays over them."""

    secrets: Mapping[str, SecretDefinition] = field(default_factory=dict)
    """Definitions by key (keys contain dots), whatever their conditions: ``secrets.yaml``, of which each key that
    ``secrets-<environment>.yaml`` has is replaced as a whole."""

    def holds(self, condition: str | None) -> bool:
        """Tell whether a condition of one of its secrets holds; none always does."""
        return not condition or is_true(self.values, condition)


def load(root: Path, environment: str, name: str, overrides: Mapping[str, Any] | None = None) -> Application:
    """Load an application.

    Args:
        root: Directory of the checkout.
        environment: Name of the environment whose settings count.
        name: Name of the application.
        overrides: Helm values over those of the checkout.

    Raises:
        PhalanxError: The checkout has no such application, or one of its files is malformed; all problems of its
            secret definitions at once.
    """
    directory = root / "applications" / name
    if not directory.is_dir():
        raise PhalanxError(
            f"The environment {environment} enables the application {name}, but the Phalanx repository has no "
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
            secrets[_text(key, where)] = validate(SecretDefinition, definition, where)
        except PhalanxError as error:
            problems.extend(error.problems)
    if problems:
        raise PhalanxError(*problems)
    return Application(name=name, values=values, secrets=secrets)


def load_enabled(
    root: Path, environment: Environment, overrides: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Application]:
    """Load every application that an environment enables, by name in alphabetical order.

    Args:
        root: Directory of the checkout.
        environment: The environment.
        overrides: By application, Helm values over those of the checkout.

    Raises:
        PhalanxError: See `load`; the problems of all applications at once.
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


def _text(key: Any, where: str) -> str:
    if not isinstance(key, str):
        raise PhalanxError(f"{where}: YAML takes this key for a {type(key).__name__}: quote it")
    return key
