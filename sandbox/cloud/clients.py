"""Clients of the cloud, and the `clouds.yaml` that tells every client where it is."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import yaml

from sandbox import paths
from sandbox.cloud import passwords
from sandbox.cloud.configuration import REGION
from sandbox.files import write_atomically
from sandbox.ports import Port

if TYPE_CHECKING:
    from openstack.connection import Connection

Cloud = Literal["admin", "rsp"]
"""Entries of `clouds.yaml`; each is the name of its user and project, too."""


def write_clouds_yaml() -> None:
    """Write `clouds.yaml`, which holds passwords, for root alone."""
    write_atomically(paths.CLOUDS_YAML, yaml.safe_dump(clouds(passwords.load()), sort_keys=False))


def clouds(password: Mapping[str, str]) -> dict[str, Any]:
    """The content of `clouds.yaml`.

    Args:
        password: Passwords by the names of `passwords.NAMES`.
    """
    return {
        "clouds": {
            name: {
                "region_name": REGION,
                "identity_api_version": 3,
                "auth": {
                    "auth_url": f"{Port.KEYSTONE.url}/v3",
                    "username": name,
                    "password": password[name],
                    "project_name": name,
                    "user_domain_name": "Default",
                    "project_domain_name": "Default",
                },
            }
            for name in ("admin", "rsp")
        }
    }


def connect(cloud: Cloud) -> "Connection":
    """A connection as the administrator or the tenant, whatever the caller's own OS_ variables say."""
    from openstack.config import OpenStackConfig  # noqa: PLC0415 - takes half a second
    from openstack.connection import Connection  # noqa: PLC0415

    config = OpenStackConfig(config_files=[str(paths.CLOUDS_YAML)], load_envvars=False)
    return Connection(config=config.get_one(cloud=cloud))
