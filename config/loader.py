"""Read a project's configuration from Pulumi or from a stack's file: the one place that does."""

import difflib
import json
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from config.stack_file import StackFile

if TYPE_CHECKING:
    import pulumi
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=StackFile)

SEALED = "[encrypted in the stack's file]"
"""Stands for an encrypted value where a file is read without its key."""


class ConfigError(Exception):
    """The configuration is wrong: one line for each problem, naming the key's path and how to mend it."""


def load(config: "pulumi.Config", model: type[Model]) -> Model:
    """Return the configuration of a running Pulumi program.

    Values of secret keys arrive decrypted: the fields that hold them are ``SecretStr``, and whoever passes one to a
    resource wraps it in ``pulumi.Output.secret``.

    Args:
        config: The project's configuration (``pulumi.Config()``).
        model: The project's model.

    Raises:
        ConfigError: If anything is wrong.
    """
    import pulumi  # noqa: PLC0415  # tools that read a file alone need not wait for it
    from pulumi.runtime.config import CONFIG, get_config_env  # noqa: PLC0415

    prefix = f"{config.name}:"
    # pulumi.Config cannot list its keys, and a misspelt one must not pass unseen.
    keys = {key.removeprefix(prefix) for key in {**get_config_env(), **CONFIG.get()} if key.startswith(prefix)}
    values = {key: _decode(text) for key in sorted(keys) if (text := config.get(key)) is not None}
    return parse(values, f"Pulumi.{pulumi.get_stack()}.yaml", model)


def load_file(path: Path, model: type[Model]) -> Model:
    """Return the configuration in a stack's file, for tools that run outside Pulumi; encrypted values read ``SEALED``.

    Args:
        path: The file.
        model: The project's model.

    Raises:
        ConfigError: If the file cannot be read or anything in it is wrong.
    """
    try:
        document = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}): is the stack's name right?") from None
    except yaml.YAMLError as error:
        # No more of it: the message of a parser quotes the text, which may hold a secret.
        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        at = f", see line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{path.name}: is not valid YAML{at}") from None
    entries = document.get("config") if isinstance(document, dict) else None
    if not isinstance(entries, dict):
        raise ConfigError(f"{path.name}: has no mapping `config:`; a stack's file holds all its values below that key")
    prefix = f"{model.project}:"
    values = {key.removeprefix(prefix): _seal(value) for key, value in entries.items() if key.startswith(prefix)}
    return parse(values, path.name, model)


def parse(values: Mapping[str, Any], source: str, model: type[Model]) -> Model:
    """Validate plain values.

    Args:
        values: Sections by their key without the project's prefix, as YAML or JSON gives them.
        source: File that errors are to name.
        model: The project's model.

    Raises:
        ConfigError: If anything is wrong.
    """
    try:
        return model.model_validate(dict(values), by_name=False, by_alias=True)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise ConfigError("\n".join(f"{source}: {_explain(detail, model)}" for detail in details)) from None


def _decode(text: str) -> Any:
    """Pulumi hands a program objects as JSON and everything else as bare text."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _seal(value: Any) -> Any:
    """The value with ``SEALED`` for each ``secure:`` entry, which is how Pulumi writes a ciphertext."""
    match value:
        case {"secure": str()} if len(value) == 1:
            return SEALED
        case dict():
            return {key: _seal(each) for key, each in value.items()}
        case list():
            return [_seal(each) for each in value]
        case _:
            return value


def _explain(detail: "ErrorDetails", root: type[StackFile]) -> str:
    """One problem in one sentence: the key's path, what is wrong, what was expected."""
    keys, field, neighbours = _locate(detail["loc"], root)
    path = f"{root.project}:" + ".".join(keys)
    expected = f" Expected: {field.description.rstrip('.')}." if field and field.description else ""
    match detail["type"]:
        case "missing":
            return f"{path} is missing.{expected}"
        case "extra_forbidden":
            near = difflib.get_close_matches(keys[-1], neighbours, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(sorted(neighbours))}"
            return f"{path} is not a known key; {hint}"
        case "conflict":
            return f"{path}: {detail['msg']}"
        case "union_tag_not_found" | "union_tag_invalid":
            kinds = [kind for model in _models(field and field.annotation) for kind in get_args(_discriminator(model))]
            return f"{path}.kind must be one of {', '.join(kinds)}.{expected}"
        case _:
            return f"{path}: {_words(detail)}.{expected}"


def _words(detail: "ErrorDetails") -> str:
    match detail["type"]:
        case "string_type":
            return "must be text: put it in quotes"
        case "string_too_short" | "too_short" if detail["ctx"]["min_length"] == 1:
            return "must not be empty"
        case _:
            return detail["msg"].removeprefix("Value error, ")


def _locate(location: tuple[int | str, ...], root: type[StackFile]) -> tuple[list[str], FieldInfo | None, list[str]]:
    """Follow pydantic's location through the models, from the root.

    Returns:
        The keys as a person wrote them (without the tag that pydantic adds for a union's member), the field at their
        end if it is one, and the names of the fields beside it.
    """
    keys: list[str] = []
    field: FieldInfo | None = None
    neighbours: list[str] = []
    annotation: Any = root
    for part in location:
        models = list(_models(annotation))
        fields = {each.alias or name: each for model in models for name, each in model.model_fields.items()}
        if part in fields:
            field, neighbours = fields[str(part)], list(fields)
            annotation = field.annotation
        elif get_origin(annotation) in (dict, tuple):
            annotation = get_args(annotation)[1 if get_origin(annotation) is dict else 0]
        elif tagged := [model for model in models if part in get_args(_discriminator(model))]:
            annotation = tagged[0]
            continue
        else:
            field, neighbours = None, list(fields)
        if part != "[key]":
            keys.append(str(part))
    return keys, field, neighbours


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models among the members of a (union) type."""
    if get_origin(annotation) in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from _models(member)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation


def _discriminator(model: type[BaseModel]) -> Any:
    """The type of the field that tells a union's members apart, None if the model has none."""
    return model.model_fields["kind"].annotation if "kind" in model.model_fields else None
