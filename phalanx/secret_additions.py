"""Secrets that applications read although no secrets.yaml declares them, and the sources of their values."""

from collections.abc import Collection, Iterable, Mapping

from phalanx.generators import GeneratorType
from phalanx.secrets import PULL_SECRET, Generated, Literal, Origin, Plan, PlannedSecret, SecretKey, Static, Wired
from phalanx.source import PhalanxSource
from phalanx.static_secrets import Login, dockerconfigjson

OBJECT_STORE_KEYS = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"})
"""Keys for the S3 credentials of the object store (charts/cadc-tap/templates/tap-deployment.yaml)."""

_OBJECT_STORE_USERS = ("ssotap", "tap")
"""Applications that this program always configures to store query results in the object store."""

_GOOGLE_CREDENTIALS = frozenset(SecretKey(name, "google_creds.json") for name in _OBJECT_STORE_USERS)
"""Static secrets that are read only if results are stored in Google's cloud. Pods mount all keys that exist."""

_GENERATED = frozenset({SecretKey("postgres", "jupyterhub_password")})
"""Passwords that only applications of the same environment share, so that any random value will do."""


def complete(
    source: PhalanxSource, logins: Mapping[str, Login], configured: Collection[SecretKey], held: Collection[SecretKey]
) -> Plan:
    """Return the plan of all secrets of an environment, without those that are useless unless they have a value.

    Args:
        source: The environment.
        logins: Configured logins to container registries, by the registry's host name.
        configured: Secrets that are configured.
        held: Secrets with a non-empty value in Vault.
    """
    return Plan(
        [
            *without_google_credentials(source.secrets.values(), {*configured, *held, *source.read}),
            *plan_undeclared(source.applications, source.undeclared),
            _pull_secret(logins, held=PULL_SECRET in held),
        ]
    )


def plan_undeclared(enabled: Collection[str], undeclared: Mapping[SecretKey, tuple[str, ...]]) -> list[PlannedSecret]:
    """Plan the secrets that no secrets.yaml declares.

    Args:
        enabled: Names of the enabled applications.
        undeclared: Undeclared keys and their readers, from `phalanx.undeclared.find`.

    Returns:
        The secrets in alphabetical order. Those that neither the infrastructure nor a generator provides are static.
    """
    wired = {SecretKey(name, key) for name in _OBJECT_STORE_USERS if name in enabled for key in OBJECT_STORE_KEYS}
    return [
        PlannedSecret(key=key, description=_description(undeclared.get(key, ())), origin=_origin(key))
        for key in sorted(wired | set(undeclared))
    ]


def without_google_credentials(secrets: Iterable[PlannedSecret], known: Collection[SecretKey]) -> list[PlannedSecret]:
    """Leave out the credentials of Google's object storage, unless something has or reads them.

    Args:
        secrets: Secrets of an environment.
        known: Secrets with a non-empty value in the configuration or in Vault, or that pods read by their key.
    """
    return [secret for secret in secrets if secret.key not in _GOOGLE_CREDENTIALS or secret.key in known]


def _pull_secret(logins: Mapping[str, Login], *, held: bool) -> PlannedSecret:
    """Plan the pull secret, which several applications read even if no registry requires a login.

    One in Vault is kept if no login is configured.
    """
    origin = Static() if held and not logins else Literal(dockerconfigjson(logins))
    return PlannedSecret(key=PULL_SECRET, description="Logins to container registries.", origin=origin)


def _origin(key: SecretKey) -> Origin:
    if key.name in OBJECT_STORE_KEYS and key.application in _OBJECT_STORE_USERS:
        return Wired()
    return Generated(GeneratorType.PASSWORD) if key in _GENERATED else Static()


def _description(readers: tuple[str, ...]) -> str:
    if not readers:
        return "S3 credentials of the object store."
    return f"Not declared in any secrets.yaml, but read by {', '.join(readers)}."
