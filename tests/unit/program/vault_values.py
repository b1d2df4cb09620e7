"""A value to change each configuration key of the Vault project to."""

from collections.abc import Mapping
from typing import Any

from tests.unit.program.platform_values import PLATFORM, To
from tests.unit.sample import vault_stack_data

TRANSIT = {
    "kind": "transit",
    "address": "https://other.example.org:8200",
    "keyName": "rsp",
    "token": "planted-transit-token",
}
ACME = {"kind": "acme", "email": "a@example.org"}
KEY = "cGxhbnRlZC1zZWFsLWtleS1vZi0zMi1ieXRlcyEhISI="
SECOND = {"id": "second", "value": KEY}

VAULT: Mapping[str, Any] = {
    **{key: PLATFORM[key] for key in ("cloud.name", "cloud.region", "cloud.keypair")},
    **{key: PLATFORM[key] for key in PLATFORM if key.startswith("network.")},
    "host": "vault-2.example.org",
    "server.address": "10.20.0.12",
    "server.image": "debian-13",
    "server.availabilityZone": "az-1",
    "server.flavor": "m1.medium",
    "server.bootVolume": {"size": 10},
    "server.bootVolume.size": To(value=11, base={"server.bootVolume": {"size": 10}}),
    "server.bootVolume.type": To(value="ceph-hdd", base={"server.bootVolume": {"size": 10}}),
    "server.volume.size": 21,
    "server.volume.type": "ceph-hdd",
    "server.volume.availabilityZone": To(value="az-2", base={"server.volume.availabilityZone": "nova"}),
    "server.package.version": "2.7.3",
    "server.package.sha256": "cd" * 32,
    "server.package.source": "https://mirror.example.org/openbao.deb",
    "server.floatingIp": False,
    "server.clients": ["192.0.2.0/28"],
    "server.tls.kind": To(value="acme", also={"server.tls": ACME}),
    "server.tls.email": To(value="b@example.org", base={"server.tls": ACME}),
    "server.tls.directory": To(value="https://acme.example.org/directory", base={"server.tls": ACME}),
    "server.tls.certificate": "planted-certificate-2",
    "server.tls.rotation": To(value="november", base={"server.tls": {"kind": "private"}}),
    "server.tls.key": "planted-tls-key-2",
    "server.seal.kind": To(value="shamir", also={"server.seal": {"kind": "shamir"}}),
    "server.seal.key.id": "second",
    "server.seal.key.value": KEY,
    "server.seal.previousKey": SECOND,
    "server.seal.previousKey.id": To(value="third", base={"server.seal.previousKey": SECOND}),
    "server.seal.previousKey.value": To(
        value=vault_stack_data()["server"]["seal"]["key"]["value"], base={"server.seal.previousKey": SECOND}
    ),
    **{
        f"server.seal.{key}": To(value=value, base={"server.seal": TRANSIT})
        for key, value in {
            "address": "https://third.example.org:8200",
            "mount": "transit-2",
            "keyName": "rsp-2",
            "token": "planted-transit-token-2",
        }.items()
    },
    "server.backupPassword": "planted-backup-password-2",
    "server.adminPassword": "planted-administrator-2",
    "server.backups": 7,
    "protect": False,
}
"""A value to change each key of the Vault project to."""
