"""What a Phalanx environment says of itself: ``environments/values.yaml`` under ``environments/values-<name>.yaml``."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from phalanx.documents import read_mapping, validate
from phalanx.errors import PhalanxError
from phalanx.values import merge

_NonEmpty = Annotated[str, StringConstraints(min_length=1)]
_VaultPath = Annotated[str, StringConstraints(pattern=r"^[^/]+(/[^/]+)+$")]


class Environment(BaseModel):
    """The settings of an environment that this program uses (src/phalanx/models/environments.py).

    Versions of Phalanx differ in the others, which only its own templates read: they are left alone.
    """

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="ignore")

    name: _NonEmpty
    """Name of the environment, which every ``values-<name>.yaml`` carries."""

    fqdn: _NonEmpty
    """Host name under which the platform is reached."""

    app_of_apps_name: _NonEmpty
    """Name of the Argo CD Application above all others in Phalanx's own installer."""

    vault_url: _NonEmpty
    """URL of the Vault that the applications read."""

    vault_path_prefix: _VaultPath
    """Mount of the KV v2 engine and, after the first slash, the path in it that holds one secret an application."""

    repo_url: str
    """Git repository that the Applications name unless told otherwise."""

    target_revision: str
    """Revision that the Applications name unless told otherwise."""

    revisions: Mapping[str, str] = Field(default_factory=dict)
    """Revisions of single applications that differ from ``target_revision``."""

    applications: Mapping[str, bool]
    """Every application that Phalanx has, and whether the environment enables it."""

    @property
    def enabled_applications(self) -> tuple[str, ...]:
        """Names of the enabled applications, those that every environment has included, in alphabetical order."""
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
        """Name of the AppRole that may read the secrets: the last part of the path, as no slash may be in it."""
        return self.vault_path.rpartition("/")[2]

    @property
    def vault_read_policy(self) -> str:
        """Name of the policy of `phalanx.policies.read_policy`."""
        return f"{self.vault_path}/read"

    @property
    def vault_write_policy(self) -> str:
        """Name of the policy of `phalanx.policies.write_policy`."""
        return f"{self.vault_path}/write"


def names(root: Path) -> tuple[str, ...]:
    """Name the environments of a checkout, in alphabetical order."""
    return tuple(sorted(path.stem.removeprefix("values-") for path in (root / "environments").glob("values-*.yaml")))


def load(root: Path, name: str) -> Environment:
    """Load an environment.

    Args:
        root: Directory of the checkout.
        name: Name of the environment.

    Raises:
        PhalanxError: There is no such environment, or its files lack something or are malformed.
    """
    base = root / "environments" / "values.yaml"
    if not base.exists():
        raise PhalanxError(f"{root} is no Phalanx repository: it has no environments/values.yaml")
    path = root / "environments" / f"values-{name}.yaml"
    if not path.exists():
        raise PhalanxError(
            f"The Phalanx repository has no environment {name!r} (no environments/values-{name}.yaml); "
            f"it has: {', '.join(names(root)) or 'none'}"
        )
    environment = validate(Environment, merge(read_mapping(base), read_mapping(path)), f"environments/{path.name}")
    if environment.name != name:
        raise PhalanxError(
            f"environments/{path.name}: name: expected {name!r}, found {environment.name!r}: "
            "the Applications read the values files of the environment that this names"
        )
    return environment
