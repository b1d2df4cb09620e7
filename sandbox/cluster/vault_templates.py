"""Templates of VaultSecrets: the subset of Go's text/template that Phalanx's charts use.

As in Go, a missing key is the empty string for `index` and `<no value>` for a field.
"""

import re
from collections.abc import Mapping
from typing import Final

_ACTION: Final = re.compile(r"\{%(?P<expression>.*?)%\}", re.DOTALL)
_INDEX: Final = re.compile(r'index\s+\.Secrets\s+"(?P<key>[^"\\]*)"')
_FIELD: Final = re.compile(r"\.Secrets\.(?P<key>\w+)")

MISSING_FIELD: Final = "<no value>"


class TemplateError(Exception):
    """A template that cannot be rendered; the message contains the template but no secret value."""


def render(template: str, secrets: Mapping[str, str]) -> str:
    """Render a template whose actions are enclosed in `{%` and `%}`.

    Args:
        template: For example `{% index .Secrets "admin.password" %}` or `{% .Secrets.token %}`.
        secrets: Content of the VaultSecret's path in Vault.

    Raises:
        TemplateError: An action is unsupported or not closed.
    """
    if "{%" in _ACTION.sub("", template):
        raise TemplateError(f"unclosed action in {template!r}")
    return _ACTION.sub(lambda action: _evaluate(action["expression"].strip(), secrets), template)


def _evaluate(expression: str, secrets: Mapping[str, str]) -> str:
    if found := _INDEX.fullmatch(expression):
        return secrets.get(found["key"], "")
    if found := _FIELD.fullmatch(expression):
        return secrets.get(found["key"], MISSING_FIELD)
    raise TemplateError(f"only index and fields of .Secrets are supported, not {expression!r}")
