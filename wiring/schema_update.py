"""The Helm value with which an application creates the schema of its database when it is first installed.

Phalanx's charts create and migrate the schema of a database in a hook (``job-schema-update.yaml``) only if
``config.updateSchema`` is true, which Phalanx's documentation asks to set for the first installation and to remove
afterwards (docs/applications/gafaelfawr/bootstrap.rst). Left on, it would migrate the database in each upgrade, while
the application is running, and delete and create its ConfigMap and Secret in each sync.
"""

from collections.abc import Mapping
from typing import Any, Final

from phalanx.values import get

UPDATE_SCHEMA: Final = ("config", "updateSchema")
"""Keys of the value that lets a chart create or migrate the schema of the application's database."""


def has_toggle(values: Mapping[str, Any]) -> bool:
    """Return whether an application creates its database's schema only if it is asked to, and is not.

    Args:
        values: The application's merged Helm values. Where the repository asks for it, it stays on.
    """
    return get(values, UPDATE_SCHEMA) is False


def helm_values(first: Any) -> dict[str, Any]:
    """Return the Helm values of an application that `has_toggle`.

    Args:
        first: Whether it is installed for the first time, as a boolean or an Output of one.
    """
    section, toggle = UPDATE_SCHEMA
    return {section: {toggle: first}}
