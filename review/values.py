"""Property values in events of the Pulumi CLI, without secrets.

The engine marks values that are not plain JSON by a signature: sdk/go/common/resource/sig/sig.go and
pkg/resource/stack/deployment.go (`SerializePropertyValue`) in https://github.com/pulumi/pulumi.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from phalanx.errors import PhalanxError

SECRET: Final = "[secret]"  # noqa: S105 - what is shown in place of one
UNKNOWN: Final = "(known after the update)"
ABSENT: Final = None
"""Value of a property that does not exist: the engine does not tell it from null."""

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_SECRET_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a type's, the same for all secrets
_REFERENCE_SIGNATURE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
_UNKNOWN_VALUE: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class PlaintextSecretsError(PhalanxError):
    """An event log contains secrets in plaintext."""


class Difference(NamedTuple):
    """A leaf of a property, or the items of a list, that differ or exist on one side only."""

    path: str
    """Path of the leaf, in the notation of Pulumi, such as ``spec.volumes[0].name``."""
    old: Any
    """Previous value, `ABSENT` if it is new."""
    new: Any
    """New value, `ABSENT` if it is removed."""


def shown(value: Any) -> Any:
    """Return a property value with secrets and unknown values replaced by `SECRET` and `UNKNOWN`.

    Raises:
        PlaintextSecretsError: The value contains a secret in plaintext.
    """
    match value:
        case {"plaintext": _, **rest} if rest.get(_SIGNATURE) == _SECRET_SIGNATURE:
            raise PlaintextSecretsError(
                "the event log contains secrets in plaintext: delete it, and run the command without --show-secrets"
            )
        case Mapping() if _SIGNATURE in value:
            if value[_SIGNATURE] == _SECRET_SIGNATURE:
                return SECRET
            return value.get("urn", "(asset)") if value[_SIGNATURE] == _REFERENCE_SIGNATURE else "(asset)"
        case Mapping():
            return {key: shown(each) for key, each in value.items()}
        case list():
            return [shown(each) for each in value]
        case str():
            return UNKNOWN if value == _UNKNOWN_VALUE else value
        case _:
            return value


def differences(old: Any, new: Any, path: str = "") -> Iterator[Difference]:
    """Yield the leaves that differ between two values from `shown`, in the order of the new value's keys."""
    match old, new:
        case Mapping(), Mapping():
            for key in dict.fromkeys([*new, *old]):
                yield from differences(old.get(key, ABSENT), new.get(key, ABSENT), _joined(path, key))
        case list(), list() if len(old) == len(new) and all(isinstance(each, Mapping) for each in (*old, *new)):
            for index, (before, after) in enumerate(zip(old, new, strict=True)):
                yield from differences(before, after, f"{path}[{index}]")
        case list(), list() if old != new:
            removed, added = _without(old, new), _without(new, old)
            # A list in another order is shown whole.
            yield Difference(path, removed, added) if removed or added else Difference(path, old, new)
        case _ if old != new:
            yield Difference(path, old, new)


def at(value: Any, *keys: str) -> Any:
    """Return the value at a path of keys, or `ABSENT` if there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else ABSENT
    return value


def _without(items: list[Any], others: list[Any]) -> Any:
    return [each for each in items if each not in others] or ABSENT


def _joined(path: str, key: str) -> str:
    if not key.replace("_", "").replace("-", "").isalnum():
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key
