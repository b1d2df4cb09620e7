"""Keys whose last value the cloud keeps when they are removed: attributes that providers compute if absent.

Terraform compares an attribute that is both optional and computed only if it has a value, so removing it would change
nothing. tests/unit/program/test_changing_keys.py finds all such keys.
"""

from typing import Protocol

from config.network import NetworkSettings
from config.stack_config import StackConfig
from config.vault_stack import VaultStackConfig


class _Volume(Protocol):
    @property
    def type(self) -> str | None: ...
    @property
    def availability_zone(self) -> str | None: ...


def of_platform(config: StackConfig) -> dict[str, str]:
    """Return the values of a platform's keys by path; empty if a key is not set."""
    found = _of_network(config.network)
    if config.nfs:
        found["nfs.availabilityZone"] = config.nfs.availability_zone
    for name, volume in config.nfs_volumes.items():
        found |= _of_volume(f"nfs.volumes.{name}", volume)
    for name, share in config.shares.items():
        found |= {f"shares.{name}.type": share.type, f"shares.{name}.network": share.network}
    return _texts(found)


def of_vault(config: VaultStackConfig) -> dict[str, str]:
    """Return the values of the keys of the site's own Vault by path; empty if a key is not set."""
    server = config.server
    zone = {"server.availabilityZone": server.availability_zone}
    return _texts({**_of_network(config.network), **zone, **_of_volume("server.volume", server.volume)})


def _of_network(settings: NetworkSettings) -> dict[str, str | int | None]:
    return {} if settings.adopt else {"network.mtu": settings.mtu}


def _of_volume(path: str, volume: _Volume) -> dict[str, str | int | None]:
    return {f"{path}.type": volume.type, f"{path}.availabilityZone": volume.availability_zone}


def _texts(values: dict[str, str | int | None]) -> dict[str, str]:
    return {path: str(value or "") for path, value in values.items()}
