"""The conditions of the annotation `pulumi.com/waitFor`, and why an object does not meet them.

Syntax by https://www.pulumi.com/registry/packages/kubernetes/ ("pulumi.com/waitFor"): `jsonpath={.path}=value`,
`jsonpath={.path}` or `condition=Type[=Status]`; a JSON list of them has to hold altogether.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.engine.errors import ResourceError
from sandbox.engine.values import Properties

WAIT_FOR: Final = "pulumi.com/waitFor"
_STEP: Final = re.compile(
    r"""\.(?P<name>[\w-]+)
      | \[['"](?P<quoted>[^'"]+)['"]\]
      | \[(?P<index>\d+)\]
      | \[\?\(?\s*@(?P<filter>(?:\.[\w-]+)+)\s*==\s*['"](?P<equals>[^'"]*)['"]\s*\)?\]""",
    re.VERBOSE,
)
_MISSING: Final = object()


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One thing to wait for.

    Attributes:
        text: As the annotation says it.
        path: The steps to the value.
        value: What has to stand there; None if anything will do.
    """

    text: str
    path: tuple[re.Match[str], ...]
    value: str | None

    def holds(self, found: Properties) -> bool:
        """Whether the object meets it."""
        value = self.found(found)
        if value is None:
            return False
        return self.value is None or _text(value) == self.value

    def found(self, found: Properties) -> Any:
        """What stands at the path; None if nothing does."""
        value: Any = found
        for step in self.path:
            value = _follow(value, step)
            if value is _MISSING:
                return None
        return value


def conditions(metadata: Mapping[str, Any]) -> list[Condition]:
    """What the annotation of an object asks to wait for.

    Raises:
        ResourceError: It is malformed.
    """
    text = (metadata.get("annotations") or {}).get(WAIT_FOR)
    if not text:
        return []
    if not text.startswith("["):
        return [parse(text)]
    try:
        listed = json.loads(text)
    except ValueError as error:
        raise ResourceError(f"{WAIT_FOR}: {text!r} is no JSON list") from error
    return [parse(each) for each in listed]


def parse(text: str) -> Condition:
    """One condition.

    Raises:
        ResourceError: It is malformed.
    """
    if not text.startswith("jsonpath="):
        kind, _, status = text.removeprefix("condition=").partition("=")
        return Condition(
            text=text, path=_steps(f'.status.conditions[?(@.type=="{kind}")].status'), value=status or "True"
        )
    match = re.fullmatch(r"jsonpath=\{\s*\$?(?P<path>[^{}]+?)\s*\}(?:=(?P<value>.+))?", text)
    if match is None:
        raise ResourceError(f"{WAIT_FOR}: {text!r} must have the form jsonpath={{.path}}=value or jsonpath={{.path}}")
    return Condition(text=text, path=_steps(match["path"]), value=match["value"])


def observed(found: Properties) -> bool:
    """Whether the object's status speaks of its present generation."""
    seen = (found.get("status") or {}).get("observedGeneration")
    return not isinstance(seen, int) or seen >= found["metadata"].get("generation", 0)


def unmet(wanted: Iterable[Condition], found: Properties) -> str:
    """What is missing, and the causes that the object itself tells."""
    missing = [
        f"{each.text} (it is {_text(value) if (value := each.found(found)) is not None else 'not there'})"
        for each in wanted
        if not each.holds(found)
    ]
    if not observed(found):
        missing.append("its status speaks of an older generation")
    causes = list(_causes(found))
    return "waited in vain for " + ", ".join(missing) + ("".join(f"\n  {each}" for each in causes))


def _causes(found: Properties) -> Iterable[str]:
    status = found.get("status") or {}
    for each in status.get("conditions") or []:
        if (each.get("message") and each.get("status", "True") != "True") or each.get("type", "").endswith("Error"):
            yield f"{each['type']}: {each.get('message', '')}"
    if message := (status.get("operationState") or {}).get("message"):
        yield f"last sync {status['operationState'].get('phase', '')}: {message}"
    if message := (status.get("health") or {}).get("message"):
        yield f"health: {message}"
    for each in status.get("resources") or []:
        health = each.get("health") or {}
        if each.get("status") != "Synced" or health.get("status", "Healthy") != "Healthy":
            name = "/".join(part for part in (each.get("namespace"), each.get("name")) if part)
            state = ", ".join(
                part for part in (each.get("status"), health.get("status"), health.get("message")) if part
            )
            yield f"{each.get('kind')} {name}: {state}"


def _steps(path: str) -> tuple[re.Match[str], ...]:
    steps, position = [], 0
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise ResourceError(
                f"{WAIT_FOR}: {path!r} is more JSONPath than the sandbox's engine knows: .name, ['name'], [0] and "
                '[?(@.name=="value")]'
            )
        steps.append(step)
        position = step.end()
    return tuple(steps)


def _follow(value: Any, step: re.Match[str]) -> Any:
    if key := step["name"] or step["quoted"]:
        return value.get(key, _MISSING) if isinstance(value, Mapping) else _MISSING
    if not isinstance(value, list):
        return _MISSING
    if step["index"]:
        return value[int(step["index"])] if int(step["index"]) < len(value) else _MISSING
    names = step["filter"].removeprefix(".").split(".")
    for each in value:
        at: Any = each
        for name in names:
            at = at.get(name, _MISSING) if isinstance(at, Mapping) else _MISSING
        if at == step["equals"]:
            return each
    return _MISSING


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value)
