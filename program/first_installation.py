"""Which applications are installed for the first time.

An application counts as new until it has been synced and healthy once in its cluster (`program.deployed`). A run that
does not wait for an application does not know whether it is healthy.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import pulumi

from phalanx.application import Application
from program.deployed import Deployed
from wiring.schema_update import UPDATE_SCHEMA, has_toggle


def report(applications: Mapping[str, Application], deployed: Deployed) -> None:
    """Warn about each application that will be installed for the first time with only the values of the repository.

    Args:
        applications: The applications.
        deployed: What the last complete run has deployed.
    """
    for name, application in applications.items():
        if name not in deployed.installed_somewhere and has_toggle(application.values):
            pulumi.warn(
                f"{application.file_of(*UPDATE_SCHEMA)}: {'.'.join(UPDATE_SCHEMA)}: is false, but the first "
                f"installation of {name} creates the schema of its database, expected true: set it, as "
                "rsp:applications.wiring is verify, and remove it when the application is healthy"
            )


def first_installations(
    applications: Mapping[str, Mapping[str, Any]], deployed: Deployed, cluster_id: pulumi.Output[str]
) -> dict[str, pulumi.Input[bool]]:
    """Return for each application that `has_toggle` whether it is installed for the first time.

    Args:
        applications: Merged Helm values by application.
        deployed: What the last complete run has deployed.
        cluster_id: ID of the cluster; unknown in a preview that would replace it, and with it the databases.
    """
    toggled = [name for name, values in applications.items() if has_toggle(values)]
    return {
        name: cluster_id.apply(partial(deployed.lacks, name)) if name in deployed.installed_somewhere else True
        for name in toggled
    }
