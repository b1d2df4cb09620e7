"""Write the pages that are generated from the code: ``python -m docs.generate``, before MkDocs builds the site."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import typer
from typer.cli import get_docs_for_click
from typer.main import get_command

from config.changes import Change, keys
from config.messages import flow
from config.stack_config import StackConfig
from config.stack_file import StackFile
from config.vault_stack import VaultStackConfig
from operations.__main__ import app as operations
from program import outputs as platform_outputs
from program import vault_outputs
from sandbox.__main__ import app as sandbox

ROOT = Path(__file__).parents[1]
DOCS = Path(__file__).parent

COPIED = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "sandbox/README.md": "sandbox.md"}
"""Files outside of the folder that MkDocs reads, and their pages."""

CHANGING_KEYS = DOCS / "howto" / "changing-keys.md"
"""Page with tables that are generated, and that is committed, as other files link it."""

_LINK = re.compile(r"(!?)\[([^]]*)\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)")

_FORMATS: Mapping[str | None, str] = {
    "ipv4": "IPv4 address",
    "ipv4network": "IPv4 network",
    "password": "secret",
    "path": "path",
    "uri": "URL",
}
"""Names of the formats of JSON schema and pydantic."""

_INTRODUCTION = """\
All keys of `{file}`, below `config:`. `NAME` in a key is a name that you choose. A *secret* is set with
`pulumi config set --secret --path KEY`, which encrypts it. Unknown keys are rejected. *Change* is the effect of a
change on a running site: [details](../howto/changing-keys.md). It is empty for sections, which have that of their
keys."""

Schema = Mapping[str, Any]


class _Row(NamedTuple):
    key: str
    type: str
    default: str
    change: str
    description: str


def pages() -> dict[str, str]:
    """Return the Markdown of each generated page by its path within ``docs/``."""
    return {
        "reference/configuration.md": configuration("Configuration", "Pulumi.<stack>.yaml", StackConfig),
        "reference/vault-configuration.md": configuration(
            "Vault configuration", "vault/Pulumi.<stack>.yaml", VaultStackConfig
        ),
        "reference/outputs.md": outputs(),
        "reference/commands.md": commands(),
        "reference/components.md": components(),
        **{page: copied(ROOT / source) for source, page in COPIED.items()},
    }


def configuration(title: str, file: str, model: type[StackFile]) -> str:
    """Return the reference of all configuration keys of a project, from the JSON schema of its model.

    Args:
        title: Beginning of the title.
        file: Path of a stack file.
        model: The project's model.
    """
    schema = model.model_json_schema(by_alias=True)
    parts = [f"# {title} reference", _INTRODUCTION.format(file=file)]
    for name, section in schema["properties"].items():
        path, text = f"{model.project}:{name}", _resolve(section, schema["$defs"]).get("description")
        effects = {f"{model.project}:{key.path}": key.change for key in keys(model) if not key.section and key.change}
        rows = _rows(path, section, schema["$defs"], effects, required=name in schema["required"])
        # The description of the key itself is in the table.
        introduction = [text.replace("``", "`")] if text and text != section.get("description") else []
        parts += [f"## `{path}`", *introduction, _table(rows)]
    return "\n\n".join(parts) + "\n"


def outputs() -> str:
    """Return the reference of the stack outputs."""
    intro = "Printed by `pulumi stack output -s STACK`; secret values only with `--show-secrets`."
    parts = ["# Output reference", "", intro, ""]
    for title, found in (("Platform", platform_outputs.DESCRIPTIONS), ("Vault", vault_outputs.DESCRIPTIONS)):
        lines = [f"| `{name}` | {text} |" for name, text in found.items()]
        parts += [f"## {title}", "", "| Output | Value |", "|---|---|", *lines, ""]
    return "\n".join(parts)


def commands() -> str:
    """Return the reference of the commands and their options."""
    parts = ["# Command reference\n"]
    for name, app in (("python -m operations", operations), ("python -m sandbox", sandbox)):
        command = get_command(app)
        context = typer.Context(command, info_name=name)
        parts.append(get_docs_for_click(obj=command, ctx=context, indent=1, name=name))
    return "\n".join(parts)


def components() -> str:
    """Return the reference of the components, which mkdocstrings fills from their docstrings."""
    modules = sorted((ROOT / "components").glob("*.py"))
    defining = [path.stem for path in modules if "(pulumi.ComponentResource)" in path.read_text()]
    return "# Component reference\n\n" + "\n".join(f"::: components.{name}\n" for name in defining)


def copied(source: Path) -> str:
    """Return a file from outside of ``docs/`` as a page: its links are those of the site, or plain text."""

    def link(found: re.Match[str]) -> str:
        image, text, target, anchor = found.groups()
        path = (source.parent / target).resolve()
        page = COPIED.get(str(path.relative_to(ROOT)))
        if page is None and path.is_relative_to(DOCS) and path.is_file():
            page = str(path.relative_to(DOCS))
        return f"{image}[{text}]({page}{anchor or ''})" if page else text

    return _LINK.sub(link, source.read_text())


def changing_keys() -> str:
    """Return the page on changes of keys, whose tables follow from the models."""
    page = CHANGING_KEYS.read_text()
    for model in (StackConfig, VaultStackConfig):
        begin, end = f"<!-- keys of {model.project} -->", f"<!-- end of {model.project} -->"
        head, _, rest = page.partition(begin)
        _, _, tail = rest.partition(end)
        page = f"{head}{begin}\n\n{_changes(model)}\n\n{end}{tail}"
    return page


def _changes(model: type[StackFile]) -> str:
    """Return the table of a project's keys, with one row for neighbors of which a change does the same."""
    changes = ((key.change, f"`{model.project}:{key.path}`") for key in keys(model) if key.change and not key.section)
    rows = [
        f"| {'<br>'.join(key for _, key in same)} | {change.label} | {_cell(change.text)} |"
        for change, same in groupby(changes, key=lambda each: each[0])
    ]
    return "\n".join(["| Key | Change | What happens, or how to do it instead |", "|---|---|---|", *rows])


def _rows(  # noqa: PLR0913 - a row's context
    path: str,
    schema: Schema,
    definitions: Schema,
    effects: Mapping[str, Change],
    *,
    required: bool,
    when: str = "",
) -> Iterator[_Row]:
    """Yield a row for a key and each key below it.

    Args:
        path: Path of the key.
        schema: Its schema.
        definitions: The schemas to which references point.
        effects: What a change of each key does, by path.
        required: Whether the key must be present.
        when: The condition under which the key exists.
    """
    found = _resolve(schema, definitions)
    description = schema.get("description", found.get("description"))
    for example in schema.get("examples", [])[:1]:
        description += f". For example `{flow(example)}`"
    yield _Row(
        f"`{path}`",
        _type(found, definitions),
        _default(schema, required=required),
        effects[path].label if path in effects else "",
        when + _cell(description),
    )
    while values := _values(found):
        path, found = f"{path}.NAME", _resolve(values, definitions)
    for condition, variant in _variants(path, found, definitions):
        for name, each in variant.get("properties", {}).items():
            must = name in variant.get("required", [])
            yield from _rows(f"{path}.{name}", each, definitions, effects, required=must, when=condition or when)


def _variants(path: str, schema: Schema, definitions: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield the alternatives of a key with members, each with the condition under which it applies."""
    if "discriminator" not in schema:
        yield "", schema
        return
    by = schema["discriminator"]["propertyName"]
    for value, reference in schema["discriminator"]["mapping"].items():
        yield f"If `{path}.{by}` is `{value}`: ", _resolve({"$ref": reference}, definitions)


def _resolve(schema: Schema, definitions: Schema) -> Schema:
    """Return what a reference, or a reference or null, refers to; it keeps the key's description if it has none."""
    if "$ref" in schema:
        return {"description": schema.get("description"), **definitions[schema["$ref"].rpartition("/")[2]]}
    if alternatives := [each for each in schema.get("anyOf", []) if each.get("type") != "null"]:
        return _resolve(alternatives[0], definitions)
    return schema


def _values(schema: Schema) -> Schema | None:
    """Return the schema of a mapping's values, None if it is not a mapping."""
    patterns = schema.get("patternProperties") or {"": schema.get("additionalProperties")}
    return next(iter(patterns.values())) or None


def _type(schema: Schema, definitions: Schema) -> str:
    if "properties" in schema or "discriminator" in schema:
        return "object"
    for container, inner in (("map", _values(schema)), ("list", schema.get("items"))):
        if inner:
            return f"{container} of {_type(_resolve(inner, definitions), definitions)}"
    if values := schema.get("enum") or ([schema["const"]] if "const" in schema else []):
        return " or ".join(f"`{value}`" for value in values)
    name = str(_FORMATS.get(schema.get("format"), schema["type"]))
    bounds = [f"{sign} {schema[key]}" for sign, key in (("≥", "minimum"), ("≤", "maximum")) if key in schema]
    return ", ".join([name, *bounds])


def _default(schema: Schema, *, required: bool) -> str:
    default = schema.get("default")
    if required or default is None:
        return "required" if required else "none"
    if isinstance(default, dict) and default and default.keys() != {"kind"}:
        return "see below"  # its members have defaults
    return f"`{json.dumps(default)}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("``", "`")


def _table(rows: Iterator[_Row]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(["| Key | Type | Default | Change | Description |", "|---|---|---|---|---|", *lines])


def write(directory: Path) -> None:
    """Write all generated pages below a directory, except for the one that is committed."""
    for name, text in pages().items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    CHANGING_KEYS.write_text(changing_keys())
    write(DOCS)
