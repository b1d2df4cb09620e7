"""A complete stack configuration that tests vary."""

import copy
from pathlib import Path
from typing import Any

import yaml

from config.loader import parse
from config.stack_config import StackConfig
from config.vault_stack import VaultStackConfig

_DATA: dict[str, Any] = {
    "cloud": {"name": "test-cloud", "region": "RegionOne", "keypair": "operators"},
    "network": {
        "externalNetwork": "external",
        "cidr": "10.20.0.0/24",
        "dnsNameservers": ["9.9.9.9", "149.112.112.112"],
    },
    "nfs": {
        "address": "10.20.0.10",
        "image": "debian-12",
        "flavor": "m1.small",
        "volumes": {
            "data": {"size": 100, "type": "ceph-hdd"},
            "jhome": {"size": 50, "type": "ceph-ssd", "rootSquash": False},
        },
    },
    "clusters": {
        "cluster": {
            "image": "ubuntu-2404-kube-v1.36.3",
            "masters": {"flavor": "m1.medium", "count": 3},
            "workers": {"flavor": "m1.medium", "count": 2},
            "nodeGroups": {"labs": {"flavor": "m1.large", "count": 1}},
        },
    },
    "objectStore": {"kind": "swift", "endpoint": "http://127.0.0.1:8080", "bucket": "async"},
    "phalanx": {"repository": "https://github.com/lsst-uk/phalanx", "environment": "roe"},
    "applications": {
        "storageClasses": {"standard": {"volumeType": "ceph-hdd"}},
        "databaseStorageClass": "standard",
    },
}

HEAT: dict[str, Any] = {
    "clusters__cluster__driver": "heat",
    "clusters__cluster__kubernetesVersion": "v1.28.9-rancher1",
    "clusters__cluster__image": "fedora-coreos-38",
}
"""Changes for a cluster of Magnum's Heat driver."""


def environment_data(**changes: Any) -> dict[str, Any]:
    """Return the configuration as loaded from YAML.

    Args:
        changes: Values by path, with two underscores between levels (``network__cidr="10.0.0.0/24"``); ``None`` removes
            the key.
    """
    return _changed(_DATA, changes)


def environment(**changes: Any) -> StackConfig:
    """Return the validated configuration with changes as in `environment_data`."""
    return parse(environment_data(**changes), "Pulumi.test.yaml", StackConfig)


def stack_text(**changes: Any) -> str:
    """Return the configuration as a stack's file, with changes as in `environment_data`."""
    return yaml.safe_dump({"config": {f"rsp:{key}": value for key, value in environment_data(**changes).items()}})


def write_stack(file: Path = Path("Pulumi.test.yaml"), **changes: Any) -> Path:
    """Write the configuration to a stack's file, with changes as in `environment_data`, and return the file."""
    file.write_text(stack_text(**changes))
    return file


_VAULT: dict[str, Any] = {
    "cloud": _DATA["cloud"],
    "network": _DATA["network"],
    "host": "vault.example.org",
    "server": {
        "address": "10.20.0.11",
        "image": "debian-12",
        "flavor": "m1.small",
        "volume": {"size": 20, "type": "ceph-ssd"},
        "package": {"version": "2.7.2", "sha256": "ab" * 32},
        "clients": ["192.0.2.0/28", "203.0.113.9/32"],
        "tls": {"kind": "given", "certificate": "planted-certificate", "key": "planted-tls-key"},
        "seal": {
            "kind": "static",
            "key": {"id": "first", "value": "cGxhbnRlZC1zZWFsLWtleS1vZi0zMi1ieXRlcyEhISE="},
        },
        "backupPassword": "planted-backup-password",
        "adminPassword": "planted-administrator",
    },
}


def vault_stack_data(**changes: Any) -> dict[str, Any]:
    """Return the configuration of a Vault as loaded from YAML, with changes as in `environment_data`."""
    return _changed(_VAULT, changes)


def vault_stack(**changes: Any) -> VaultStackConfig:
    """Return the validated configuration of a Vault with changes as in `environment_data`."""
    return parse(vault_stack_data(**changes), "Pulumi.test.yaml", VaultStackConfig)


def _changed(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    data = copy.deepcopy(base)
    for path, value in changes.items():
        *parents, last = path.split("__")
        section = data
        for parent in parents:
            section = section.setdefault(parent, {})
        if value is None:
            del section[last]
        else:
            section[last] = value
    return data
