"""A Phalanx application in an environment: its merged Helm values and its secret definitions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from phalanx.definitions import SecretDefinition
from phalanx.documents import kind, read_optional_mapping, validate
from phalanx.environment import Environment
from phalanx.errors import PhalanxError, Problems
from phalanx.values import is_set, is_true, merge


@dataclass(frozen=True, kw_only=True)
class Application:
    """An application of a checkout with the settings of one environment."""

    name: str

    values: Mapping[str, Any]
    """Helm values: ``values.yaml``, overridden by ``values-<environment>.yaml``, then by the caller's values."""

    secrets: Mapping[str, SecretDefinition] = field(default_factory=dict)
    """Definitions by key, including those whose condition is false; keys may contain dots. A definition in
    ``secrets-<environment>.yaml`` replaces the whole definition of that key in ``secrets.yaml``."""

    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Helm values of each values file, by path in the checkout, in order of increasing precedence."""

    own_secrets: frozenset[str] = frozenset()
    """Keys that ``secrets-<environment>.yaml`` defines."""

    environment: str = ""
    """Name of the environment."""

    def definition_of(self, key: str) -> str:
        """Return the file and key of a secret's definition, for error messages."""
        file = f"secrets-{self.environment}.yaml" if key in self.own_secrets else "secrets.yaml"
        return f"applications/{self.name}/{file}: {key}"

    def file_of(self, *keys: str) -> str:
        """Return the values file that sets a value, as a path in the checkout; the last one if none does.

        Args:
            keys: Keys from the root of the values to the value.
        """
        names = list(self.files) or [f"applications/{self.name}/values.yaml"]
        return next((name for name in reversed(names) if is_set(self.files.get(name, {}), keys)), names[-1])

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
            f"environments/values-{environment}.yaml: applications.{name}: is true, but the Phalanx repository has no "
            f"directory applications/{name}"
        )
    problems = Problems()
    read: dict[str, dict[str, Any]] = {}
    for file in ("values.yaml", f"values-{environment}.yaml", "secrets.yaml", f"secrets-{environment}.yaml"):
        read[file] = {}
        with problems.collected():
            read[file] = read_optional_mapping(directory / file, root)
    values, own_values, definitions, own_definitions = read.values()
    secrets: dict[str, SecretDefinition] = {}
    for key, definition in (definitions | own_definitions).items():
        file = f"secrets-{environment}.yaml" if key in own_definitions else "secrets.yaml"
        where = f"applications/{name}/{file}: {key}"
        with problems.collected():
            secrets[_require_text(key, where)] = validate(SecretDefinition, definition, where)
    problems.report()
    return Application(
        name=name,
        values=merge(merge(values, own_values), overrides or {}),
        secrets=secrets,
        own_secrets=frozenset(own_definitions),
        environment=environment,
        files={f"applications/{name}/{file}": read[file] for file in ("values.yaml", f"values-{environment}.yaml")},
    )


def load_enabled(
    root: Path,
    environment: Environment,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    roots: Mapping[str, Path] | None = None,
) -> dict[str, Application]:
    """Load all applications that an environment enables, by name in alphabetical order.

    Args:
        root: Directory of the checkout.
        environment: The environment.
        overrides: Helm values that override those of the checkout, by application.
        roots: Directories of the checkouts of applications that are deployed from another revision, by application.

    Raises:
        PhalanxError: As for `load`; the problems of all applications are reported together.
    """
    applications: dict[str, Application] = {}
    problems = Problems()
    for name in environment.enabled_applications:
        with problems.collected():
            applications[name] = load(
                (roots or {}).get(name, root), environment.name, name, (overrides or {}).get(name)
            )
    problems.report()
    return applications


def _require_text(key: Any, where: str) -> str:
    if not isinstance(key, str):
        raise PhalanxError(f"{where}: YAML reads this key as {kind(key)}, expected text: put it in quotes")
    return key
