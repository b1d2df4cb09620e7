"""Read a project's configuration from Pulumi or from a stack's file. No other module does.

Both go through the same parser: a file is first converted to what Pulumi passes to a program.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from config import stack_document
from config.messages import message
from config.messages import path as key_path
from config.section import SEALED
from config.stack_document import MAX_PROBLEMS, ConfigError, StackDocument
from config.stack_file import StackFile

if TYPE_CHECKING:
    import pulumi
    from pydantic_core import ErrorDetails

__all__ = ["SEALED", "ConfigError", "load", "load_checked", "load_file", "parse"]

Model = TypeVar("Model", bound=StackFile)

Encrypted = Mapping[tuple[int | str, ...], str]

_MAX_DEPTH: Final = 64
"""Maximum nesting of a value, as in a stack's file."""


def load(config: "pulumi.Config", model: type[Model]) -> Model:
    """Return the configuration of a running Pulumi program, and warn about secrets in plain text in the stack's file.

    Values of secret keys arrive decrypted: their fields are ``SecretStr``, and code that passes one to a resource must
    wrap it in ``pulumi.Output.secret``.

    Args:
        config: The project's configuration (``pulumi.Config()``).
        model: The project's model.

    Raises:
        ConfigError: The configuration is not valid.
    """
    import pulumi
    from pulumi.runtime.config import CONFIG, get_config_env

    # pulumi.Config cannot list its keys, and misspelled keys must be reported.
    keys = sorted({**get_config_env(), **CONFIG.get()})
    prefix = f"{config.name}:"
    names = [key.removeprefix(prefix) for key in keys if key.startswith(prefix)]
    texts = {name: text for name in names if (text := config.get(name)) is not None}
    file = Path(f"Pulumi.{pulumi.get_stack()}.yaml")
    # Pulumi passes on neither what is outside `config`, nor which values are encrypted.
    document = stack_document.read(file, model.project) if file.is_file() else StackDocument()
    if not {key if ":" in key else f"{prefix}{key}" for key in document.entries} <= {*keys}:
        # With --config-file, it is not the file in use.
        document = StackDocument()
    for warning in stack_document.plain_secrets(document, model):
        pulumi.warn(f"{file.name}: {warning}")
    return _parse(texts, file.name, model, keys, document)


def load_file(path: Path, model: type[Model]) -> Model:
    """Return the configuration in a stack's file, for tools that run outside Pulumi; encrypted values are ``SEALED``.

    Args:
        path: Path of the file.
        model: The project's model.

    Raises:
        ConfigError: The file cannot be read, or the configuration is not valid.
    """
    config, _ = load_checked(path, model)
    return config


def load_checked(path: Path, model: type[Model]) -> tuple[Model, list[str]]:
    """Return the configuration in a stack's file as `load_file` does, and a warning for each secret in plain text."""
    document = stack_document.read(path, model.project)
    prefix = f"{model.project}:"
    texts = {key.removeprefix(prefix): text for key, text in document.texts().items() if key.startswith(prefix)}
    config = _parse(texts, path.name, model, document.entries, document)
    return config, [*stack_document.plain_secrets(document, model)]


def parse(values: Mapping[str, Any], source: str, model: type[Model]) -> Model:
    """Validate plain values.

    Args:
        values: Sections by key without the project's prefix, as in JSON.
        source: Name of the file, for error messages.
        model: The project's model.

    Raises:
        ConfigError: The configuration is not valid.
    """
    return _validate(values, source, model, (), {})


def _parse(
    texts: Mapping[str, str], source: str, model: type[Model], keys: Iterable[str], document: StackDocument
) -> Model:
    """Validate a project's values, and the keys of all namespaces, and report all problems together."""
    annotations = {each.alias: each.annotation for each in model.model_fields.values()}
    values = {key: _decode(text, annotations.get(key)) for key, text in texts.items()}
    encrypted = stack_document.misplaced_secrets(document, model)
    return _validate(
        values,
        source,
        model,
        [*document.problems, *stack_document.foreign_keys(sorted({*keys, *document.entries}), model)],
        encrypted,
    )


def _validate(
    values: Mapping[str, Any], source: str, model: type[Model], problems: Sequence[str], encrypted: Encrypted
) -> Model:
    """Validate values.

    Args:
        values: Values by section.
        source: Name of the file, for error messages.
        model: The project's model.
        problems: Problems that have already been found.
        encrypted: Problems of values that are encrypted although they are not secrets, by their keys.
    """
    deep = [key for key, value in values.items() if _is_deep(value, _MAX_DEPTH)]
    lines = [*problems, *encrypted.values(), *(f"{key_path([key], model.project)} is nested too deep" for key in deep)]
    text = _json({key: value for key, value in values.items() if key not in deep})
    try:
        config = model.model_validate_json(text, strict=True, by_name=False, by_alias=True)
    except ValidationError as error:
        details = [*error.errors(include_url=False), *_conflicts(error, values, model)]
        lines += [message(each, model) for each in details[: MAX_PROBLEMS + 1] if each["loc"] not in encrypted]
    else:
        if not lines:
            return config
    if len(lines) > MAX_PROBLEMS:
        lines[MAX_PROBLEMS:] = ["config has more problems, which are reported once these are solved"]
    # Without the original error, as its values may be secret.
    raise ConfigError("\n".join(f"{source}: {line}" for line in lines)) from None


def _decode(text: str, annotation: Any) -> Any:
    """Return the value of a text that Pulumi passes to a program: an object as JSON, all other values as they are."""
    if annotation is bool:
        return {"true": True, "false": False}.get(text, text)
    if annotation is str:
        return text
    with suppress(ValueError, RecursionError):
        return json.loads(text)
    return text


def _json(values: Any) -> str:
    """Return values as JSON, with U+FFFD in place of unpaired surrogates, which are not valid Unicode."""
    return re.sub("[\ud800-\udfff]", "\ufffd", json.dumps(values, ensure_ascii=False))


def _is_deep(value: Any, levels: int) -> bool:
    nested = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_is_deep(each, levels - 1) for each in nested)


def _conflicts(error: ValidationError, values: Mapping[str, Any], model: type[StackFile]) -> list["ErrorDetails"]:
    """Return the conflicts between valid sections, which pydantic does not look for if another section is invalid."""
    wrong = {each["loc"][0] for each in error.errors(include_url=False)}
    if any(each["type"] == "conflict" for each in error.errors(include_url=False)):
        return []
    valid: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key in wrong:
            continue
        valid[name] = (
            TypeAdapter(field.rebuild_annotation()).validate_json(
                _json(values[key]), strict=True, by_name=False, by_alias=True
            )
            if key in values
            else field.default
        )
    return [{"type": "conflict", "loc": keys, "msg": reason, "input": None} for keys, reason in model.conflicts(valid)]
