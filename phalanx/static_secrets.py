"""The file of static secrets, in the format of ``phalanx secrets static-template``.

Rules: ``StaticSecrets`` and ``PullSecret`` in src/phalanx/models/secrets.py, ``generate_static_template`` in
src/phalanx/services/secrets.py. The file may be encrypted with SOPS (https://getsops.io); an unencrypted file must be
readable by its owner only.
"""

import base64
import json
import shlex
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

SETTING = "rsp:secrets.file"
"""Setting that names the file."""

_ENCODED_WARNING = "If you store this secret in a 1Password item, encode it with base64 first."
_REGISTRIES_DESCRIPTION = (
    "Pull secrets for Docker registries. Each key under registries is the name of a Docker registry that needs a pull "
    "secret. The value should have two keys, username and password, that provide the HTTP Basic Auth credentials for "
    "that registry."
)
_TEMPLATE_WIDTH = 70
_NO_KEY = 128
"""Exit status of sops if no decryption key is available (cmd/sops/codes: CouldNotRetrieveKey)."""
_SOPS_TIMEOUT = 120.0
"""Timeout in seconds; the key may be in a remote service, or on a hardware token that waits for a touch."""


def _kebab(name: str) -> str:
    return to_snake(name).replace("_", "-")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, alias_generator=_kebab)


class StaticSecret(_Part):
    """A secret in the file."""

    description: str | None = None
    """For the reader of the file only."""

    warning: str | None = None
    """For the reader of the file only."""

    value: SecretStr | None = None


class Login(Protocol):
    """A login to a container registry, from the file or from the configuration."""

    @property
    def username(self) -> str:
        """User name."""

    @property
    def password(self) -> SecretStr:
        """Password or access token."""


class RegistryLogin(_Part):
    """A login to a container registry, in the file."""

    username: str
    password: SecretStr


class PullSecret(_Part):
    """Logins to container registries, by host name."""

    description: str | None = None
    registries: Mapping[str, RegistryLogin] = Field(default_factory=dict)


class StaticSecrets(_Part):
    """Content of the file."""

    applications: Mapping[str, Mapping[str, StaticSecret]] = Field(default_factory=dict)
    oidc_clients: Mapping[str, OidcClient] = Field(default_factory=dict)
    pull_secret: PullSecret | None = None
    vault_write_token: SecretStr | None = None

    def logins(self, others: Mapping[str, Login]) -> dict[str, Login]:
        """Return the logins to container registries.

        Args:
            others: Logins that override those of the file, by host name.
        """
        return {**(self.pull_secret.registries if self.pull_secret else {}), **others}

    def given(self) -> dict[SecretKey, SecretStr]:
        """Return the values that are not empty."""
        return {
            SecretKey(application, key): secret.value
            for application, secrets in self.applications.items()
            for key, secret in secrets.items()
            if secret.value
        }


def set_command(key: SecretKey, stack: str) -> str:
    """Return the command that sets a static secret in the configuration of a stack."""
    path = f"rsp:secrets.applications[{json.dumps(key.application)}][{json.dumps(key.name)}]"
    return f"pulumi config set --secret --path {shlex.quote(path)} -s {shlex.quote(stack)}"


def load(path: Path) -> StaticSecrets:
    """Read a file of static secrets.

    Args:
        path: File in Phalanx's format, optionally encrypted with SOPS.

    Raises:
        SecretsError: The file is not encrypted and readable by other users, or it cannot be decrypted.
        PhalanxError: The file cannot be read or is not valid.
    """
    where = f"{SETTING}: {path}"
    content = read_mapping(path, where=where)
    if "sops" in content:
        content = _decrypt(path, where)
    elif path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SecretsError(
            f"{where}: contains unencrypted secrets and other users can read it: run chmod 600, or encrypt it with sops"
        )
    return validate(StaticSecrets, content, where)


def template(required: Iterable[PlannedSecret]) -> str:
    """Generate a file for the operator to fill in, as ``phalanx secrets static-template`` does.

    Args:
        required: Secrets of an environment; only the static ones are included.

    Returns:
        The content of the file, in YAML.
    """
    applications: dict[str, dict[str, Any]] = {}
    for secret in required:
        if isinstance(secret.origin, Static):
            entry: dict[str, Any] = {"description": _Folded(secret.description), "value": None}
            if secret.encoded:
                entry["warning"] = _Folded(_ENCODED_WARNING)
            applications.setdefault(secret.key.application, {})[secret.key.name] = entry
    content = {
        "applications": applications,
        "oidc-clients": {},
        "pull-secret": {"description": _Folded(_REGISTRIES_DESCRIPTION), "registries": {}},
        "vault-write-token": None,
    }
    return yaml.dump(content, Dumper=_TemplateDumper, width=_TEMPLATE_WIDTH)


def dockerconfigjson(logins: Mapping[str, Login]) -> str:
    """Return the value of ``.dockerconfigjson`` in the pull secret, exactly as Phalanx writes it."""
    auths = {}
    for host, login in logins.items():
        password = login.password.get_secret_value()
        auth = base64.b64encode(f"{login.username}:{password}".encode()).decode()
        auths[host] = {"auth": auth, "username": login.username, "password": password}
    return json.dumps({"auths": auths})


def _decrypt(path: Path, where: str) -> dict[str, Any]:
    sops = shutil.which("sops")
    if sops is None:
        raise SecretsError(f"{where}: is encrypted with SOPS: install sops (https://getsops.io)")
    try:
        done = processes.run(
            (sops, "--decrypt", "--output-type", "yaml", path),
            # The key may be in Vault.
            env=processes.environment(needed={"VAULT_"}),
            timeout=_SOPS_TIMEOUT,
        )
    except subprocess.CalledProcessError as error:
        if error.returncode == _NO_KEY:
            raise SecretsError(
                f"{where}: sops cannot decrypt it: none of its keys is available; provide one, for example with "
                f"SOPS_AGE_KEY_FILE. Output of sops:\n{error.stderr.strip()}",
            ) from None
        raise SecretsError(f"{where}: sops cannot decrypt it: {error.stderr.strip()}") from None
    except subprocess.TimeoutExpired:
        raise SecretsError(f"{where}: sops did not decrypt it within {_SOPS_TIMEOUT:.0f} s") from None
    return parse_mapping(done.stdout, where)


class _Folded(str):
    """Text that is written as a folded scalar of YAML."""

    __slots__ = ()


class _TemplateDumper(yaml.SafeDumper):
    """YAML dumper with support for `_Folded`."""


_TemplateDumper.add_representer(
    _Folded, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style=">")
)
