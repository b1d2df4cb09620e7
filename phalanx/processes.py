"""What Git, Helm and SOPS are told of our own environment."""

import os
from collections.abc import Collection

CREDENTIALS = frozenset({"OS_", "PULUMI_", "VAULT_"})
"""Beginnings of the names of variables that let people into their clouds. Pulumi hands a program its whole
configuration, decrypted, in ``PULUMI_CONFIG``, and its passphrase beside it."""


def environment(needed: Collection[str] = ()) -> dict[str, str]:
    """Our environment without credentials, for a program that reads the files of others: a chart, a hook, a helper.

    Args:
        needed: Those of `CREDENTIALS` that it cannot do without.
    """
    withheld = tuple(CREDENTIALS.difference(needed))
    return {name: value for name, value in os.environ.items() if not name.startswith(withheld)}
