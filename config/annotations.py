"""Types of the models' fields, without what is irrelevant for the keys in a file."""

import types
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


def members(annotation: Any) -> tuple[Any, ...]:
    """Return the members of a (union) type, or the type itself, without annotations."""
    if get_origin(annotation) is Annotated:
        return members(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(each for member in get_args(annotation) for each in members(member))
    return (annotation,)


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models among the members of a type."""
    for member in members(annotation):
        if isinstance(member, type) and issubclass(member, BaseModel):
            yield member


def item_type(annotation: Any) -> Any:
    """Return the type of the items of a mapping or tuple; None for other types."""
    for member in members(annotation):
        if get_origin(member) is dict:
            return get_args(member)[1]
        if get_origin(member) is tuple:
            return get_args(member)[0]
    return None
