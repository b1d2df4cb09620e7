"""Small Phalanx repositories for tests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from phalanx import application
from phalanx.application import Application
from phalanx.definitions import SecretDefinition

SETTINGS = {
    "name": "test",
    "fqdn": "rsp.example.org",
    "appOfAppsName": "science-platform",
    "vaultUrl": "https://vault.example.org",
    "vaultPathPrefix": "secret/phalanx/test",
    "repoUrl": "https://example.org/phalanx.git",
    "targetRevision": "main",
    "applications": {},
}
"""Minimal settings of an environment."""


def write(root: Path, files: Mapping[str, Any]) -> Path:
    """Write files below a directory: text unchanged, anything else as YAML."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return root


def applications(
    definitions: Mapping[str, Mapping[str, Mapping[str, Any]]], values: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Application]:
    """Create applications from their secret definitions, as in YAML, and Helm values."""
    return {
        name: application.Application(
            name=name,
            values=(values or {}).get(name, {}),
            secrets={key: SecretDefinition.model_validate(one) for key, one in secrets.items()},
        )
        for name, secrets in definitions.items()
    }


def static(**extra: Any) -> dict[str, Any]:
    """Define a static secret, or one with additional rules."""
    return {"description": "What it is for", **extra}


def copied(name: str, key: str, **extra: Any) -> dict[str, Any]:
    """Define a copied secret."""
    return {"copy": {"application": name, "key": key, **extra}}


def generated(kind: str, source: str | None = None) -> dict[str, Any]:
    """Define a generated secret."""
    return static(generate={"type": kind, **({"source": source} if source else {})})
