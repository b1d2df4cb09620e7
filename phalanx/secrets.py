"""Which secrets an environment needs, and where each comes from: a plan, made without knowing any value.

Rules: ``_resolve_application`` in src/phalanx/storage/config.py and ``_resolve_secret`` in
src/phalanx/services/secrets.py. A secret whose condition is false does not exist. Of the sources that a definition
has, the first of these counts: its own value unless empty, the secret that it is copied from, a generator; without
any it is static, and a person must give it.
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
    """One value in Vault: the secret of an application, and a key in it, which may contain dots."""

    application: str
    key: str

    def __str__(self) -> str:
        return f"{self.application}/{self.key}"


@dataclass(frozen=True)
class Literal:
    """The definition itself has the value."""

    value: str = field(repr=False)


@dataclass(frozen=True)
class Copied:
    """It has the value of another secret, always."""

    source: SecretKey


@dataclass(frozen=True)
class Generated:
    """It is generated when Vault has no value yet (at each run if the type is `always_generated`)."""

    type: GeneratorType
    source: SecretKey | None = None
    """The secret that it tells of, which is never empty."""


@dataclass(frozen=True)
class Static:
    """A person gives it, or Vault has it already."""


@dataclass(frozen=True)
class Wired:
    """The infrastructure has it: no person, and nothing in the Phalanx repository."""


Origin = Literal | Copied | Generated | Static | Wired


@dataclass(frozen=True, kw_only=True)
class PlannedSecret:
    """A secret that the environment needs."""

    at: SecretKey

    description: str
    """What it is for, in Phalanx's words; of a secret that is only a copy, often empty."""

    origin: Origin

    encoded: bool = False
    """Whether Phalanx's own tools keep it in 1Password encoded in base64."""

    @property
    def source(self) -> SecretKey | None:
        """The secret whose value has to be known first, if any."""
        return self.origin.source if isinstance(self.origin, Copied | Generated) else None


class Plan(Mapping[SecretKey, PlannedSecret]):
    """Every secret of an environment, each after the one that it is copied or generated from.

    Args:
        secrets: The secrets, in any order.

    Raises:
        SecretsError: Secrets are made from each other in a circle.
    """

    def __init__(self, secrets: Iterable[PlannedSecret]) -> None:
        planned = {secret.at: secret for secret in secrets}
        try:
            order = TopologicalSorter(
                {at: [secret.source] if secret.source else [] for at, secret in sorted(planned.items())}
            ).static_order()
            self._secrets = {at: planned[at] for at in order}
        except CycleError as error:
            circle = " <- ".join(str(at) for at in reversed(error.args[1]))
            raise SecretsError(f"Secrets are made from each other in a circle: {circle}") from None

    def __getitem__(self, at: SecretKey) -> PlannedSecret:
        return self._secrets[at]

    def __iter__(self) -> Iterator[SecretKey]:
        return iter(self._secrets)

    def __len__(self) -> int:
        return len(self._secrets)

    def by_application(self) -> dict[str, dict[str, PlannedSecret]]:
        """Give the secrets by application and key, both in alphabetical order."""
        applications: dict[str, dict[str, PlannedSecret]] = {}
        for (application, key), secret in sorted(self.items()):
            applications.setdefault(application, {})[key] = secret
        return applications

    def unneeded(self, held: Iterable[SecretKey]) -> tuple[SecretKey, ...]:
        """Name what Vault holds and nothing here reads, in alphabetical order."""
        return tuple(sorted(at for at in held if at not in self))

    def unresolved(self, known: Collection[SecretKey]) -> tuple[SecretKey, ...]:
        """Name the secrets that can get no value, in alphabetical order.

        Args:
            known: Those that a person gives or Vault has, with a value that is not empty: to Phalanx an empty string
                is no value.

        Returns:
            The static secrets that are not known, and what would be copied or generated from them.
        """
        missing: set[SecretKey] = set()
        for at, secret in self.items():
            match secret.origin:
                case Literal() | Wired():
                    continue
                case Static():
                    resolved = at in known
                case Copied(source):
                    # What Vault has under the copy itself does not help: a copy always follows its source.
                    resolved = source not in missing
                case Generated(type=generator, source=source):
                    resolved = source not in missing or (at in known and not generator.always_generated)
            if not resolved:
                missing.add(at)
        return tuple(sorted(missing))


def required(applications: Mapping[str, Application]) -> dict[SecretKey, PlannedSecret]:
    """List the secrets that an environment needs, as ``phalanx secrets list`` does.

    Nothing is said of whether they can be had: several of Phalanx's own environments copy secrets from applications
    that they do not enable.

    Args:
        applications: The enabled applications, as `phalanx.application.load_enabled` gives them.

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
    """Plan how each secret of an environment gets its value.

    Args:
        applications: The enabled applications, as `phalanx.application.load_enabled` gives them.

    Raises:
        SecretsError: What `required` raises; a copy from an application that is not enabled, or from a secret that
            does not exist, all of them at once; secrets that are made from each other in a circle.
    """
    secrets = required(applications)
    problems = [
        _missing_source(secret.at, secret.source, applications)
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
        raise SecretsError(f"{at}: the conditions of both copy and generate hold in this environment")

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
            f"{at} is copied from {source}, but the application {source.application} is not enabled: "
            f"enable it, or turn off what needs the secret in {at.application}"
        )
    application = applications[source.application]
    if source.key in application.secrets:
        condition = application.secrets[source.key].condition
        return f"{at} is made from {source}, which does not exist as {condition} is false in {source.application}"
    return f"{at} is made from {source}, which the application {source.application} does not define"
