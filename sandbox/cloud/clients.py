"""Clients of the cloud, and their configuration `clouds.yaml`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import yaml

from sandbox import paths
from sandbox.cloud import passwords
from sandbox.cloud.configuration import REGION
from sandbox.cloud.passwords import READER, TENANT
from sandbox.files import write_atomically
from sandbox.ports import Port

if TYPE_CHECKING:
    from openstack.connection import Connection

Cloud = Literal["admin", "rsp"]
"""Entries of `clouds.yaml` that the sandbox itself uses; each is also the name of its user and project."""


def write_clouds_yaml() -> None:
    """Write `clouds.yaml`, which contains passwords, with mode 0600."""
    write_atomically(paths.CLOUDS_YAML, yaml.safe_dump(clouds(passwords.load()), sort_keys=False))


def clouds(password: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of `clouds.yaml`.

    Args:
        password: Passwords by the names in `passwords.NAMES`.
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
                    "project_name": project,
                    "user_domain_name": "Default",
                    "project_domain_name": "Default",
                },
            }
            for name, project in (("admin", "admin"), (TENANT, TENANT), (READER, TENANT))
        }
    }


def connect(cloud: Cloud) -> "Connection":
    """Return a connection as administrator or tenant, regardless of the caller's OS_ variables."""
    from openstack.config import OpenStackConfig
    from openstack.connection import Connection

    config = OpenStackConfig(config_files=[str(paths.CLOUDS_YAML)], load_envvars=False)
    return Connection(config=config.get_one(cloud=cloud))
