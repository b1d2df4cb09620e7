"""Secrets that people give: the file that ``phalanx secrets static-template`` writes and ``--secrets`` reads.

Rules: ``StaticSecrets`` and ``PullSecret`` in src/phalanx/models/secrets.py, ``generate_static_template`` in
src/phalanx/services/secrets.py. The file may be encrypted with SOPS (https://getsops.io); one in clear must be
readable by its owner alone.
"""

import base64
import json
import shutil
import stat
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_snake

from phalanx import processes
from phalanx.documents import parse_mapping, read_mapping, validate
from phalanx.errors import SecretsError
from phalanx.generators import OidcClient
from phalanx.secrets import PlannedSecret, SecretKey, Static

_ENCODED_WARNING = "If you store this secret in a 1Password item, encode it with base64 first."
_REGISTRIES_DESCRIPTION = (
    "Pull secrets for Docker registries. Each key under registries is the name of a Docker registry that needs a pull "
    "secret. The value should have two keys, username and password, that provide the HTTP Basic Auth credentials for "
    "that registry."
)
_TEMPLATE_WIDTH = 70
_NO_KEY = 128
"""What sops exits with then (cmd/sops/codes: CouldNotRetrieveKey)."""
_SOPS_TIMEOUT = 120.0
"""Seconds; the key may be in a service far away, or on a token that waits for a touch."""


def _kebab(name: str) -> str:
    return to_snake(name).replace("_", "-")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, alias_generator=_kebab)


class StaticSecret(_Part):
    """A secret in the file."""

    description: str | None = None
    """For people; what secrets.yaml says counts."""

    warning: str | None = None
    """Likewise."""

    value: SecretStr | None = None


class Login(Protocol):
    """What opens a container registry."""

    @property
    def username(self) -> str:
        """User name."""

    @property
    def password(self) -> SecretStr:
        """Password or access token."""


class Registry(_Part):
    """A login to a container registry."""

    username: str
    password: SecretStr


class PullSecret(_Part):
    """Logins to container registries, by their host names."""

    description: str | None = None
    registries: Mapping[str, Registry] = Field(default_factory=dict)


class StaticSecrets(_Part):
    """What the file says."""

    applications: Mapping[str, Mapping[str, StaticSecret]] = Field(default_factory=dict)
    oidc_clients: Mapping[str, OidcClient] = Field(default_factory=dict)
    pull_secret: PullSecret | None = None
    vault_write_token: SecretStr | None = None

    def logins(self, others: Mapping[str, Login]) -> dict[str, Login]:
        """Give the logins to container registries, with others over them."""
        return {**(self.pull_secret.registries if self.pull_secret else {}), **others}

    def given(self) -> dict[SecretKey, SecretStr]:
        """Give the values that are there; an empty one is not."""
        return {
            SecretKey(application, key): secret.value
            for application, secrets in self.applications.items()
            for key, secret in secrets.items()
            if secret.value
        }


def load(path: Path) -> StaticSecrets:
    """Read a file of static secrets.

    Args:
        path: File in Phalanx's format, in clear or encrypted with SOPS.

    Raises:
        SecretsError: The file is in clear and others than its owner may read it, or it cannot be decrypted.
        PhalanxError: It cannot be read or does not have the format.
    """
    content = read_mapping(path)
    if "sops" in content:
        content = _decrypt(path)
    elif path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SecretsError(
            f"{path} holds secrets in clear and others may read it: chmod 600 it, or encrypt it with sops"
        )
    return validate(StaticSecrets, content, str(path))


def template(required: Iterable[PlannedSecret]) -> str:
    """Write a file for a person to fill in, as ``phalanx secrets static-template`` does.

    Args:
        required: Secrets of an environment; those that are not static are left out.

    Returns:
        YAML.
    """
    applications: dict[str, dict[str, Any]] = {}
    for secret in required:
        if isinstance(secret.origin, Static):
            entry: dict[str, Any] = {"description": _Folded(secret.description), "value": None}
            if secret.encoded:
                entry["warning"] = _Folded(_ENCODED_WARNING)
            applications.setdefault(secret.at.application, {})[secret.at.key] = entry
    content = {
        "applications": applications,
        "oidc-clients": {},
        "pull-secret": {"description": _Folded(_REGISTRIES_DESCRIPTION), "registries": {}},
        "vault-write-token": None,
    }
    return yaml.dump(content, Dumper=_TemplateDumper, width=_TEMPLATE_WIDTH)


def dockerconfigjson(registries: Mapping[str, Login]) -> str:
    """Give the value of ``.dockerconfigjson`` in the pull secret, to the letter as Phalanx writes it."""
    auths = {}
    for host, registry in registries.items():
        password = registry.password.get_secret_value()
        login = base64.b64encode(f"{registry.username}:{password}".encode()).decode()
        auths[host] = {"auth": login, "username": registry.username, "password": password}
    return json.dumps({"auths": auths})


def _decrypt(path: Path) -> dict[str, Any]:
    sops = shutil.which("sops")
    if sops is None:
        raise SecretsError(f"{path} is encrypted with SOPS: install sops (https://getsops.io), or decrypt the file")
    try:
        done = subprocess.run(
            (sops, "--decrypt", "--output-type", "yaml", path),
            # Vault may keep the key.
            env=processes.environment(needed={"VAULT_"}),
            capture_output=True,
            text=True,
            check=True,
            timeout=_SOPS_TIMEOUT,
        )
    except subprocess.CalledProcessError as error:
        if error.returncode == _NO_KEY:
            raise SecretsError(
                f"sops cannot decrypt {path}: none of the keys that it is encrypted for is here; give one, such as by "
                f"SOPS_AGE_KEY_FILE. It says:\n{error.stderr.strip()}",
            ) from None
        raise SecretsError(f"sops cannot decrypt {path}: {error.stderr.strip()}") from None
    except subprocess.TimeoutExpired:
        raise SecretsError(f"sops did not decrypt {path} within {_SOPS_TIMEOUT:.0f} s") from None
    return parse_mapping(done.stdout, str(path))


class _Folded(str):
    """Text that is wrapped in the file, as YAML's folded scalar."""

    __slots__ = ()


class _TemplateDumper(yaml.SafeDumper):
    """Writes folded text."""


_TemplateDumper.add_representer(
    _Folded, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style=">")
)
