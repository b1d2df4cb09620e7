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
"""The least that an environment says."""


def write(root: Path, files: Mapping[str, Any]) -> Path:
    """Write files below a directory: text as it is, anything else as YAML."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return root


def applications(
    definitions: Mapping[str, Mapping[str, Mapping[str, Any]]], values: Mapping[str, Mapping[str, Any]] | None = None
) -> dict[str, Application]:
    """Make applications of their secret definitions, as YAML would say them, and Helm values."""
    return {
        name: application.Application(
            name=name,
            values=(values or {}).get(name, {}),
            secrets={key: SecretDefinition.model_validate(one) for key, one in secrets.items()},
        )
        for name, secrets in definitions.items()
    }


def static(**extra: Any) -> dict[str, Any]:
    """Define a static secret, or one with further rules."""
    return {"description": "What it is for", **extra}


def copied(name: str, key: str, **extra: Any) -> dict[str, Any]:
    """Define a secret that is copied."""
    return {"copy": {"application": name, "key": key, **extra}}


def generated(kind: str, source: str | None = None) -> dict[str, Any]:
    """Define a secret that is generated."""
    return static(generate={"type": kind, **({"source": source} if source else {})})
