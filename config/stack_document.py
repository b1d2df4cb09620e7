"""Reading of a stack's file with the meaning that Pulumi gives to its YAML.

Pulumi passes each entry of ``config`` to a program as text: an object as JSON, all other values as they are.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

from config import go_yaml
from config.messages import is_secret, locate, nearest, path, text_key
from config.section import MAY_BE_PLAIN, SEALED
from config.stack_file import StackFile
from phalanx import documents
from phalanx.errors import PhalanxError

TOP_LEVEL: Final = ("config", "encryptedkey", "encryptionsalt", "environment", "secretsprovider")
"""Keys of a stack's file (sdk/go/common/workspace, ``ProjectStack``)."""

MAX_PROBLEMS: Final = 100
"""Maximum number of problems in one message."""

PULUMI: Final = "pulumi"
"""Namespace of Pulumi's own settings."""


class ConfigError(Exception):
    """The configuration is not valid.

    The message has one line per problem, with key path and fix, and without a value that may be secret.
    """


@dataclass(frozen=True, kw_only=True)
class StackDocument:
    """A stack's file; each of its keys is valid or reported as a problem."""

    entries: Mapping[str, Any] = field(default_factory=dict)
    """Values below ``config``, by key with its namespace."""
    problems: Sequence[str] = ()
    """Problems of keys."""

    def texts(self) -> dict[str, str]:
        """Return the values as Pulumi passes them to a program, except for encrypted ones, which are `SEALED`."""
        return {key: _text(value) for key, value in self.entries.items()}


def read(file: Path, project: str) -> StackDocument:
    """Read a stack's file.

    Args:
        file: Path of the file. Error messages contain only its name.
        project: Name of the Pulumi project, which is the namespace of its keys.

    Raises:
        ConfigError: The file cannot be read, is not YAML, repeats a key, or exceeds a limit.
    """
    try:
        content = documents.parse(
            _bytes(file), file.name, go_yaml.Loader, lambda keys: f"key {_file_path(keys, project)}"
        )
    except PhalanxError as error:
        raise ConfigError("\n".join(error.problems[:MAX_PROBLEMS])) from None
    entries = content.get("config", {}) if isinstance(content, dict) else content
    if not isinstance(entries or {}, dict):
        raise ConfigError(
            f"{file.name}: config must be a mapping with all keys, such as `config: {{{project}:cloud: ...}}`, found "
            f"{documents.kind(entries)}"
        )
    problems = [
        f"{text_key(key)} is outside `config`, where it has no effect: move it there, with the prefix {project}:"
        for key in content or {}
        if key not in TOP_LEVEL
    ]
    return StackDocument(entries=entries or {}, problems=problems)


def _bytes(file: Path) -> bytes:
    try:
        if not file.is_file():
            raise ConfigError(f"{file.name}: no such file: is the stack's name right?")
        # Never more than the limit, which the parser reports.
        with file.open("rb") as opened:
            return opened.read(documents.MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{file.name}: cannot be read ({error.strerror}): is the stack's name right?") from None
    except ValueError:
        raise ConfigError("the name of the stack is not valid: use the name of a file Pulumi.<stack>.yaml") from None


def foreign_keys(keys: Iterable[str], model: type[StackFile]) -> Iterator[str]:
    """Yield the keys that neither the project nor Pulumi reads.

    Providers take their settings only from the program (each is explicit), so other namespaces have no effect.

    Args:
        keys: Keys below ``config``, with their namespaces.
        model: Model of the project's configuration.
    """
    known = [each.alias or name for name, each in model.model_fields.items()]
    foreign = [key for key in keys if key.rpartition(":")[0] not in (model.project, PULUMI)]
    for key in foreign[: MAX_PROBLEMS + 1]:
        _, colon, name = key.rpartition(":")
        reason = f"has another namespace than {model.project}, and no effect" if colon else "has no namespace"
        yield f"{text_key(key)} {reason}; {nearest(name, known, f'{model.project}:')}"


def _file_path(keys: Sequence[str], project: str) -> str:
    """Return the key path of keys in a file."""
    if keys[0] != "config" or len(keys) == 1:
        return text_key(keys[0])
    below: list[int | str] = [int(key) if key.isdecimal() else key for key in keys[2:]]
    namespace, _, section = keys[1].rpartition(":")
    return path([section, *below], namespace or project)


def _text(value: Any) -> str:
    """Return a value as Pulumi passes it to a program."""
    sealed = _seal(value)
    if sealed is None:
        return ""
    return sealed if isinstance(sealed, str) else json.dumps(sealed)


def misplaced_secrets(document: StackDocument, model: type[StackFile]) -> dict[tuple[int | str, ...], str]:
    """Return the problems of encrypted values that are not secrets, which no tool can check, by their keys."""
    sealed = (keys for keys, value in _values(document, model) if is_sealed(value))
    misplaced = (
        keys for keys in sealed if (at := locate(keys, model)).annotation is not None and not is_secret(at, None)
    )
    return {
        tuple(keys): (
            f"{path(keys, model.project)} is encrypted, but only secrets may be: write it in plain text, and encrypt "
            "each secret in it by itself (`pulumi config set --secret --path`)"
        )
        for keys in islice(misplaced, MAX_PROBLEMS + 1)
    }


def plain_secrets(document: StackDocument, model: type[StackFile]) -> Iterator[str]:
    """Yield a warning for each secret that is not encrypted."""
    for keys, value in _values(document, model):
        if isinstance(value, str) and value.strip() and is_secret(locate(keys, model), MAY_BE_PLAIN):
            key = path(keys, model.project)
            yield f"{key} is a secret in plain text: encrypt it with `pulumi config set --secret --path '{key}'`"


def _values(document: StackDocument, model: type[StackFile]) -> Iterator[tuple[list[int | str], Any]]:
    """Yield the keys and values of a project's scalars and encrypted values."""
    for key, value in document.entries.items():
        namespace, _, name = key.partition(":")
        if namespace == model.project:
            yield from _leaves([name], value)


def _leaves(keys: list[int | str], value: Any) -> Iterator[tuple[list[int | str], Any]]:
    if isinstance(value, dict) and not is_sealed(value):
        for key, each in value.items():
            yield from _leaves([*keys, key], each)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _leaves([*keys, index], each)
    else:
        yield keys, value


def is_sealed(value: Any) -> bool:
    """Return whether a value is a ciphertext, as Pulumi writes it."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("secure"), str)


def _seal(value: Any) -> Any:
    """Return a value with `SEALED` in place of each ciphertext."""
    if is_sealed(value):
        return SEALED
    match value:
        case dict():
            return {key: _seal(each) for key, each in value.items()}
        case list():
            return [_seal(each) for each in value]
        case _:
            return value
