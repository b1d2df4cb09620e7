"""Random passwords of the sandbox, stored in one file of mode 0600."""

import json
import secrets
from collections.abc import Mapping
from typing import Final

from sandbox import paths
from sandbox.errors import SandboxError
from sandbox.files import write_atomically

FILE: Final = paths.HOME / "passwords.json"

TENANT: Final = "rsp"
"""Name of the tenant's project and user."""

READER: Final = "rsp-reader"
"""Name of the user for previews, who is a reader of the tenant's project."""

DATABASE_USERS: Final = ("keystone", "placement", "glance", "nova", "neutron", "cinder", "octavia", "magnum", "manila")
"""OpenStack services that have a user of the same name in MariaDB."""

SERVICE_USERS: Final = ("placement", "glance", "nova", "neutron", "cinder", "octavia", "magnum", "manila", "swift")
"""OpenStack services that have a user of the same name in Keystone."""

NAMES: Final = (
    "admin",
    TENANT,
    READER,
    "rabbitmq",
    "magnum_domain_admin",
    "nova.volume-encryption-key",
    "cinder.volume-encryption-key",
    "swift.hash-prefix",
    "swift.hash-suffix",
    *SERVICE_USERS,
    *(f"database.{user}" for user in DATABASE_USERS),
)
_BYTES: Final = 32  # required length of the volume encryption keys


def load() -> Mapping[str, str]:
    """Return all passwords by name, each 64 hexadecimal digits; missing ones are generated.

    Those of services that only other checkouts have are kept, as the services have stored them.

    Raises:
        SandboxError: The file is damaged. New passwords would not match those that the services have stored.
    """
    try:
        kept = json.loads(FILE.read_text()) if FILE.exists() else {}
    except ValueError as error:
        raise SandboxError(
            f"{FILE} is damaged: restore it, or start over with `python -m sandbox cloud reset`"
        ) from error
    passwords = {name: kept.get(name) or secrets.token_hex(_BYTES) for name in NAMES}
    write_atomically(FILE, json.dumps({**kept, **passwords}, indent=2))
    return passwords
