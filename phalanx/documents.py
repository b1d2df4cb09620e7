"""Reading of YAML files, with errors that name the file and the position in it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from phalanx.errors import PhalanxError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.CSafeLoader):
    """YAML loader that reads timestamps and a single ``=`` as text, as Helm does.

    It uses libyaml, which is ten times as fast as the parser in Python: a checkout has hundreds of files.
    """


def _as_text(loader: _Loader, node: yaml.ScalarNode) -> Any:
    return loader.construct_scalar(node)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _as_text)
_Loader.add_constructor("tag:yaml.org,2002:value", _as_text)


def parse_stream(text: str) -> list[Any]:
    """Parse a stream of YAML documents, without empty ones.

    Raises:
        yaml.YAMLError: The text is not YAML.
    """
    return [document for document in yaml.load_all(text, _Loader) if document is not None]


def parse_mapping(text: str | bytes, where: str) -> dict[str, Any]:
    """Parse a YAML document that is a mapping; an empty document is an empty mapping, as in Helm.

    Args:
        text: Text to parse.
        where: Name of the file, for error messages.

    Raises:
        PhalanxError: The text is not YAML or not a mapping. The message never quotes the text.
    """
    try:
        content = yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        # The messages about tags (!value) and aliases (*value) quote the text.
        quoting = isinstance(error, yaml.constructor.ConstructorError | yaml.composer.ComposerError)
        problem = None if quoting else error.problem
        raise PhalanxError(f"{where}{line}: not valid YAML: {problem or 'a value must be quoted'}") from None
    except yaml.YAMLError:
        raise PhalanxError(f"{where}: not valid YAML: contains a non-printable character") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise PhalanxError(f"{where}: expected a mapping, found a {type(content).__name__}")
    return content


def read_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML file that is a mapping; see `parse_mapping`.

    Raises:
        PhalanxError: The file cannot be read, or is not a mapping.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise PhalanxError(f"{path}: cannot be read: {error.strerror}") from None
    return parse_mapping(text, str(path))


def read_optional_mapping(path: Path) -> dict[str, Any]:
    """Read a YAML file that may be missing; a missing file is an empty mapping."""
    return read_mapping(path) if path.exists() else {}


def validate(model: type[Model], content: Mapping[str, Any], where: str) -> Model:
    """Validate parsed YAML against a model.

    Args:
        model: Class of the model.
        content: Parsed YAML.
        where: File and position of the content, for error messages.

    Raises:
        PhalanxError: The content is not valid. One problem per field, without the input, which may be secret.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = (
            ": ".join((where, *([".".join(map(str, detail["loc"]))] if detail["loc"] else []), _explain(detail)))
            for detail in error.errors(include_url=False, include_input=False, include_context=False)
        )
        raise PhalanxError(*problems) from None


def _explain(detail: "ErrorDetails") -> str:
    if detail["type"] == "string_type":
        return "must be text: put it in quotes"
    return detail["msg"].removeprefix("Value error, ")
