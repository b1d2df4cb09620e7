"""Encryption with a passphrase, in the very format of Pulumi's passphrase secrets provider.

AES-256-GCM under a key that PBKDF2 (SHA-256, 1,000,000 rounds) derives from the passphrase and a salt; the salt is kept
beside the ciphertexts together with the encrypted word `pulumi`, by which a wrong passphrase is recognised. Source:
pulumi/pulumi `sdk/go/common/resource/config/crypt.go` and `pkg/secrets/passphrase/manager.go`.
"""

import base64
import binascii
import functools
import os
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from sandbox.engine.errors import EngineError

_ROUNDS: Final = 1_000_000
_KEY_BYTES: Final = 32
_SALT_BYTES: Final = 8
_NONCE_BYTES: Final = 12
_VERSION: Final = "v1"
_PROBE: Final = "pulumi"


class Crypter:
    """Encrypts and decrypts texts under one passphrase and salt.

    Attributes:
        salt: What is stored beside the ciphertexts: `v1:<salt>:v1:<nonce>:<encrypted probe>`.
    """

    def __init__(self, key: bytes, salt: str) -> None:
        self._cipher = AESGCM(key)
        self.salt = salt

    @classmethod
    def new(cls, passphrase: str) -> Self:
        """A crypter with a fresh salt."""
        raw = os.urandom(_SALT_BYTES)
        key = _derive(passphrase, raw)
        probe = cls(key, "").encrypt(_PROBE)
        return cls(key, f"{_VERSION}:{_base64(raw)}:{probe}")

    @classmethod
    def open(cls, passphrase: str, salt: str) -> Self:
        """The crypter of an existing salt.

        Raises:
            EngineError: The passphrase is not the one that the salt was made with, or the salt is damaged.
        """
        version, _, rest = salt.partition(":")
        raw, _, probe = rest.partition(":")
        if version != _VERSION or not probe:
            raise EngineError("the encryption salt is not of Pulumi's form `v1:<salt>:<probe>`: it has been damaged")
        crypter = cls(_derive(passphrase, base64.b64decode(raw)), salt)
        try:
            intact = crypter.decrypt(probe) == _PROBE
        except EngineError:
            intact = False
        if not intact:
            raise EngineError(
                "incorrect passphrase: set PULUMI_CONFIG_PASSPHRASE to the one that the stack was made with"
            )
        return crypter

    def encrypt(self, text: str) -> str:
        """`v1:<nonce>:<ciphertext>`, different at each call."""
        nonce = os.urandom(_NONCE_BYTES)
        return f"{_VERSION}:{_base64(nonce)}:{_base64(self._cipher.encrypt(nonce, text.encode(), None))}"

    def decrypt(self, ciphertext: str) -> str:
        """What `encrypt` was given.

        Raises:
            EngineError: It was encrypted under another passphrase, or is damaged.
        """
        try:
            version, nonce, sealed = ciphertext.split(":")
            if version != _VERSION:
                raise EngineError(f"a secret is encrypted in format {version!r}, which is unknown here")
            return self._cipher.decrypt(base64.b64decode(nonce), base64.b64decode(sealed), None).decode()
        except (InvalidTag, ValueError, binascii.Error) as error:
            raise EngineError(
                "a secret cannot be decrypted: it was encrypted with another passphrase, or it is damaged"
            ) from error


def passphrase() -> str:
    """The passphrase, from where the Pulumi CLI takes it: PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE.

    Raises:
        EngineError: Neither is set, or the file cannot be read.
    """
    if (phrase := os.environ.get("PULUMI_CONFIG_PASSPHRASE")) is not None:
        return phrase
    if file := os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        try:
            return Path(file).read_text().strip()
        except OSError as error:
            raise EngineError(f"PULUMI_CONFIG_PASSPHRASE_FILE: cannot read {file}: {error.strerror}") from error
    raise EngineError(
        "no passphrase for the stack's secrets: set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE"
    )


@functools.lru_cache(maxsize=8)
def _derive(passphrase: str, salt: bytes) -> bytes:
    """The key; kept, as its price is a third of a second on purpose."""
    return PBKDF2HMAC(algorithm=SHA256(), length=_KEY_BYTES, salt=salt, iterations=_ROUNDS).derive(passphrase.encode())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
