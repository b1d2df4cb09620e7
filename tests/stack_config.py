"""Stack configuration without the Pulumi CLI, as `pulumi.Config` provides it, with secrets decrypted."""

import base64
import functools
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

PASSPHRASE = "sandbox"


def load(root: Path, stack: str) -> dict[str, str]:
    """Read a stack's configuration, with the defaults of Pulumi.yaml, as the CLI passes it to a program.

    Args:
        root: The directory of Pulumi.yaml.
        stack: The stack's name; its secrets are encrypted with the sandbox's passphrase.

    Returns:
        Text by full key (``rsp:network``); objects and lists as JSON, with secrets decrypted.
    """
    project, document = (
        yaml.load((root / name).read_text(), yaml.CSafeLoader) for name in ("Pulumi.yaml", f"Pulumi.{stack}.yaml")
    )
    declared = {key if ":" in key else f"{project['name']}:{key}": each for key, each in project["config"].items()}
    defaults = {key: each.get("value", each.get("default")) for key, each in declared.items()}
    given = {**{key: value for key, value in defaults.items() if value is not None}, **document["config"]}
    return as_texts({key: _decrypted(value, document.get("encryptionsalt", "")) for key, value in given.items()})


def as_texts(values: Mapping[str, Any], project: str = "") -> dict[str, str]:
    """Return a configuration as the CLI passes it to a program: objects and lists as JSON.

    Args:
        values: Values by key.
        project: Name of the project, if the keys have none.
    """
    prefix = f"{project}:" if project else ""
    return {f"{prefix}{key}": each if isinstance(each, str) else json.dumps(each) for key, each in values.items()}


def encrypt(text: str, salt: str) -> str:
    """Encrypt a secret for a stack's configuration.

    Source of the format: pulumi/pulumi `sdk/go/common/resource/config/crypt.go`, `pkg/secrets/passphrase/manager.go`.

    Args:
        text: The secret.
        salt: The file's ``encryptionsalt``, made with the sandbox's passphrase.
    """
    nonce = os.urandom(12)
    sealed = AESGCM(_key(salt)).encrypt(nonce, text.encode(), None)
    return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"


def _decrypted(value: Any, salt: str) -> Any:
    match value:
        case {"secure": str(ciphertext)}:
            nonce, sealed = map(base64.b64decode, ciphertext.split(":")[1:])
            return AESGCM(_key(salt)).decrypt(nonce, sealed, None).decode()
        case dict():
            return {key: _decrypted(each, salt) for key, each in value.items()}
        case list():
            return [_decrypted(each, salt) for each in value]
        case _:
            return value


@functools.cache
def _key(salt: str) -> bytes:
    """Derive the key; cached, as the derivation is slow by design."""
    raw = base64.b64decode(salt.split(":")[1])
    return PBKDF2HMAC(algorithm=SHA256(), length=32, salt=raw, iterations=1_000_000).derive(PASSPHRASE.encode())
