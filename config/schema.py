"""The JSON schemas of the projects' stack files, for editors; ``python -m config.schema`` writes them anew."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.stack_config import StackConfig
from config.stack_document import PULUMI, TOP_LEVEL
from config.stack_file import StackFile
from config.vault_stack import VaultStackConfig

MODELS: Mapping[Path, type[StackFile]] = {
    Path(__file__).with_name("schema.json"): StackConfig,
    Path(__file__).with_name("vault-schema.json"): VaultStackConfig,
}
"""The model of each committed schema."""

_SECURE = {
    "description": "An encrypted value, as `pulumi config set --secret --path` writes it",
    "type": "object",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
}


def build(model: type[StackFile]) -> dict[str, Any]:
    """Return the schema of ``Pulumi.<stack>.yaml``: a project's sections below ``config``, under their full keys."""
    environment = model.model_json_schema(by_alias=True)
    definitions = {**environment.pop("$defs"), "Secure": _SECURE}
    sections = {f"{model.project}:{key}": section for key, section in environment["properties"].items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Stack file of the Pulumi project {model.project}",
        "type": "object",
        "properties": {
            "config": {
                "description": environment["description"],
                "type": "object",
                "properties": _allow_encrypted(sections),
                # Every resource has an explicit provider, so that other namespaces have no effect.
                "propertyNames": {"anyOf": [{"enum": sorted(sections)}, {"pattern": f"^{PULUMI}:"}]},
                "required": [f"{model.project}:{key}" for key in environment["required"]],
            },
        },
        "required": ["config"],
        "propertyNames": {"enum": list(TOP_LEVEL)},
        "$defs": _allow_encrypted(definitions),
    }


def render(model: type[StackFile]) -> str:
    """Return a schema as committed: sorted, indented, with a final newline."""
    return json.dumps(build(model), indent=2, sort_keys=True) + "\n"


def _allow_encrypted(node: Any) -> Any:
    """The schema with each secret either as text or encrypted."""
    match node:
        case {"format": "password"}:
            description = {"description": node["description"]} if "description" in node else {}
            return {**description, "anyOf": [{"type": "string"}, {"$ref": "#/$defs/Secure"}]}
        case dict():
            return {key: _allow_encrypted(each) for key, each in node.items()}
        case list():
            return [_allow_encrypted(each) for each in node]
        case _:
            return node


if __name__ == "__main__":
    for path, model in MODELS.items():
        path.write_text(render(model))
