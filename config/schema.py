"""The JSON schema of a stack's file, for editors; ``python -m config.schema`` writes it anew."""

import json
from pathlib import Path
from typing import Any

from config.names import PROJECT
from config.stack_config import StackConfig

PATH = Path(__file__).with_name("schema.json")

_SECURE = {
    "description": "An encrypted value, as `pulumi config set --secret --path` writes it",
    "type": "object",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
}


def build() -> dict[str, Any]:
    """The schema of ``Pulumi.<stack>.yaml``: our sections below ``config``, under their full keys."""
    environment = StackConfig.model_json_schema(by_alias=True)
    definitions = {**environment.pop("$defs"), "Secure": _SECURE}
    sections = {f"{PROJECT}:{key}": section for key, section in environment["properties"].items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Stack file of the Rubin Science Platform",
        "type": "object",
        "properties": {
            "config": {
                "description": environment["description"],
                "type": "object",
                "properties": _allow_encrypted(sections),
                # Of other namespaces (pulumi:, openstack:) anything may stand there.
                "propertyNames": {"anyOf": [{"enum": sorted(sections)}, {"not": {"pattern": f"^{PROJECT}:"}}]},
                "required": [f"{PROJECT}:{key}" for key in environment["required"]],
            },
        },
        "required": ["config"],
        "$defs": _allow_encrypted(definitions),
    }


def render() -> str:
    """The schema as committed: sorted, indented, with a final newline."""
    return json.dumps(build(), indent=2, sort_keys=True) + "\n"


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
    PATH.write_text(render())
