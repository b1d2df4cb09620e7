"""The passwords inside this sandbox: made at random once, kept in one file that only root reads."""

import json
import secrets
from collections.abc import Mapping
from typing import Final

from sandbox import paths
from sandbox.errors import SandboxError
from sandbox.files import write_atomically

FILE: Final = paths.HOME / "passwords.json"

DATABASE_USERS: Final = ("keystone", "placement", "glance", "nova", "neutron", "cinder", "octavia", "magnum")
"""OpenStack's services that have a user of the same name in MariaDB."""

SERVICE_USERS: Final = ("placement", "glance", "nova", "neutron", "cinder", "octavia", "magnum", "swift")
"""OpenStack's services that have a user of the same name in Keystone."""

NAMES: Final = (
    "admin",
    "rsp",
    "rabbitmq",
    "magnum_domain_admin",
    "nova.volume-encryption-key",
    "cinder.volume-encryption-key",
    "swift.hash-prefix",
    "swift.hash-suffix",
    *SERVICE_USERS,
    *(f"database.{user}" for user in DATABASE_USERS),
)
_BYTES: Final = 32  # the volume encryption keys must be of this length


def load() -> Mapping[str, str]:
    """Every password by name, each 64 hexadecimal digits; the missing ones are made now.

    Raises:
        SandboxError: The file is damaged. The services know the passwords that it held, so no new ones are made.
    """
    try:
        kept = json.loads(FILE.read_text()) if FILE.exists() else {}
    except ValueError as error:
        raise SandboxError(
            f"{FILE} is damaged: restore it, or start anew by `python -m sandbox cloud reset`"
        ) from error
    passwords = {name: kept.get(name) or secrets.token_hex(_BYTES) for name in NAMES}
    write_atomically(FILE, json.dumps(passwords, indent=2))
    return passwords
