"""Reading of YAML files, with errors that name the file and the position in it.

A file may come from anywhere, so size, nesting and aliases are limited before any value is constructed.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from phalanx.errors import PhalanxError
from phalanx.yaml_structure import check_structure, last_key

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)

MAX_BYTES: Final = 4 * 1024 * 1024
"""Maximum size of a file in bytes; the largest values file of Phalanx has 40 thousand."""

_TAG = "tag:yaml.org,2002:"


class _Loader(yaml.CSafeLoader):
    """YAML loader that reads timestamps and a single ``=`` as text, as Helm does.

    It uses libyaml, which is ten times as fast as the parser in Python: a checkout has hundreds of files.
    """


def _as_text(loader: _Loader, node: yaml.ScalarNode) -> Any:
    return loader.construct_scalar(node)


def _checked(construct: Callable[[_Loader, yaml.ScalarNode], Any]) -> Callable[[_Loader, yaml.ScalarNode], Any]:
    """Report a scalar that does not fit its tag, such as ``!!int x`` or a number with 5000 digits, with its line."""

    def checked(loader: _Loader, node: yaml.ScalarNode) -> Any:
        try:
            return construct(loader, node)
        except (LookupError, ValueError):
            raise yaml.constructor.ConstructorError(None, None, "not a number", node.start_mark) from None

    return checked


_Loader.add_constructor(f"{_TAG}timestamp", _as_text)
_Loader.add_constructor(f"{_TAG}value", _as_text)
for _tag in ("bool", "float", "int"):
    _Loader.add_constructor(f"{_TAG}{_tag}", _checked(_Loader.yaml_constructors[f"{_TAG}{_tag}"]))


def parse_stream(text: str) -> list[Any]:
    """Parse a stream of YAML documents, without empty ones.

    Raises:
        yaml.YAMLError: The text is not YAML.
    """
    return [document for document in yaml.load_all(text, _Loader) if document is not None]


def parse(
    text: str | bytes,
    where: str,
    loader: type[yaml.CSafeLoader] = _Loader,
    name: Callable[[Sequence[str]], str] = last_key,
) -> Any:
    """Parse a YAML document, with the limits of this module and without repeated keys.

    Args:
        text: Text to parse, in UTF-8 if it is bytes.
        where: Name of the file, for error messages.
        loader: Loader that creates the values.
        name: Returns a name of a key from all keys that lead to it, for error messages.

    Returns:
        The content of the document; None if it is empty.

    Raises:
        PhalanxError: The text is not YAML, or exceeds a limit. The message never quotes a value.
    """
    if len(text) > MAX_BYTES:
        raise PhalanxError(f"{where}: has more than {MAX_BYTES // 1024**2} MiB: expected a YAML file")
    if isinstance(text, bytes):
        text = _decode(text, where)
    try:
        check_structure(yaml.parse(text, loader), where, name)
        return yaml.load(text, loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise PhalanxError(f"{where}{line}: not valid YAML: {_problem(error)}") from None
    except yaml.YAMLError:
        raise PhalanxError(f"{where}: not valid YAML: contains a non-printable character") from None


def parse_mapping(text: str | bytes, where: str) -> dict[str, Any]:
    """Parse a YAML document that is a mapping; an empty document is an empty mapping, as in Helm.

    Args:
        text: Text to parse.
        where: Name of the file, for error messages.

    Raises:
        PhalanxError: As for `parse`, or the document is not a mapping.
    """
    content = parse(text, where)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise PhalanxError(f"{where}: expected a mapping (`key: value`), found {kind(content)}")
    return content


def read_mapping(path: Path, root: Path | None = None, where: str = "") -> dict[str, Any]:
    """Read a YAML file that is a mapping; see `parse_mapping`.

    Args:
        path: Path of the file.
        root: Directory to which paths in error messages are relative, for a file of a checkout.
        where: Name of the file for error messages in place of its path.

    Raises:
        PhalanxError: The file cannot be read, or is not a mapping.
    """
    where = where or str(path.relative_to(root) if root else path)
    try:
        # Never more than the limit: a device file has no end.
        with path.open("rb") as file:
            text = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its path is not valid"
        raise PhalanxError(f"{where}: cannot be read: {reason}") from None
    return parse_mapping(text, where)


def read_optional_mapping(path: Path, root: Path | None = None) -> dict[str, Any]:
    """Read a YAML file that may be missing; a missing file is an empty mapping."""
    return read_mapping(path, root) if path.exists() else {}


def kind(value: Any) -> str:
    """Return the name of a value's type in YAML, with its article, for error messages."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case Mapping():
            return "a mapping"
        case _:
            return "a list"


def key_path(keys: tuple[int | str, ...]) -> str:
    """Return the path of a value as ``a.b[2].c``."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")


def validate(
    model: type[Model], content: Mapping[str, Any], where: str | Callable[[str], str], *, quote: bool = False
) -> Model:
    """Validate parsed YAML against a model.

    Args:
        model: Class of the model.
        content: Parsed YAML.
        where: File and position of the content, for error messages; or a function that returns them for a key of the
            content.
        quote: Whether messages may quote numbers and booleans of the content, as none is secret.

    Raises:
        PhalanxError: The content is not valid. One problem per field.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems = []
        for detail in error.errors(include_url=False, include_context=False):
            keys = tuple(each for each in detail["loc"] if each != "[key]")
            place = where if isinstance(where, str) else where(str(keys[0]) if keys else "")
            problems.append(": ".join((place, *([key_path(keys)] if keys else []), _explain(detail, quote=quote))))
        raise PhalanxError(*problems) from None


EXPECTATIONS: Final = {
    "bool_type": "must be true or false, without quotes",
    "dict_type": "must be a mapping (`key: value`)",
    "mapping_type": "must be a mapping (`key: value`)",
    "model_type": "must be a mapping (`key: value`)",
    "string_type": "must be text: put it in quotes",
    "tuple_type": "must be a list (`- value`)",
}
"""What is expected, by pydantic's type of error."""


def _explain(detail: "ErrorDetails", *, quote: bool) -> str:
    match detail["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "is not a known key"
        case "invalid_key":
            return "keys must be text: put them in quotes"
        case kind_of_error if kind_of_error in EXPECTATIONS:
            key = "this key " if detail["loc"][-1:] == ("[key]",) else ""
            found = detail["input"]
            quoted = f"{found} is " if quote and isinstance(found, bool | int | float) else ""
            return f"{key}{EXPECTATIONS[kind_of_error]} ({quoted}{kind(found)})"
        case _:
            return detail["msg"].removeprefix("Value error, ")


def _decode(text: bytes, where: str) -> str:
    try:
        return text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise PhalanxError(f"{where}:{line}: is not UTF-8 text: save the file as UTF-8") from None


def _problem(error: yaml.MarkedYAMLError) -> str:
    """Return what is wrong, without the values that the messages about tags (!value) and aliases (*value) quote."""
    if isinstance(error, yaml.constructor.ConstructorError | yaml.composer.ComposerError):
        if "single document" in str(error.context):
            return "a second document (---) follows: expected one"
        return "a key must be text" if error.problem == "found unhashable key" else "a value must be quoted"
    return error.problem or "a value must be quoted"
