"""Gather an environment's secrets from the configuration, Phalanx and Vault."""

from collections.abc import Collection, Iterable, Mapping

import pulumi

from config.stack_config import StackConfig
from phalanx import secret_additions
from phalanx.environment import Environment, nearest
from phalanx.errors import SecretsError
from phalanx.generators import BCRYPT_LIMIT, GeneratorType, OidcClient, oidc_clients
from phalanx.secret_inputs import SecretInputs, rotatable
from phalanx.secrets import Copied, Generated, Literal, Plan, SecretKey, Static, Wired
from phalanx.source import PhalanxSource
from phalanx.static_secrets import SETTING, StaticSecrets, load, set_command

_ORIGINS: Mapping[type, str] = {
    Generated: "is generated (rsp:vault.rotation generates another value)",
    Copied: "is copied from another one",
    Literal: "has a fixed value in Phalanx",
    Wired: "comes from the infrastructure",
}


class MissingSecretsError(SecretsError):
    """Static secrets are neither configured nor in Vault."""


def gather(config: StackConfig, source: PhalanxSource, existing: Mapping[SecretKey, str]) -> SecretInputs:
    """Return the applications' secrets, with their values from the configuration and from Vault.

    Args:
        config: Stack configuration.
        source: The Phalanx environment.
        existing: Secrets in Vault.

    Raises:
        MissingSecretsError: Static secrets are neither configured nor in Vault; the message lists all of them.
        SecretsError: The configuration contains a secret that no application reads, or an invalid value.
    """
    file = load(config.secrets.file) if config.secrets.file else StaticSecrets()
    configured = {
        SecretKey(application, key): value
        for application, keys in config.secrets.applications.items()
        for key, value in keys.items()
    }
    values = {key: value.get_secret_value() for key, value in {**file.given(), **configured}.items()}
    held = {key: value for key, value in existing.items() if value}
    plan = secret_additions.complete(source, file.logins(config.secrets.registries), values, held)
    if problems := [
        *_check_names(plan, values, config.vault.rotation),
        *_check_origins(plan, values, configured),
        *_check_clients(plan, {**file.oidc_clients, **config.secrets.oidc_clients}),
        *_check_pem(values, configured),
        *_check_lengths(plan, {**held, **values}, configured),
    ]:
        raise SecretsError(*problems)
    unfilled = {name: pods for name, pods in source.unfilled.items() if name not in {key.application for key in held}}
    if problems := [
        *_explain(plan, plan.unresolved({*values, *held}), source.environment),
        *_explain_unfilled(source.environment.vault_path_prefix, unfilled),
    ]:
        raise MissingSecretsError(*problems)
    if unfilled:
        pulumi.info(
            f"Vault has nothing at {', '.join(f'{source.environment.vault_path_prefix}/{name}' for name in unfilled)}: "
            "vault-secrets-operator reports an error for each, which is harmless, as no pod needs these Secrets."
        )
    return SecretInputs(
        plan=plan,
        static={key: value for key, value in {**held, **values}.items() if key in plan},
        configured=frozenset(values),
        existing=existing,
        oidc_clients=oidc_clients({**file.oidc_clients, **_oidc_clients(config)}),
        rotation=config.vault.rotation,
    )


def _oidc_clients(config: StackConfig) -> dict[str, OidcClient]:
    return {
        name: OidcClient(id=client.id, secret=client.secret.get_secret_value(), return_uri=str(client.return_uri))
        for name, client in config.secrets.oidc_clients.items()
    }


def _check_names(plan: Plan, configured: Iterable[SecretKey], rotation: Iterable[str]) -> list[str]:
    """Return a problem for each name that the environment does not have, as the setting would have no effect."""
    known = [str(key) for key in plan]
    generated = {str(key) for key in rotatable(plan)}
    names = sorted(generated | {name.partition("/")[0] for name in generated})
    derived = {str(key): secret.source for key, secret in plan.items() if isinstance(secret.origin, Generated)}
    return [
        f"rsp:secrets.applications: no application of this environment reads {key}{nearest(str(key), known)}"
        for key in configured
        if key not in plan
    ] + [
        f"rsp:vault.rotation: {name} is derived from {derived[name]}: rotate that secret instead"
        if derived.get(name)
        else f"rsp:vault.rotation: no secret is generated for {name}{nearest(name, names)}"
        for name in rotation
        if name not in names
    ]


def _check_origins(plan: Plan, given: Iterable[SecretKey], configured: Collection[SecretKey]) -> list[str]:
    """Return a problem for each configured value of a secret that is not static, as it would have no effect."""
    return [
        f"{'rsp:secrets.applications' if key in configured else SETTING}: {key}: is not a static secret, but "
        f"{_ORIGINS[type(plan[key].origin)]}, so this value would have no effect: remove it"
        for key in given
        if key in plan and type(plan[key].origin) in _ORIGINS
    ]


def _check_clients(plan: Plan, clients: Iterable[str]) -> list[str]:
    """Return a problem if clients are configured for an OpenID Connect server that the environment does not have."""
    read = any(isinstance(each.origin, Generated) and each.origin.type.always_generated for each in plan.values())
    names = ", ".join(clients)
    if read or not names:
        return []
    what = (
        f"{names}: no application of this environment generates a secret of these clients, which would have no effect: "
        "remove them, or enable the server (config.oidcServer.enabled of gafaelfawr)"
    )
    return [f"rsp:secrets.oidcClients: {what}"]


def _check_pem(values: Mapping[SecretKey, str], configured: Collection[SecretKey]) -> list[str]:
    """Return a problem for each certificate or key in PEM whose line breaks were lost."""
    return [
        f"{'rsp:secrets.applications' if key in configured else SETTING}: {key}: is PEM that has lost its line breaks: "
        "set it from its file (`pulumi config set --secret --path ... < FILE`), or as a block scalar (`|`) in the file "
        "of static secrets"
        for key, value in values.items()
        if value.lstrip().startswith("-----BEGIN ") and "\n" not in value.strip()
    ]


def _check_lengths(plan: Plan, known: Mapping[SecretKey, str], configured: Collection[SecretKey]) -> list[str]:
    """Return a problem for each password that Phalanx hashes with bcrypt, but that is too long for it."""
    hashed = {
        secret.source
        for secret in plan.values()
        if isinstance(secret.origin, Generated) and secret.origin.type is GeneratorType.BCRYPT_PASSWORD_HASH
    }
    return [
        f"{'rsp:secrets.applications' if key in configured else SETTING}: {key}: has {size} bytes, more than the "
        f"{BCRYPT_LIMIT} that bcrypt can hash: must be a shorter password, such as the output of `openssl rand -hex 24`"
        for key in hashed
        if key and key in known and (size := len(known[key].encode())) > BCRYPT_LIMIT
    ]


def _explain(plan: Plan, missing: Collection[SecretKey], environment: Environment) -> list[str]:
    """Return one line for each missing static secret; secrets that are copied or derived from it are left out."""
    if not missing:
        return []
    static = [plan[key] for key in missing if isinstance(plan[key].origin, Static)]
    where = f"-mount={environment.vault_mount} {environment.vault_path}/APPLICATION"
    head = f"Missing static secrets: {len(static)}. Set each with the command below it, or write it to Vault"
    return [
        f"{head} (`vault kv patch {where} KEY=@FILE`, or `put` for the first key of an application).",
        *(
            f"  {secret.key}: {' '.join(secret.description.split())}\n    {set_command(secret.key, pulumi.get_stack())}"
            for secret in static
        ),
    ]


def _explain_unfilled(prefix: str, unfilled: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return one line for each missing secret that pods mount as a whole, and whose keys Phalanx does not define."""
    return [
        f"{prefix}/{name}: Vault has no such secret, and no secrets.yaml defines its keys, but all of them are mounted "
        f"by {', '.join(pods)}, which do not start without it: write it with `vault kv put {prefix}/{name} KEY=@FILE`"
        for name, pods in unfilled.items()
        if pods
    ]
