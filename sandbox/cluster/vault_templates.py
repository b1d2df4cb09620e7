"""The templates of a VaultSecret: as much of Go's text/template as Phalanx's charts use.

Go's rules for what is missing are kept: `index` gives the empty string, a field gives `<no value>`.
"""

import re
from collections.abc import Mapping
from typing import Final

_ACTION: Final = re.compile(r"\{%(?P<expression>.*?)%\}", re.DOTALL)
_INDEX: Final = re.compile(r'index\s+\.Secrets\s+"(?P<key>[^"\\]*)"')
_FIELD: Final = re.compile(r"\.Secrets\.(?P<key>\w+)")

MISSING_FIELD: Final = "<no value>"


class TemplateError(Exception):
    """A template that cannot be rendered; the message holds the template's text, never a secret's value."""


def render(template: str, secrets: Mapping[str, str]) -> str:
    """Fill a template whose actions stand between `{%` and `%}`.

    Args:
        template: For example `{% index .Secrets "admin.password" %}` or `{% .Secrets.token %}`.
        secrets: What Vault holds at the VaultSecret's path.

    Raises:
        TemplateError: An action is none of the two, or is not closed.
    """
    if "{%" in _ACTION.sub("", template):
        raise TemplateError(f"unclosed action in {template!r}")
    return _ACTION.sub(lambda action: _evaluate(action["expression"].strip(), secrets), template)


def _evaluate(expression: str, secrets: Mapping[str, str]) -> str:
    if found := _INDEX.fullmatch(expression):
        return secrets.get(found["key"], "")
    if found := _FIELD.fullmatch(expression):
        return secrets.get(found["key"], MISSING_FIELD)
    raise TemplateError(f"only index and fields of .Secrets are known here, not {expression!r}")
