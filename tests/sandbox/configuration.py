"""Variations of the sandbox's configuration in separate files; a test that deploys one must restore the original."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr

from config.names import PROJECT
from sandbox import paths
from tests.stack_config import encrypt


def vary(
    file: Path,
    changes: Mapping[str, Any],
    base: Path = paths.CHECKOUT / "Pulumi.sandbox.yaml",
    project: str = PROJECT,
) -> Path:
    """Write the sandbox's configuration with some keys changed.

    Args:
        file: File to create, readable only by its owner.
        changes: Keys to set, at any depth; a ``SecretStr`` is encrypted, None removes a key.
        base: Stack file to vary.
        project: Name of its project.

    Returns:
        The file.
    """
    document = yaml.safe_load(base.read_text())
    salt = document["encryptionsalt"]
    for section, keys in changes.items():
        name = f"{project}:{section}"
        document["config"][name] = _merged(document["config"].get(name, {}), keys, salt)
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


def _merged(value: Any, change: Any, salt: str) -> Any:
    match change:
        case SecretStr():
            return {"secure": encrypt(change.get_secret_value(), salt)}
        case Mapping():
            merged = dict(value) if isinstance(value, Mapping) and "secure" not in value else {}
            for key, each in change.items():
                if each is None:
                    merged.pop(key, None)
                else:
                    merged[key] = _merged(merged.get(key), each, salt)
            return merged
        case _:
            return change
