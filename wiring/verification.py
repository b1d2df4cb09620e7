"""Comparison of the values in a Phalanx repository with the facts and the configuration of a stack.

In mode ``apply``, the Applications override these values; in mode ``verify``, the repository must have them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import takewhile
from typing import Any, Final

from config.applications import WiringMode
from config.stack_config import StackConfig
from phalanx.application import Application
from phalanx.environment import Environment, nearest
from phalanx.values import merge
from wiring import configured_facts, facts, trust
from wiring.application_values import required_values

KEY: Final = "rsp:applications.wiring"

_IN_NO_REPOSITORY: Final = frozenset({"vault-secrets-operator"})
"""Applications whose fact changes without anybody's doing: a fingerprint of credentials that this stack rotates."""


_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


class Special(Enum):
    """Something else than a value."""

    MISSING = "not set"
    UNKNOWN = "known after `pulumi up`"


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A value in the repository that is not as the infrastructure or the configuration requires."""

    application: str
    file: str
    """Values file that sets the value, or that of the environment if none does."""
    keys: tuple[str | int, ...]
    """Keys from the root of the values; positions in lists are numbers."""
    found: Any
    """Value in the repository, or `Special.MISSING`."""
    expected: Any
    """Required value, or `Special.UNKNOWN`."""

    @property
    def key(self) -> str:
        """The keys as ``a.b[2].c``; those with other characters, as of annotations, in brackets."""
        return "".join(
            f".{key}" if isinstance(key, str) and _PLAIN_KEY.fullmatch(key) else f"[{json.dumps(key)}]"
            for key in self.keys
        ).removeprefix(".")

    def __str__(self) -> str:
        where = f"{self.file}: {self.key}: is {shown(self.found)}"
        if self.expected is Special.UNKNOWN:
            return f"{where}; the required value is {Special.UNKNOWN.value}"
        return f"{where}, expected {shown(self.expected)}"


def shown(value: Any) -> str:
    """Return a value for a message: in JSON, or what it is in place of one."""
    return value.value if isinstance(value, Special) else json.dumps(value, ensure_ascii=False)


def required(
    config: StackConfig, applications: Mapping[str, Application], ingress_address: str | Special
) -> dict[str, dict[str, Any]]:
    """Return the Helm values that the applications must have, by application.

    Args:
        config: The stack configuration.
        applications: The applications, with the values of the repository alone.
        ingress_address: The floating IP; UNKNOWN if it has not been created yet.
    """
    configured = required_values(config)
    known = configured_facts.of_cluster(config, ingress_address)
    found: dict[str, dict[str, Any]] = {}
    for name, application in applications.items():
        values = configured.get(name, {})
        if name not in _IN_NO_REPOSITORY:
            values = merge(values, facts.helm_values(name, known, application.values))
        values = merge(values, trust.helm_values(config, name, application.values))
        if values:
            found[name] = dict(values)
    return found


def differences(
    config: StackConfig, applications: Mapping[str, Application], ingress_address: str | Special
) -> list[Difference]:
    """Return what differs between the repository and the required values; arguments as for `required`."""
    return [
        each
        for name, values in required(config, applications, ingress_address).items()
        for each in _compare(applications[name], applications[name].values, values, ())
    ]


def problems(
    config: StackConfig, applications: Mapping[str, Application], ingress_address: str | Special = Special.UNKNOWN
) -> list[str]:
    """Return one message per value that is known to be wrong, and how to change them; empty unless the mode is verify.

    Arguments as for `required`.
    """
    if config.applications.wiring is not WiringMode.VERIFY:
        return []
    if config.ingress.floating_ip:
        ingress_address = str(config.ingress.floating_ip)
    wrong = [
        str(each) for each in differences(config, applications, ingress_address) if each.expected is not Special.UNKNOWN
    ]
    if wrong:
        wrong.append(
            f"{KEY}: is verify, so the repository must have these values: change it with the output of `python -m "
            "operations wiring --patch -s STACK`"
        )
    return wrong


def unknown_applications(config: StackConfig, environment: Environment) -> list[str]:
    """Return one message per application that this program has values for, but Phalanx does not know (any longer)."""
    known = environment.applications
    return [
        f"environments/values.yaml: applications: has no {name}{nearest(name, known)}: what this program passes to "
        f"{name} reaches no application. If it has another name in this revision of Phalanx, it needs a newer release "
        "of this program"
        for name in sorted({*facts.APPLICATIONS, *required_values(config)})
        if name not in known
    ]


def _compare(application: Application, found: Any, wanted: Any, keys: tuple[str | int, ...]) -> Iterator[Difference]:
    if isinstance(wanted, Mapping) and wanted:
        inner = found if isinstance(found, Mapping) else {}
        for key, value in wanted.items():
            yield from _compare(application, inner.get(key, Special.MISSING), value, (*keys, key))
    elif isinstance(wanted, list) and isinstance(found, list) and len(found) == len(wanted):
        for position, value in enumerate(wanted):
            yield from _compare(application, found[position], value, (*keys, position))
    elif (type(found), found) != (type(wanted), wanted):
        # A list is in one file as a whole.
        names = takewhile(lambda key: isinstance(key, str), keys)
        yield Difference(
            application=application.name,
            file=application.file_of(*map(str, names)),
            keys=keys,
            found=found,
            expected=wanted,
        )
