"""All that is known of an environment's secrets before anything is made, or the list of those that are missing."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import config.vault
from components.phalanx_source import PhalanxSource
from config.environment import Environment
from phalanx import additions
from phalanx.errors import SecretsError
from phalanx.generators import OidcClient, oidc_clients
from phalanx.secrets import Generated, Literal, Plan, PlannedSecret, SecretKey, Static
from phalanx.static_secrets import PullSecret, Registry, StaticSecrets, dockerconfigjson, load
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
    existing: Mapping[SecretKey, str] = field(repr=False)
    """Values that Vault holds, those of secrets that are not planned too."""
    oidc_clients: str = field(repr=False)
    """The clients of Gafaelfawr's OpenID Connect server, as it reads them."""
    rotation: Mapping[str, str] = field(default_factory=dict)
    """By application, or application/key: any text, another one of which asks for new values."""

    def rotation_of(self, at: SecretKey) -> str | None:
        """The text that asks for a new value of this secret, None if nobody ever did."""
        return self.rotation.get(str(at), self.rotation.get(at.application))

    def unplanned(self, application: str) -> dict[str, str]:
        """What somebody else keeps in Vault beside our keys of an application."""
        return {
            at.key: value
            for at, value in self.existing.items()
            if at.application == application and at not in self.plan
        }


def gather(environment: Environment, source: PhalanxSource, existing: Mapping[SecretKey, str]) -> SecretInputs:
    """Bring together what the applications read, what a person gave and what Vault holds.

    Args:
        environment: The configuration.
        source: What Phalanx says.
        existing: What Vault holds.

    Raises:
        MissingSecretsError: If a static secret is neither configured nor in Vault; all of them at once.
        SecretsError: If the configuration names a secret that no application reads.
    """
    file = load(environment.secrets.file) if environment.secrets.file else StaticSecrets()
    plan = Plan(
        [
            *source.secrets.values(),
            *additions.plan(source.applications, source.undeclared),
            _pull_secret(environment.secrets.registries, file.pull_secret, existing.get(PULL_SECRET)),
        ],
    )
    configured = {
        SecretKey(application, key): value
        for application, keys in environment.secrets.applications.items()
        for key, value in keys.items()
    }
    given = {at: value.get_secret_value() for at, value in {**file.given(), **configured}.items()}
    _refuse_unknown(plan, given, environment.vault.rotation)
    there = {at: value for at, value in existing.items() if value}
    if missing := plan.unresolved({*given, *there}):
        raise MissingSecretsError(*_explain(plan, missing))
    return SecretInputs(
        plan=plan,
        static={at: value for at, value in {**there, **given}.items() if at in plan},
        existing=existing,
        oidc_clients=oidc_clients({**file.oidc_clients, **_oidc_clients(environment)}),
        rotation=environment.vault.rotation,
    )


def _pull_secret(
    configured: Mapping[str, config.vault.Registry],
    in_file: PullSecret | None,
    existing: str | None,
) -> PlannedSecret:
    """The logins that a person gives; without any those that Vault holds, and an empty list if it holds none."""
    logins = dict(in_file.registries) if in_file else {}
    for host, login in configured.items():
        logins[host] = Registry(username=login.username, password=login.password)
    value = existing if existing and not logins else dockerconfigjson(logins)
    return PlannedSecret(at=PULL_SECRET, description="Logins to container registries", origin=Literal(value))


def _oidc_clients(environment: Environment) -> dict[str, OidcClient]:
    return {
        name: OidcClient(id=client.id, secret=client.secret.get_secret_value(), return_uri=str(client.return_uri))
        for name, client in environment.secrets.oidc_clients.items()
    }


def _refuse_unknown(plan: Plan, given: Iterable[SecretKey], rotation: Iterable[str]) -> None:
    """A name that is not of this environment is a slip of the pen, and what it meant would go missing."""
    known = [str(at) for at in plan]
    generated = {str(at) for at, secret in plan.items() if isinstance(secret.origin, Generated)}
    rotatable = sorted(generated | {name.partition("/")[0] for name in generated})
    problems = [
        f"rsp:secrets.applications: no application of this environment reads {at}{_nearest(str(at), known)}"
        for at in given
        if at not in plan
    ] + [
        f"rsp:vault.rotation: nothing is generated for {name}{_nearest(name, rotatable)}"
        for name in rotation
        if name not in rotatable
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
