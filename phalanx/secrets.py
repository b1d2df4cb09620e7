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
    """Address of one value in Vault: an application's secret, and a key in it, which may contain dots."""

    application: str
    key: str

    def __str__(self) -> str:
        return f"{self.application}/{self.key}"


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

    at: SecretKey

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
        planned = {secret.at: secret for secret in secrets}
        try:
            order = TopologicalSorter(
                {at: [secret.source] if secret.source else [] for at, secret in sorted(planned.items())}
            ).static_order()
            self._secrets = {at: planned[at] for at in order}
        except CycleError as error:
            names = error.args[1]
            cycle = " <- ".join(str(at) for at in reversed(names))
            raise SecretsError(
                f"applications/{names[0].application}/secrets.yaml: {names[0].key}: secrets depend on each other in a "
                f"cycle: {cycle}"
            ) from None

    def __getitem__(self, at: SecretKey) -> PlannedSecret:
        return self._secrets[at]

    def __iter__(self) -> Iterator[SecretKey]:
        return iter(self._secrets)

    def __len__(self) -> int:
        return len(self._secrets)

    def by_application(self) -> dict[str, dict[str, PlannedSecret]]:
        """Group the secrets by application and key, both in alphabetical order."""
        applications: dict[str, dict[str, PlannedSecret]] = {}
        for (application, key), secret in sorted(self.items()):
            applications.setdefault(application, {})[key] = secret
        return applications

    def unneeded(self, held: Iterable[SecretKey]) -> tuple[SecretKey, ...]:
        """List the keys in Vault that are not planned, in alphabetical order.

        Args:
            held: Keys in Vault.
        """
        return tuple(sorted(at for at in held if at not in self))

    def unresolved(self, known: Collection[SecretKey]) -> tuple[SecretKey, ...]:
        """List the secrets that cannot get a value, in alphabetical order.

        Args:
            known: Secrets with a non-empty value in the configuration or in Vault; Phalanx treats an empty value as
                missing.

        Returns:
            The static secrets that are not known, and the secrets that are copied or derived from them.
        """
        missing: set[SecretKey] = set()
        for at, secret in self.items():
            match secret.origin:
                case Literal() | Wired():
                    continue
                case Static():
                    resolved = at in known
                case Copied(source):
                    # A value of the copy itself in Vault does not count: a copy always follows its source.
                    resolved = source not in missing
                case Generated(type=generator, source=source):
                    resolved = source not in missing or (at in known and not generator.always_generated)
            if not resolved:
                missing.add(at)
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
        for key, definition in application.secrets.items():
            if not application.holds(definition.condition):
                continue
            at = SecretKey(application.name, key)
            try:
                secrets[at] = PlannedSecret(
                    at=at,
                    description=definition.description or "",
                    origin=_origin(application, at, definition),
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
        f"{applications[secret.at.application].definition_of(secret.at.key)}: "
        f"{_missing_source(secret.at, secret.source, applications)}"
        for secret in secrets.values()
        if secret.source and secret.source not in secrets
    ]
    if problems:
        raise SecretsError(*problems)
    return Plan(secrets.values())


def _origin(application: Application, at: SecretKey, definition: SecretDefinition) -> Origin:
    copied = definition.copy_rule
    if copied and not application.holds(copied.condition):
        copied = None
    generated = definition.generate
    if generated and not application.holds(generated.condition):
        generated = None
    if copied and generated:
        raise SecretsError(f"{application.definition_of(at.key)}: the conditions of copy and generate are both true")

    if definition.value:
        return Literal(definition.value)
    if copied:
        return Copied(SecretKey(copied.application, copied.key))
    if generated:
        source = SecretKey(application.name, generated.source) if generated.source else None
        return Generated(generated.type, source)
    return Static()


def _missing_source(at: SecretKey, source: SecretKey, applications: Mapping[str, Application]) -> str:
    if source.application not in applications:
        return (
            f"is copied from {source}, but the application {source.application} is not enabled: "
            f"enable it, or disable the feature of {at.application} that needs the secret"
        )
    application = applications[source.application]
    if source.key in application.secrets:
        condition = application.secrets[source.key].condition
        return f"depends on {source}, which does not exist because {condition} is false in {source.application}"
    return f"depends on {source}, which the application {source.application} does not define"
