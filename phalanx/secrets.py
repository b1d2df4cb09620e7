"""Plan of the secrets that an environment needs and of their origins, made without knowing any value.

Rules: ``_resolve_application`` in src/phalanx/storage/config.py and ``_resolve_secret`` in
src/phalanx/services/secrets.py of Phalanx. A secret whose condition is false does not exist. A definition's first
source in this order applies: its value unless empty, the secret that it is copied from, a generator. Without a source
the secret is static: the operator provides its value.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from phalanx.application import Application
from phalanx.definitions import SecretDefinition
from phalanx.errors import SecretsError
from phalanx.generators import GeneratorType


class SecretKey(NamedTuple):
    """Key of one value in Vault: an application's secret, and a key in it."""

    application: str
    name: str
    """Name of the key in the application's secret; it may contain dots."""

    def __str__(self) -> str:
        return f"{self.application}/{self.name}"


PULL_SECRET = SecretKey("pull-secret", ".dockerconfigjson")
"""Credentials for container registries, which belong to the environment instead of an application."""


@dataclass(frozen=True)
class Literal:
    """The definition contains the value."""

    value: str = field(repr=False)


@dataclass(frozen=True)
class Copied:
    """The value is always that of another secret."""

    source: SecretKey


@dataclass(frozen=True)
class Generated:
    """The value is generated if Vault has none (in each run if the type is `always_generated`)."""

    type: GeneratorType
    source: SecretKey | None = None
    """Secret from which the value is derived."""


@dataclass(frozen=True)
class Static:
    """The operator provides the value, in the configuration or in Vault."""


@dataclass(frozen=True)
class Wired:
    """The value comes from the infrastructure, such as the keys of the object store."""


Origin = Literal | Copied | Generated | Static | Wired


@dataclass(frozen=True, kw_only=True)
class PlannedSecret:
    """A secret that the environment needs."""

    key: SecretKey

    description: str
    """Description in secrets.yaml; may be empty for a copied secret."""

    origin: Origin

    encoded: bool = False
    """True if Phalanx's own tools store it in 1Password encoded in base64."""

    @property
    def source(self) -> SecretKey | None:
        """Secret from which it is copied or derived, if any."""
        return self.origin.source if isinstance(self.origin, Copied | Generated) else None


class Plan(Mapping[SecretKey, PlannedSecret]):
    """All secrets of an environment, each after the one from which it is copied or derived.

    Args:
        secrets: The secrets, in any order.

    Raises:
        SecretsError: Secrets depend on each other in a cycle.
    """

    def __init__(self, secrets: Iterable[PlannedSecret]) -> None:
        planned = {secret.key: secret for secret in secrets}
        try:
            order = TopologicalSorter(
                {key: [secret.source] if secret.source else [] for key, secret in sorted(planned.items())}
            ).static_order()
            self._secrets = {key: planned[key] for key in order}
        except CycleError as error:
            names = error.args[1]
            cycle = " <- ".join(str(key) for key in reversed(names))
            raise SecretsError(
                f"applications/{names[0].application}/secrets.yaml: {names[0].name}: secrets depend on each other in a "
                f"cycle: {cycle}"
            ) from None

    def __getitem__(self, key: SecretKey) -> PlannedSecret:
        return self._secrets[key]

    def __iter__(self) -> Iterator[SecretKey]:
        return iter(self._secrets)

    def __len__(self) -> int:
        return len(self._secrets)

    def by_application(self) -> dict[str, dict[str, PlannedSecret]]:
        """Group the secrets by application and key, both in alphabetical order."""
        applications: dict[str, dict[str, PlannedSecret]] = {}
        for key, secret in sorted(self.items()):
            applications.setdefault(key.application, {})[key.name] = secret
        return applications

    def unneeded(self, held: Iterable[SecretKey]) -> tuple[SecretKey, ...]:
        """List the keys in Vault that are not planned, in alphabetical order.

        Args:
            held: Keys in Vault.
        """
        return tuple(sorted(key for key in held if key not in self))

    def unresolved(self, known: Collection[SecretKey]) -> tuple[SecretKey, ...]:
        """List the secrets that cannot get a value, in alphabetical order.

        Args:
            known: Secrets with a non-empty value in the configuration or in Vault; Phalanx treats an empty value as
                missing.

        Returns:
            The static secrets that are not known, and the secrets that are copied or derived from them.
        """
        missing: set[SecretKey] = set()
        for key, secret in self.items():
            match secret.origin:
                case Literal() | Wired():
                    continue
                case Static():
                    resolved = key in known
                case Copied(source):
                    # A value of the copy itself in Vault does not count: a copy always follows its source.
                    resolved = source not in missing
                case Generated(type=generator, source=source):
                    resolved = source not in missing or (key in known and not generator.always_generated)
            if not resolved:
                missing.add(key)
        return tuple(sorted(missing))


def required(applications: Mapping[str, Application]) -> dict[SecretKey, PlannedSecret]:
    """List the secrets that an environment needs, as ``phalanx secrets list`` does.

    Their sources are not checked: several of Phalanx's own environments copy secrets from applications that they do not
    enable.

    Args:
        applications: The enabled applications, from `phalanx.application.load_enabled`.

    Raises:
        SecretsError: The conditions of both copy and generate hold for a secret.
    """
    secrets: dict[SecretKey, PlannedSecret] = {}
    problems: list[str] = []
    for application in applications.values():
        for name, definition in application.secrets.items():
            if not application.holds(definition.condition):
                continue
            key = SecretKey(application.name, name)
            try:
                secrets[key] = PlannedSecret(
                    key=key,
                    description=definition.description or "",
                    origin=_origin(application, key, definition),
                    encoded=definition.onepassword.encoded,
                )
            except SecretsError as error:
                problems.extend(error.problems)
    if problems:
        raise SecretsError(*problems)
    return secrets


def resolve(applications: Mapping[str, Application]) -> Plan:
    """Plan the origin of each secret of an environment.

    Args:
        applications: The enabled applications, from `phalanx.application.load_enabled`.

    Raises:
        SecretsError: As for `required`; or a secret has a source that is not enabled or does not exist, all of them
            reported together; or secrets depend on each other in a cycle.
    """
    secrets = required(applications)
    problems = [
        f"{applications[secret.key.application].definition_of(secret.key.name)}: "
        f"{_missing_source(secret.key, secret.source, applications)}"
        for secret in secrets.values()
        if secret.source and secret.source not in secrets
    ]
    if problems:
        raise SecretsError(*problems)
    return Plan(secrets.values())


def _origin(application: Application, key: SecretKey, definition: SecretDefinition) -> Origin:
    copied = definition.copy_rule
    if copied and not application.holds(copied.condition):
        copied = None
    generated = definition.generate
    if generated and not application.holds(generated.condition):
        generated = None
    if copied and generated:
        raise SecretsError(f"{application.definition_of(key.name)}: the conditions of copy and generate are both true")

    if definition.value:
        return Literal(definition.value)
    if copied:
        return Copied(SecretKey(copied.application, copied.key))
    if generated:
        source = SecretKey(application.name, generated.source) if generated.source else None
        return Generated(generated.type, source)
    return Static()


def _missing_source(key: SecretKey, source: SecretKey, applications: Mapping[str, Application]) -> str:
    if source.application not in applications:
        return (
            f"is copied from {source}, but the application {source.application} is not enabled: "
            f"enable it, or disable the feature of {key.application} that needs the secret"
        )
    application = applications[source.application]
    if source.name in application.secrets:
        condition = application.secrets[source.name].condition
        return f"depends on {source}, which does not exist because {condition} is false in {source.application}"
    return f"depends on {source}, which the application {source.application} does not define"
