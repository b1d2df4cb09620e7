"""Settings of a Phalanx environment: ``environments/values.yaml``, overridden by ``values-<name>.yaml`` beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel

from phalanx.documents import read_mapping, validate
from phalanx.errors import PhalanxError
from phalanx.values import merge

_NonEmpty = Annotated[str, StringConstraints(min_length=1)]
_VaultPath = Annotated[str, StringConstraints(pattern=r"^[^/]+(/[^/]+)+$")]


class Environment(BaseModel):
    """Settings of an environment that this program uses (src/phalanx/models/environments.py).

    Other settings are ignored: only Phalanx's own templates read them, and they vary between versions of Phalanx.
    """

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="ignore")

    name: _NonEmpty
    """Name of the environment, as in ``values-<name>.yaml``."""

    fqdn: _NonEmpty
    """Host name of the platform."""

    app_of_apps_name: _NonEmpty
    """Name of the Argo CD app of apps that Phalanx's own installer creates."""

    vault_url: _NonEmpty
    """URL of the Vault from which the applications read their secrets."""

    vault_path_prefix: _VaultPath
    """Mount of the KV v2 engine and, after the first slash, the path below which each application has one secret."""

    applications: Mapping[str, bool]
    """All applications of Phalanx, and whether the environment enables them."""

    @property
    def enabled_applications(self) -> tuple[str, ...]:
        """Names of the enabled applications in alphabetical order, including those that every environment has."""
        return tuple(sorted(name for name, enabled in self.applications.items() if enabled))

    @property
    def vault_mount(self) -> str:
        """Mount point of the KV v2 engine."""
        return self.vault_path_prefix.partition("/")[0]

    @property
    def vault_path(self) -> str:
        """Path below the mount point."""
        return self.vault_path_prefix.partition("/")[2]

    @property
    def vault_role(self) -> str:
        """Name of the AppRole that may read the secrets: the last part of the path, as it must not contain a slash."""
        return self.vault_path.rpartition("/")[2]

    @property
    def vault_read_policy(self) -> str:
        """Name of the policy with the rules of `phalanx.policies.read_policy`."""
        return f"{self.vault_path}/read"

    @property
    def vault_write_policy(self) -> str:
        """Name of the policy with the rules of `phalanx.policies.write_policy`."""
        return f"{self.vault_path}/write"


def names(root: Path) -> tuple[str, ...]:
    """List the names of the environments of a checkout in alphabetical order."""
    return tuple(sorted(path.stem.removeprefix("values-") for path in (root / "environments").glob("values-*.yaml")))


def load(root: Path, name: str) -> Environment:
    """Load an environment.

    Args:
        root: Directory of the checkout.
        name: Name of the environment.

    Raises:
        PhalanxError: The environment does not exist, or its settings are not valid.
    """
    base = root / "environments" / "values.yaml"
    if not base.exists():
        raise PhalanxError(f"{root} is not a Phalanx repository: it has no environments/values.yaml")
    path = root / "environments" / f"values-{name}.yaml"
    if not path.exists():
        raise PhalanxError(
            f"The Phalanx repository has no environment {name!r} (no environments/values-{name}.yaml); "
            f"existing environments: {', '.join(names(root)) or 'none'}"
        )
    environment = validate(Environment, merge(read_mapping(base), read_mapping(path)), f"environments/{path.name}")
    if environment.name != name:
        raise PhalanxError(
            f"environments/{path.name}: name: expected {name!r}, found {environment.name!r}: "
            "it determines which values files the Applications read"
        )
    return environment
