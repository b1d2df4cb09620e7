"""All that is known of an environment's secrets before anything is made, or the list of those that are missing."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from components.phalanx_source import PhalanxSource
from config.environment import Environment
from phalanx import additions
from phalanx.errors import SecretsError
from phalanx.generators import OidcClient, oidc_clients
from phalanx.secrets import Generated, Plan, SecretKey, Static
from phalanx.static_secrets import StaticSecrets, load
from phalanx.undeclared import PULL_SECRET


class MissingSecretsError(SecretsError):
    """Secrets that only a person can give are neither configured nor in Vault."""


@dataclass(frozen=True, kw_only=True)
class SecretInputs:
    """What an environment's secrets are made from."""

    plan: Plan
    """Every secret that the applications read, each after the one that it is made from."""
    static: Mapping[SecretKey, str] = field(repr=False)
    """Values that a person gave: in the configuration, else in Vault."""
    given: frozenset[SecretKey]
    """Those of them that are configured: all other static values belong to whoever writes them to Vault."""
    existing: Mapping[SecretKey, str] = field(repr=False)
    """Values that Vault holds, those of secrets that are not planned too."""
    oidc_clients: str = field(repr=False)
    """The clients of Gafaelfawr's OpenID Connect server, as it reads them."""
    rotation: Mapping[str, str] = field(default_factory=dict)
    """By application, or application/key: any text, another one of which asks for new values."""

    def rotation_of(self, at: SecretKey) -> str | None:
        """The text that asks for a new value of this secret, None if nobody ever did."""
        return self.rotation.get(str(at), self.rotation.get(at.application))

    def rotatable(self) -> list[SecretKey]:
        """The secrets that can be generated anew; what is derived from them follows by itself."""
        return rotatable(self.plan)

    def in_vault(self, application: str) -> dict[str, str]:
        """What Vault held of an application when the program began."""
        return {at.key: value for at, value in self.existing.items() if at.application == application}

    def of_others(self, application: str, held: Mapping[str, str]) -> dict[str, str]:
        """What people keep in an application's secret: static values that are not configured, and keys beside ours.

        Args:
            application: Name of the application.
            held: What its secret in Vault holds.
        """
        return {key: value for key, value in held.items() if self._is_theirs(SecretKey(application, key), value)}

    def _is_theirs(self, at: SecretKey, value: str) -> bool:
        if at not in self.plan:
            return True
        # To Phalanx an empty value is none.
        return isinstance(self.plan[at].origin, Static) and at not in self.given and bool(value)


def rotatable(plan: Plan) -> list[SecretKey]:
    """Name the secrets that are generated from nothing else and kept."""
    return [
        at
        for at, secret in plan.items()
        if isinstance(secret.origin, Generated) and not secret.source and not secret.origin.type.always_generated
    ]


def gather(environment: Environment, source: PhalanxSource, existing: Mapping[SecretKey, str]) -> SecretInputs:
    """Bring together what the applications read, what a person gave and what Vault holds.

    Args:
        environment: The configuration.
        source: What Phalanx says.
        existing: What Vault holds.

    Raises:
        MissingSecretsError: If a static secret is neither configured nor in Vault; all of them at once.
        SecretsError: If the configuration names a secret that no application reads, or gives a value that was damaged
            on its way.
    """
    file = load(environment.secrets.file) if environment.secrets.file else StaticSecrets()
    plan = Plan(
        [
            *source.secrets.values(),
            *additions.plan(source.applications, source.undeclared),
            additions.pull_secret(file.logins(environment.secrets.registries), held=bool(existing.get(PULL_SECRET))),
        ],
    )
    configured = {
        SecretKey(application, key): value
        for application, keys in environment.secrets.applications.items()
        for key, value in keys.items()
    }
    given = {at: value.get_secret_value() for at, value in {**file.given(), **configured}.items()}
    _refuse_unknown(plan, given, environment.vault.rotation)
    _refuse_damaged(given)
    there = {at: value for at, value in existing.items() if value}
    if missing := plan.unresolved({*given, *there}):
        raise MissingSecretsError(*_explain(plan, missing))
    return SecretInputs(
        plan=plan,
        static={at: value for at, value in {**there, **given}.items() if at in plan},
        given=frozenset(given),
        existing=existing,
        oidc_clients=oidc_clients({**file.oidc_clients, **_oidc_clients(environment)}),
        rotation=environment.vault.rotation,
    )


def _oidc_clients(environment: Environment) -> dict[str, OidcClient]:
    return {
        name: OidcClient(id=client.id, secret=client.secret.get_secret_value(), return_uri=str(client.return_uri))
        for name, client in environment.secrets.oidc_clients.items()
    }


def _refuse_unknown(plan: Plan, given: Iterable[SecretKey], rotation: Iterable[str]) -> None:
    """A name that is not of this environment is a slip of the pen, and what it meant would go missing."""
    known = [str(at) for at in plan]
    generated = {str(at) for at in rotatable(plan)}
    names = sorted(generated | {name.partition("/")[0] for name in generated})
    derived = {str(at): secret.source for at, secret in plan.items() if isinstance(secret.origin, Generated)}
    problems = [
        f"rsp:secrets.applications: no application of this environment reads {at}{_nearest(str(at), known)}"
        for at in given
        if at not in plan
    ] + [
        f"rsp:vault.rotation: {name} follows {derived[name]}: rotate that one"
        if derived.get(name)
        else f"rsp:vault.rotation: nothing is generated for {name}{_nearest(name, names)}"
        for name in rotation
        if name not in names
    ]
    if problems:
        raise SecretsError(*problems)


def _refuse_damaged(given: Mapping[SecretKey, str]) -> None:
    """A certificate or key in PEM that was pasted into one line is of no use to anybody."""
    problems = [
        f"{at}: is PEM that has lost its line breaks: give it from its file (`pulumi config set --secret --path ... < "
        "FILE`), or as a block (`|`) in the file of static secrets"
        for at, value in given.items()
        if value.lstrip().startswith("-----BEGIN ") and "\n" not in value.strip()
    ]
    if problems:
        raise SecretsError(*problems)


def _nearest(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _explain(plan: Plan, missing: Iterable[SecretKey]) -> list[str]:
    """One line for each secret that a person must give; what would be made from it goes without saying."""
    asked = [plan[at] for at in missing if isinstance(plan[at].origin, Static)]
    return [
        f"{len(asked)} missing: give each secret by the command below it, or write it to Vault.",
        *(
            f"  {secret.at}: {' '.join(secret.description.split())}\n"
            f"    pulumi config set --secret --path "
            f'\'rsp:secrets.applications["{secret.at.application}"]["{secret.at.key}"]\''
            for secret in asked
        ),
    ]
