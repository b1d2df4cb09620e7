"""The project's and the stack's configuration, read and checked as the Pulumi CLI does it.

Sources of the rules: https://www.pulumi.com/docs/iac/concepts/config/ and pulumi/pulumi `pkg/workspace/config.go`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from phalanx import documents
from phalanx.errors import PhalanxError
from sandbox.engine import secrets
from sandbox.engine.errors import EngineError

_TYPES: Final[Mapping[str, type | tuple[type, ...]]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
}
_DISABLED_PROVIDERS: Final = "pulumi:disable-default-providers"


@dataclass(frozen=True, kw_only=True)
class StackConfig:
    """What `pulumi.Config` will say to the program.

    Attributes:
        project: The project's name.
        stack: The stack's name.
        root: The directory of Pulumi.yaml.
        values: Text by full key (`rsp:network`); objects and lists as JSON. Secrets are decrypted.
        secret_keys: The keys whose value holds a secret.
    """

    project: str
    stack: str
    root: Path
    main: Path
    values: Mapping[str, str] = field(repr=False)
    secret_keys: frozenset[str] = field(default=frozenset())

    def default_provider_disabled(self, package: str) -> bool:
        """Whether each resource of `package` has to name its provider."""
        disabled = json.loads(self.values.get(_DISABLED_PROVIDERS, "[]"))
        return "*" in disabled or package in disabled

    def of_package(self, package: str) -> dict[str, str]:
        """The settings of a package's default provider (`openstack:cloud` as `cloud`)."""
        prefix = f"{package}:"
        return {key.removeprefix(prefix): value for key, value in self.values.items() if key.startswith(prefix)}


def load(root: Path, stack: str, file: Path | None = None) -> StackConfig:
    """Read Pulumi.yaml and the stack's configuration.

    Args:
        root: The project's directory.
        stack: The stack's name.
        file: The stack's configuration; Pulumi.<stack>.yaml where it is None.

    Raises:
        EngineError: A file is missing or malformed, a key lacks its value or has the wrong type, or a secret cannot be
            decrypted; all faults of the keys in one message.
    """
    project_file = root / "Pulumi.yaml"
    project = _read(project_file)
    name = project.get("name")
    if not isinstance(name, str):
        raise EngineError(f"{project_file}: `name` is missing")
    stack_file = file or root / f"Pulumi.{stack}.yaml"
    if not stack_file.exists():
        known = sorted(path.name.split(".")[1] for path in root.glob("Pulumi.*.yaml"))
        raise EngineError(f"no stack {stack!r}: {stack_file} is missing; there are {', '.join(known) or 'none'}")
    document = _read(stack_file)
    given = {_qualify(key, name): value for key, value in (document.get("config") or {}).items()}
    declared = {_qualify(key, name): _declaration(value) for key, value in (project.get("config") or {}).items()}

    faults = []
    for key, declaration in declared.items():
        default = declaration.get("value", declaration.get("default"))
        if key not in given and default is not None:
            given[key] = default
        if fault := _fault(declaration, given.get(key)):
            faults.append(f"{stack_file.name}: {key}: {fault}")
    if faults:
        raise EngineError("\n".join(faults))

    crypter = _crypter(document, given)
    values, secret_keys = {}, set()
    for key, value in given.items():
        plain = _decrypt(value, crypter)
        values[key] = plain if isinstance(plain, str) else json.dumps(plain)
        if plain != value:
            secret_keys.add(key)
    main = root / str(project.get("main") or "") / "__main__.py"
    return StackConfig(
        project=name, stack=stack, root=root, main=main, values=values, secret_keys=frozenset(secret_keys)
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return documents.read_mapping(path)
    except PhalanxError as error:
        raise EngineError(str(error)) from None


def _qualify(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _declaration(value: Any) -> dict[str, Any]:
    """A key's declaration in Pulumi.yaml; the short form gives a value alone."""
    return value if isinstance(value, dict) else {"value": value}


def _fault(declaration: Mapping[str, Any], value: Any) -> str | None:
    """What is wrong with a value, by its declaration."""
    kind = declaration.get("type")
    if value is None:
        if not kind:
            return None
        described = f" ({declaration['description']})" if "description" in declaration else ""
        return f"missing {kind}{described}"
    secret = _is_secret(value)
    if declaration.get("secret") and not secret:
        return "is declared a secret but stands in plain text: set it with `pulumi config set --secret`"
    if kind and not secret and (kind not in _TYPES or not _is(kind, value)):
        return f"expected {kind}, got {type(value).__name__}"
    return None


def _is(kind: str, value: Any) -> bool:
    return isinstance(value, _TYPES[kind]) and not (kind == "integer" and isinstance(value, bool))


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"secure"}


def _contains_secret(value: Any) -> bool:
    match value:
        case dict():
            return _is_secret(value) or any(map(_contains_secret, value.values()))
        case list():
            return any(map(_contains_secret, value))
        case _:
            return False


def _crypter(document: Mapping[str, Any], given: Mapping[str, Any]) -> secrets.Crypter | None:
    if not any(map(_contains_secret, given.values())):
        return None
    if salt := document.get("encryptionsalt"):
        return secrets.Crypter.open(secrets.passphrase(), salt)
    raise EngineError(
        "the stack's configuration has secrets but no `encryptionsalt`: "
        "the sandbox's engine knows Pulumi's passphrase provider only"
    )


def _decrypt(value: Any, crypter: secrets.Crypter | None) -> Any:
    match value:
        case dict() if _is_secret(value) and crypter:
            return crypter.decrypt(value["secure"])
        case dict():
            return {key: _decrypt(each, crypter) for key, each in value.items()}
        case list():
            return [_decrypt(each, crypter) for each in value]
        case _:
            return value
