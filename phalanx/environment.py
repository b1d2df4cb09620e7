"""Settings of a Phalanx environment: ``environments/values.yaml``, overridden by ``values-<name>.yaml`` beside it."""

import difflib
import re
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.types import StrictBool

from phalanx import environment_schema
from phalanx.documents import read_mapping, validate
from phalanx.errors import PhalanxError, Problems
from phalanx.git_addresses import check_revision
from phalanx.values import merge

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME = re.compile(rf"({_LABEL}\.)+{_LABEL}")
_VAULT_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
_APPLICATION = re.compile(_LABEL)
_SETTING = re.compile(r"\.Values\.(\w+)|index \.Values \"(\w+)\"")


def _host_name(value: str) -> str:
    numeric = value.rpartition(".")[2].isdigit()
    if len(value) > 253 or numeric or not _HOST_NAME.fullmatch(value):  # noqa: PLR2004 - RFC 1035
        raise ValueError(
            f"{value!r} is not a host name: expected lower-case letters, digits, hyphens and dots, without scheme, "
            "port or wildcard, for example rsp.example.org"
        )
    return value


def _vault_url(value: str) -> str:
    expected = "expected http or https and a host, for example https://vault.example.org"
    try:
        url = urlsplit(value)
        host, _ = url.hostname, url.port
    except ValueError:
        raise ValueError(f"is not a URL: {expected}") from None
    if "@" in value:
        # Not quoted: it may be a password.
        raise ValueError(f"must not contain a user or password: {expected}")
    if url.scheme not in {"http", "https"} or not host or not _is_host(host):
        raise ValueError(f"{value!r} is not the URL of a Vault: {expected}")
    if url.query or url.fragment or not re.fullmatch(r"[\x21-\x7e]+", value):
        raise ValueError(f"{value!r} must not contain spaces, a query or a fragment: {expected}")
    return value


def _is_host(host: str) -> bool:
    """Return whether a URL's host is an address or a name; a name may have one label only, such as localhost."""
    try:
        ip_address(host)
    except ValueError:
        return bool(re.fullmatch(rf"({_LABEL}\.)*{_LABEL}", host)) and not host.rpartition(".")[2].isdigit()
    return True


def _vault_path(value: str) -> str:
    if not _VAULT_PATH.fullmatch(value):
        raise ValueError(
            f"{value!r} is not a path in Vault: expected the mount of a KV engine, a slash and a path of letters, "
            "digits, hyphens, underscores and dots, without wildcards (+, *) and empty parts, for example "
            "secret/phalanx/roe"
        )
    return value


def _release_name(value: str) -> str:
    if len(value) > 53 or not _APPLICATION.fullmatch(value):  # noqa: PLR2004 - Helm's limit
        raise ValueError(
            f"{value!r} is not the name of an application: expected up to 53 lower-case letters, digits and hyphens, "
            "for example science-platform"
        )
    return value


class Environment(BaseModel):
    """Settings of an environment that this program uses (src/phalanx/models/environments.py).

    The values of other settings are ignored: only Phalanx's own templates read them.
    """

    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="ignore")

    name: str
    """Name of the environment, as in ``values-<name>.yaml``."""

    fqdn: Annotated[str, AfterValidator(_host_name)]
    """Host name of the platform."""

    app_of_apps_name: Annotated[str, AfterValidator(_release_name)]
    """Name of the Argo CD app of apps that Phalanx's own installer creates."""

    vault_url: Annotated[str, AfterValidator(_vault_url)]
    """URL of the Vault from which the applications read their secrets."""

    vault_path_prefix: Annotated[str, AfterValidator(_vault_path)]
    """Mount of the KV v2 engine and, after the first slash, the path below which each application has one secret."""

    revisions: Mapping[str, Annotated[str, AfterValidator(check_revision)]] = Field(default_factory=dict)
    """Revisions of individual applications that differ from that of the checkout."""

    namespace_labels: Mapping[str, Mapping[str, str]] | None = None
    """Labels of the applications' namespaces; Kubernetes accepts only text."""

    applications: Mapping[str, StrictBool]
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
        PhalanxError: The environment does not exist, or its settings are not valid; all problems together.
    """
    base, path = (root / "environments" / file for file in ("values.yaml", f"values-{name}.yaml"))
    if not base.is_file():
        raise PhalanxError(
            "rsp:phalanx.repository: is not a Phalanx repository: it has no environments/values.yaml at this revision; "
            "expected one like https://github.com/lsst-sqre/phalanx"
        )
    if not path.is_file():
        raise PhalanxError(
            f"rsp:phalanx.environment: the Phalanx repository has no environment {name!r} (no environments/{path.name})"
            f"; existing environments: {', '.join(names(root)) or 'none'}"
        )
    problems = Problems()
    settings: dict[Path, dict[str, Any]] = {base: {}, path: {}}
    for file in settings:
        with problems.collected():
            settings[file] = read_mapping(file, root)
    problems.report()
    defaults, own = settings[base], settings[path]
    merged = merge(defaults, own)

    def file_of(setting: str) -> str:
        return f"environments/{(path if setting in own or setting not in defaults else base).name}"

    where = f"environments/{path.name}"
    problems.found.extend(f"{where}: {problem}" for problem in _unknown_settings(root, own, defaults))
    problems.found.extend(f"{where}: {problem}" for problem in _unknown_applications(root, merged, defaults))
    with problems.collected():
        environment = validate(Environment, merged, file_of, quote=True)
    if isinstance(merged.get("name"), str) and merged["name"] != name:
        problems.found.append(
            f"{where}: name: expected {name!r}, found {merged['name']!r}: "
            "it determines which values files the Applications read"
        )
    problems.report()
    return environment


def _unknown_settings(root: Path, own: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[str]:
    """Report misspelled settings. Other versions of Phalanx know others: those that their templates read."""
    unknown = [key for key in own if key not in environment_schema.SETTINGS and key not in defaults]
    if not unknown:
        return []
    templates = (path.read_bytes() for path in (root / "environments" / "templates").rglob("*") if path.is_file())
    read = {
        one or other for text in templates for one, other in _SETTING.findall(text.decode("utf-8", errors="replace"))
    }
    known = sorted(environment_schema.SETTINGS.union(map(str, defaults), read))
    return [f"{key}: is not a setting of Phalanx{nearest(str(key), known)}" for key in unknown if key not in read]


def _unknown_applications(root: Path, merged: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[str]:
    """Report misspelled applications, and revisions of applications that are not deployed."""
    known = sorted(path.name for path in (root / "applications").glob("*") if path.is_dir())
    applications, revisions, listed = (
        {key: value for key, value in each.items() if isinstance(key, str)} if isinstance(each, Mapping) else {}
        for each in (merged.get("applications"), merged.get("revisions"), defaults.get("applications"))
    )
    problems = []
    for name, enabled in applications.items():
        if not _APPLICATION.fullmatch(name):
            problems.append(f"applications.{name}: is not the name of an application{nearest(name, known)}")
        elif name not in known and (enabled or name not in listed):
            problems.append(
                f"applications.{name}: is {str(enabled).lower()}, but the Phalanx repository has no directory "
                f"applications/{name}{nearest(name, known)}"
            )
    for name in revisions:
        if applications.get(name) is not True:
            state = "disabled" if name in applications else "unknown"
            problems.append(
                f"revisions.{name}: the application is {state}: enable it in applications, or remove the revision"
                f"{nearest(name, (each for each, enabled in applications.items() if enabled))}"
            )
    return problems


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a suggestion for a misspelled name, to be appended to a message; empty if no known name is similar."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
