"""Environment variables of the Git, Helm and SOPS processes."""

import os
from collections.abc import Collection

CREDENTIALS = frozenset({"OS_", "PULUMI_", "VAULT_"})
"""Prefixes of the names of variables with credentials. Pulumi passes the whole configuration, decrypted, to the program
in ``PULUMI_CONFIG``, and also its passphrase."""


def environment(needed: Collection[str] = ()) -> dict[str, str]:
    """Return the environment without credentials, for a process that may run third-party code, such as a Git hook.

    Args:
        needed: Prefixes of `CREDENTIALS` that the process needs.
    """
    withheld = tuple(CREDENTIALS.difference(needed))
    return {name: value for name, value in os.environ.items() if not name.startswith(withheld)}
