"""Secrets that applications read though no secrets.yaml declares them, and where their values come from."""

from collections.abc import Collection, Mapping

from phalanx.generators import GeneratorType
from phalanx.secrets import Generated, Literal, Origin, PlannedSecret, SecretKey, Static, Wired
from phalanx.static_secrets import Login, dockerconfigjson
from phalanx.undeclared import PULL_SECRET

OBJECT_STORE_KEYS = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"})
"""Keys whose value is the object store's (charts/cadc-tap/templates/tap-deployment.yaml)."""

_ON_THE_OBJECT_STORE = ("ssotap", "tap")
"""Applications that this program sets up to keep their results in the object store, whatever the checkout says."""

_GENERATED = frozenset({SecretKey("postgres", "jupyterhub_password")})
"""Passwords on which only applications of the same environment have to agree."""


def plan(enabled: Collection[str], undeclared: Mapping[SecretKey, tuple[str, ...]]) -> list[PlannedSecret]:
    """Plan the secrets that no secrets.yaml declares.

    Args:
        enabled: Names of the enabled applications.
        undeclared: What `phalanx.undeclared.find` found.

    Returns:
        The secrets, in alphabetical order. Those that neither the infrastructure has nor a generator makes are static.
    """
    wired = {SecretKey(name, key) for name in _ON_THE_OBJECT_STORE if name in enabled for key in OBJECT_STORE_KEYS}
    return [
        PlannedSecret(at=at, description=_description(undeclared.get(at, ())), origin=_origin(at))
        for at in sorted(wired | set(undeclared))
    ]


def pull_secret(logins: Mapping[str, Login], *, held: bool) -> PlannedSecret:
    """Plan the pull secret, which several applications read even where no registry needs a login.

    Args:
        logins: Logins that a person gives, by registry.
        held: Whether Vault has a pull secret, which stays as it is if nobody gives a login.
    """
    origin = Static() if held and not logins else Literal(dockerconfigjson(logins))
    return PlannedSecret(at=PULL_SECRET, description="Logins to container registries.", origin=origin)


def _origin(at: SecretKey) -> Origin:
    if at.key in OBJECT_STORE_KEYS and at.application in _ON_THE_OBJECT_STORE:
        return Wired()
    return Generated(GeneratorType.PASSWORD) if at in _GENERATED else Static()


def _description(readers: tuple[str, ...]) -> str:
    return f"Declared by no secrets.yaml, but read by {', '.join(readers)}." if readers else "Keys of the object store."
