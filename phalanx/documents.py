"""Reading of YAML files, with errors that name the file and the place in it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from phalanx.errors import PhalanxError

# A checkout has hundreds of files: libyaml's parser takes a tenth of the time of the one in Python.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Model = TypeVar("Model", bound=BaseModel)


def parse_stream(text: str) -> list[Any]:
    """Parse a stream of YAML documents, leaving out the empty ones.

    Raises:
        yaml.YAMLError: The text is not YAML.
    """
    return [document for document in yaml.load_all(text, _LOADER) if document is not None]


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds one mapping; an empty file is an empty mapping, as for Helm.

    Raises:
        PhalanxError: The file cannot be read, is not YAML, or holds something else.
    """
    try:
        content = yaml.load(path.read_bytes(), _LOADER)  # noqa: S506 - both candidates are safe
    except OSError as error:
        raise PhalanxError(f"{path}: cannot be read: {error.strerror}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        raise PhalanxError(f"{path}{line}: not valid YAML: {getattr(error, 'problem', None) or error}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise PhalanxError(f"{path}: expected a mapping, found a {type(content).__name__}")
    return content


def read_optional_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML file that need not exist; a missing file is an empty mapping."""
    return read_mapping(path) if path.exists() else {}


def validate(model: type[Model], content: Mapping[str, Any], where: str) -> Model:
    """Make a model of parsed YAML.

    Args:
        model: Model to make.
        content: Parsed YAML.
        where: File, and place in it, that the content came from.

    Raises:
        PhalanxError: The content does not fit; one problem a field, without the input, which may be secret.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = (
            ": ".join((where, *([".".join(map(str, detail["loc"]))] if detail["loc"] else []), detail["msg"]))
            for detail in error.errors(include_url=False, include_input=False, include_context=False)
        )
        raise PhalanxError(*problems) from None
