"""A change of each configuration key has the effect that the key declares, and none is silently ignored.

Each key needs a value to change it to in `PLATFORM` or `VAULT`. The program runs before and after the change; the steps
of the engine follow from the inputs of its resources, and the checks compare the changed configuration with what the
unchanged one created.
"""

import copy
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hvac.exceptions
import pulumi
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from components import private_authority
from config.changes import Effect, Key, keys
from config.names import cloud_name, vault_description
from config.network import NetworkSettings
from config.stack_config import StackConfig
from config.vault_stack import VaultStackConfig
from phalanx import environment as phalanx_environment
from probes import existing_vault, openstack_connection, openstack_preflight, vault_server_preflight
from probes.openstack_connection import Location
from program import cluster_nodes
from tests.unit.probes import recorded_magnum
from tests.unit.probes.fake_project import FakeProject, named
from tests.unit.program import test_vault_project
from tests.unit.program.changes import Steps, steps
from tests.unit.program.conftest import CHECKOUTS, STATIC, StackRunner
from tests.unit.recording import STACK, Recording
from tests.unit.sample import environment, environment_data, vault_stack, vault_stack_data

NAMES = {
    "nfs.volumes": "data",
    "shares": "scratch",
    "clusters": "cluster",
    "clusters.NAME.nodeGroups": "labs",
    "applications.storageClasses": "standard",
    "applications.overrides": "tap",
    "secrets.registries": "ghcr.io",
    "secrets.oidcClients": "chronograf",
}
"""A name in the configuration in place of ``NAME``, by the path above it."""

BOUNDS = {"minimum": 1, "maximum": 5}
HEAT = {
    "clusters.cluster.driver": "heat",
    "clusters.cluster.kubernetesVersion": "v1.28.9-rancher1",
    "clusters.cluster.image": "fedora-coreos-38",
}
SHARE = {"size": 10, "type": "cephfs-nfs"}
SCRATCH = {"shares": {"scratch": SHARE}}
VOLUMES = {**environment_data()["nfs"]["volumes"], "datasets": {"size": 10}}
CLUSTER = environment_data()["clusters"]["cluster"]
SWIFT = environment_data()["objectStore"]
BACKUPS = {"kind": "snapshot"}
S3 = {**SWIFT, "kind": "s3", "accessKey": "planted-access", "secretKey": "planted-secret"}
HTTP01 = {"kind": "letsencrypt", "email": "a@example.org"}
DESIGNATE = {**HTTP01, "challenge": {"kind": "designate", "zone": "acme.example.org"}}
CREDENTIAL = {"id": "0123", "secret": "planted-credential"}
LOGIN = {"username": "robot", "password": "planted-login"}
CLIENT = {"id": "chronograf", "secret": "planted-client", "returnUri": "https://rsp.example.org/callback"}
MONITORING = {"namespace": "monitoring"}
IN_CLUSTER = "probes.monitoring_preflight.problems"
OIDC = "ukidacprod"
"""Environment with an OpenID Connect server."""


def private_key() -> str:
    """Return a new private key, as ssh-keygen writes it."""
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()


FILES = tempfile.TemporaryDirectory()
"""Directory that exists as long as the tests."""


def ca_file(name: str) -> str:
    """Return the path of a file with the certificate of a new CA."""
    file = Path(FILES.name, name)
    file.write_text(private_authority.create("example.org")["certificate"])
    return str(file)


TOKEN = {"kind": "https", "token": "planted-token"}
HOST = "git.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
SSH = {
    "phalanx.repository": "git@git.example.org:site/phalanx",
    "phalanx.credentials": {"kind": "ssh", "privateKey": private_key(), "knownHosts": [HOST]},
}


@dataclass(frozen=True, kw_only=True)
class To:
    """A value to change a key to, for keys that need another configuration before, or other changes besides."""

    value: Any
    base: Mapping[str, Any] = field(default_factory=dict)
    """Values before the change, by path."""
    also: Mapping[str, Any] = field(default_factory=dict)
    """Values that change as well, by path."""
    stack: str = "roe"
    """Phalanx environment."""
    passing: str = ""
    """Function of a check of the Phalanx repository or of the cluster that finds no problem."""


PLATFORM: Mapping[str, Any] = {
    "cloud.name": "other-entry",
    "cloud.region": "RegionTwo",
    "cloud.keypair": "others",
    "network.externalNetwork": "external-2",
    "network.cidr": "10.20.0.0/23",
    "network.reservedAddresses": 40,
    "network.dnsNameservers": ["9.9.9.9"],
    "network.mtu": 1400,
    "network.hostRoutes": {"10.30.0.0/16": "10.20.0.5"},
    "network.adopt": {"network": "shared", "subnet": "shared-v4"},
    "network.adopt.network": To(value="other", base={"network.adopt": {"network": "shared", "subnet": "shared-v4"}}),
    "network.adopt.subnet": To(value="other-v4", base={"network.adopt": {"network": "shared", "subnet": "shared-v4"}}),
    "nfs": To(
        value={**environment_data()["nfs"], "volumes": {"scratch": {"size": 1}}},
        base={"nfs": None, "shares": dict.fromkeys(VOLUMES, SHARE)},
    ),
    "shares": To(value={"scratch": SHARE, "more": SHARE}, base=SCRATCH),
    "shares.NAME.size": To(value=11, base=SCRATCH),
    "shares.NAME.protocol": To(value="CEPHFS", base=SCRATCH),
    "shares.NAME.type": To(value="cephfs", base=SCRATCH),
    "shares.NAME.network": To(value="storage", base=SCRATCH),
    "shares.NAME.readOnly": To(value=True, base=SCRATCH),
    "shares.NAME.clients": To(value=["192.0.2.9/32"], base=SCRATCH),
    "nfs.address": "10.20.0.12",
    "nfs.image": "debian-13",
    "nfs.flavor": "m1.medium",
    "nfs.availabilityZone": "az-1",
    "nfs.volumes": {**VOLUMES, "scratch": {"size": 1}},
    "nfs.volumes.NAME.size": 101,
    "nfs.volumes.NAME.type": "ceph-ssd",
    "nfs.volumes.NAME.availabilityZone": To(value="az-2", base={"nfs.volumes.data.availabilityZone": "nova"}),
    "nfs.volumes.NAME.rootSquash": False,
    "nfs.volumes.NAME.readOnly": True,
    "backups.kind": "snapshot",
    "backups.volumes": To(value=["data"], base={"backups": BACKUPS}),
    "backups.claims": To(value=["postgres/postgres-physpvc"], base={"backups": BACKUPS}),
    "backups.incremental": To(value=False, base={"backups": {"kind": "backup"}}),
    "backups.keep.daily": To(value=3, base={"backups": BACKUPS}),
    "backups.keep.weekly": To(value=2, base={"backups": BACKUPS}),
    "clusters": To(value={"cluster": CLUSTER, "green": CLUSTER}, also={"activeCluster": "cluster"}),
    "activeCluster": To(
        value="green", base={"clusters": {"cluster": CLUSTER, "green": CLUSTER}, "activeCluster": "cluster"}
    ),
    "clusters.NAME.driver": To(value="heat", also=HEAT),
    "clusters.NAME.kubernetesVersion": To(value="v1.37.0", also={"clusters.cluster.image": "ubuntu-2404-kube-v1.37.0"}),
    "clusters.NAME.image": "ubuntu-2404-kube-v1.36.3-2",
    "clusters.NAME.masters.flavor": "m1.large",
    "clusters.NAME.masters.count": 5,
    "clusters.NAME.workers.flavor": "m1.large",
    "clusters.NAME.workers.count": 3,
    "clusters.NAME.workers.autoscaling": BOUNDS,
    "clusters.NAME.workers.autoscaling.minimum": To(value=2, base={"clusters.cluster.workers.autoscaling": BOUNDS}),
    "clusters.NAME.workers.autoscaling.maximum": To(value=6, base={"clusters.cluster.workers.autoscaling": BOUNDS}),
    "clusters.NAME.nodeGroups": {
        "labs": {"flavor": "m1.large", "count": 1},
        "more": {"flavor": "m1.large", "count": 1},
    },
    "clusters.NAME.nodeGroups.NAME.flavor": "m1.medium",
    "clusters.NAME.nodeGroups.NAME.count": 2,
    "clusters.NAME.nodeGroups.NAME.autoscaling": To(
        value=BOUNDS, base={"clusters.cluster.workers.autoscaling": BOUNDS}
    ),
    "clusters.NAME.nodeGroups.NAME.autoscaling.minimum": To(
        value=2, base={"clusters.cluster.nodeGroups.labs": {"flavor": "m1.large", "count": 2, "autoscaling": BOUNDS}}
    ),
    "clusters.NAME.nodeGroups.NAME.autoscaling.maximum": To(
        value=6, base={"clusters.cluster.nodeGroups.labs": {"flavor": "m1.large", "count": 2, "autoscaling": BOUNDS}}
    ),
    "clusters.NAME.nodeGroups.NAME.labels": To(value={"gpu": "a100"}, base=HEAT),
    "clusters.NAME.nodeGroups.NAME.taints": To(value=["gpu=a100:NoSchedule"], base=HEAT),
    "clusters.NAME.nodeGroups.NAME.availabilityZone": To(value="az-1", base=HEAT),
    "clusters.NAME.publicApi": False,
    "clusters.NAME.apiAllowedCidrs": To(value=["192.0.2.0/24"], base={"ingress.loadBalancerProvider": "amphora"}),
    "clusters.NAME.availabilityZone": To(value="az-1", base=HEAT),
    "clusters.NAME.autohealing": False,
    "clusters.NAME.bootVolume": {"size": 40},
    "clusters.NAME.bootVolume.size": To(value=80, base={"clusters.cluster.bootVolume": {"size": 40}}),
    "clusters.NAME.bootVolume.type": To(value="ceph-ssd", base={"clusters.cluster.bootVolume": {"size": 40}}),
    "clusters.NAME.networkDriver": To(value="flannel", base=HEAT),
    "clusters.NAME.podCidr": To(value="10.90.0.0/16", base=HEAT),
    "clusters.NAME.serviceCidr": To(value="10.91.0.0/16", base=HEAT),
    "clusters.NAME.labels": {"etcd_volume_size": "10"},
    "ingress.answerTimeout": 60,
    "ingress.mode": "octavia",
    "ingress.loadBalancerProvider": "amphora",
    "ingress.healthMonitors": True,
    "ingress.allowedCidrs": To(
        value=["192.0.2.0/28"], base={"ingress": {"mode": "octavia", "loadBalancerProvider": "amphora"}}
    ),
    "ingress.floatingIp": To(value="203.0.113.9", base={"ingress.floatingIp": "203.0.113.8"}),
    "monitoring.namespace": To(value="observability", base={"monitoring": MONITORING}, passing=IN_CLUSTER),
    "monitoring.labels": To(value={"release": "prometheus"}, base={"monitoring": MONITORING}, passing=IN_CLUSTER),
    "dns.kind": To(value="designate", also={"dns": {"kind": "designate", "zone": "lsst.ac.uk"}}),
    "dns.zone": To(value="ac.uk", base={"dns": {"kind": "designate", "zone": "lsst.ac.uk"}}),
    "dns.ttl": To(value=600, base={"dns": {"kind": "designate", "zone": "lsst.ac.uk"}}),
    "objectStore.bucket": "other",
    "objectStore.buckets": To(value={"ssotap": "other"}, base={"objectStore.buckets": {"ssotap": "async-sso"}}),
    "objectStore.kind": To(value="s3", also={"objectStore": S3}),
    "objectStore.endpoint": "https://s3.example.org",
    "objectStore.accessKey": To(value="planted-other", base={"objectStore": S3}),
    "objectStore.secretKey": To(value="planted-other", base={"objectStore": S3}),
    "vault.address": "https://vault.example.org:8200",
    "vault.caFile": ca_file("vault.pem"),
    "vault.mount": "existing",
    "vault.approle.path": "auth-of-roe",
    "vault.approle.ownership": "existing",
    "vault.approle.tokenTtl": 1800,
    "vault.approle.tokenMaxTtl": 30 * 24 * 3600,
    "vault.approle.secretIdRotation": "november",
    "vault.writeTokenTtl": 20 * 24 * 3600,
    "vault.rotation": {"gafaelfawr": "november"},
    "secrets.file": "static-secrets.yaml",
    "secrets.applications": {"argocd": {"dex.clientSecret": "planted-other"}},
    "secrets.registries": {"ghcr.io": LOGIN},
    "secrets.registries.NAME.username": To(value="other", base={"secrets.registries": {"ghcr.io": LOGIN}}),
    "secrets.registries.NAME.password": To(value="planted-2", base={"secrets.registries": {"ghcr.io": LOGIN}}),
    "secrets.oidcClients": To(value={"chronograf": CLIENT}, stack=OIDC),
    **{
        f"secrets.oidcClients.NAME.{key}": To(
            value=value, base={"secrets.oidcClients": {"chronograf": CLIENT}}, stack=OIDC
        )
        for key, value in {"id": "other", "secret": "planted-2", "returnUri": "https://rsp.example.org/2"}.items()
    },
    "tls.kind": To(value="letsencrypt", also={"tls": HTTP01}),
    "tls.email": To(value="b@example.org", base={"tls": HTTP01}),
    "tls.server": To(value="https://acme-staging-v02.api.letsencrypt.org/directory", base={"tls": HTTP01}),
    "tls.challenge.kind": To(value="designate", base={"tls": HTTP01}, also={"tls": DESIGNATE}),
    "tls.challenge.zone": To(value="example.com", base={"tls": DESIGNATE}),
    "tls.challenge.credential": To(value=CREDENTIAL, base={"tls": DESIGNATE}),
    "tls.challenge.credential.id": To(value="4567", base={"tls": DESIGNATE, "tls.challenge.credential": CREDENTIAL}),
    "tls.challenge.credential.secret": To(
        value="planted-2", base={"tls": DESIGNATE, "tls.challenge.credential": CREDENTIAL}
    ),
    "phalanx.repository": "https://github.com/lsst-uk/phalanx-2",
    "phalanx.revision": "branch",
    "phalanx.credentials": To(value=TOKEN),
    "phalanx.credentials.kind": To(value="ssh", base={"phalanx.credentials": TOKEN}, also=SSH),
    "phalanx.credentials.username": To(value="robot", base={"phalanx.credentials": TOKEN}),
    "phalanx.credentials.token": To(value="planted-token-2", base={"phalanx.credentials": TOKEN}),
    "phalanx.credentials.privateKey": To(value=private_key(), base=SSH),
    "phalanx.credentials.knownHosts": To(value=[HOST, HOST.replace("git.", "git-2.")], base=SSH),
    "phalanx.caFile": ca_file("git.pem"),
    "phalanx.environment": "other",
    "applications.sync": "manual",
    "applications.wiring": To(value="verify", passing="wiring.verification.problems"),
    "applications.timeout": 1800,
    "applications.overrides": {"tap": {"sync": "manual"}},
    "applications.overrides.NAME.revision": "branch",
    "applications.overrides.NAME.sync": "automatic",
    "applications.overrides.NAME.wait": False,
    "applications.storageClasses": {"standard": {"volumeType": "ceph-hdd"}, "fast": {"volumeType": "ceph-ssd"}},
    "applications.storageClasses.NAME.volumeType": "ceph-ssd",
    "applications.storageClasses.NAME.availabilityZone": "nova",
    "applications.storageClasses.NAME.reclaimPolicy": "Delete",
    "applications.storageClasses.NAME.default": True,
    "applications.databaseStorageClass": To(
        value="fast", base={"applications.storageClasses.fast": {"volumeType": "ceph-ssd"}}
    ),
    "protect": False,
    "enforcePreflight": False,
}
"""A value to change each key to."""

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
    **{key: PLATFORM[key] for key in PLATFORM if key.startswith("network.") and "adopt." not in key},
    "network.adopt.network": To(value="other", base={"network.adopt": {"network": "shared", "subnet": "shared-v4"}}),
    "network.adopt.subnet": To(value="other-v4", base={"network.adopt": {"network": "shared", "subnet": "shared-v4"}}),
    "host": "vault-2.example.org",
    "server.address": "10.20.0.12",
    "server.image": "debian-13",
    "server.availabilityZone": "az-1",
    "server.flavor": "m1.medium",
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

ONLY_THE_RUN: Mapping[str, str] = {
    "applications.timeout": "the timeouts of operations",
    **dict.fromkeys(
        (
            "backups.kind",
            "backups.volumes",
            "backups.claims",
            "backups.incremental",
            "backups.keep.daily",
            "backups.keep.weekly",
        ),
        "the next `operations backup` (tests/unit/operations/test_backup.py)",
    ),
    "enforcePreflight": "the checks before the first resource (tests/unit/program/test_failures.py)",
    "ingress.answerTimeout": "the end of each update (tests/unit/program/test_platform_answer.py)",
    "protect": "marks in the state, which are no properties of resources",
}
"""Keys that change no resource, with what they change."""


def test_each_key_declares_what_a_change_does_and_has_a_value_to_change_it_to() -> None:
    for model, values in ((StackConfig, PLATFORM), (VaultStackConfig, VAULT)):
        changeable = [key for key in keys(model) if not key.section]
        assert [key.path for key in changeable if key.change is None] == []
        assert sorted(key.path for key in changeable) == sorted(values)
        only_the_run = {key.path for key in changeable if key.change and key.change.effect is Effect.RUN}
        assert only_the_run == ONLY_THE_RUN.keys() & values.keys()


def changed(data: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with other values, by path; the last name may contain dots."""
    result = copy.deepcopy(dict(data))
    for path, value in values.items():
        *above, last = _parts(path)
        section = result
        for part in above:
            section = section.setdefault(part, {})
        section[last] = value
    return result


def _parts(path: str) -> list[str]:
    parts = path.split(".")
    return [NAMES[".".join(parts[:index])] if part == "NAME" else part for index, part in enumerate(parts)]


def _variant(key: Key, value: Any, heat: bool) -> tuple[To, str]:
    to = value if isinstance(value, To) else To(value=value)
    if heat and "clusters.cluster.driver" not in to.base:
        to = replace(to, base={**HEAT, **to.base})
        path = ".".join(_parts(key.path))
        if path in HEAT:
            other = {
                "clusters.cluster.kubernetesVersion": "v1.27.8-rancher2",
                "clusters.cluster.image": "fedora-coreos-39",
            }
            to = replace(to, value=other[path], also={})
    return to, ".".join(_parts(key.path))


def check(effect: Effect, refusals: list[str], found: Steps | None) -> None:
    """Check that a change has the declared effect.

    Args:
        effect: The declared effect.
        refusals: Messages that refuse the change.
        found: Steps of the engine, None if the program was refused before.
    """
    if effect is Effect.REFUSED:
        assert refusals or (found and found.refused), found
        return
    assert refusals == []
    assert found is not None
    assert not found.refused, found
    assert bool(found.replaced) is (effect is Effect.REPLACES), found
    assert bool(found) is (effect is not Effect.RUN), f"the key is ignored: {found}"


def _naming(path: str, refusals: Iterable[str]) -> list[str]:
    """Return the messages that begin with a key; there may be others for keys that change with it."""
    lines = [line for each in refusals for line in each.splitlines()]
    named = [line for line in lines if line.startswith(path)]
    assert named or not lines, lines
    return named


# The platform


CASES = [
    pytest.param(key, heat, id=f"{key.path}{' with heat' if heat else ''}")
    for key in keys(StackConfig)
    if not key.section and key.change
    for heat in ((False, True) if key.change.heat else (False,))
]


@pytest.mark.parametrize(("key", "heat"), CASES)
def test_a_change_has_the_declared_effect(
    key: Key, heat: bool, run_stack: StackRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    to, path = _variant(key, PLATFORM[key.path], heat)
    before = changed(_platform(to.stack), to.base)
    after = changed(before, {**to.also, key.path: to.value})
    monkeypatch.setattr(cluster_nodes, "addresses", lambda *_: pulumi.Output.from_input(["10.20.0.50"]))
    if to.passing:
        monkeypatch.setattr(to.passing, lambda *_: [])
    old, new = environment(**before), environment(**after)
    refusals = [*_openstack_refusals(old, new, monkeypatch), *_vault_refusals(old, new, to.stack)]
    found = None
    if not refusals:
        first, held = _first_run(run_stack, to.stack, before), _held(run_stack, to.stack)
        try:
            second = run_stack(to.stack, config=after, existing=held, stashed=_stashed(first))
            found = steps(first, second)
        except pulumi.RunError as error:
            refusals = [str(error)]
    assert key.change
    effect = (heat and key.change.heat) or key.change.effect
    check(effect, _naming(f"rsp:{path}", refusals), found)


def _platform(stack: str) -> dict[str, Any]:
    """Return a configuration of a Phalanx environment."""
    return {**environment_data(nfs__volumes=VOLUMES, phalanx__environment=stack), "protect": True}


_RUNS: dict[str, Recording] = {}


def _first_run(run_stack: StackRunner, stack: str, config: Mapping[str, Any]) -> Recording:
    """Return the first run with a configuration, which many tests share."""
    identity = json.dumps(config)
    if identity not in _RUNS:
        _RUNS[identity] = run_stack(stack, config=config, existing=_held(run_stack, stack))
    return _RUNS[identity]


_HELD: dict[str, Mapping[str, Mapping[str, str]]] = {}


def _held(run_stack: StackRunner, stack: str) -> Mapping[str, Mapping[str, str]]:
    """Return the secrets that a first run writes to Vault: with them, all runs have the same generated secrets."""
    if stack not in _HELD:
        file = run_stack.directory / "static-secrets.yaml"
        file.write_text("applications: {argocd: {dex.clientSecret: {value: planted-in-a-file}}}\n")
        file.chmod(0o600)
        secrets = run_stack(stack, config=_platform(stack), existing=STATIC[stack]).of("SecretV2")
        _HELD[stack] = {each.name.removeprefix("secrets-"): json.loads(each.inputs["dataJson"]) for each in secrets}
    return _HELD[stack]


def _stashed(run: Recording) -> dict[str, Any]:
    """Return what the state keeps of the keys that cannot change."""
    stashes = run.of("pulumi:index:Stash")
    return {each.name: each.inputs["input"] for each in stashes if each.name.startswith("created-with-")}


def _openstack_refusals(before: StackConfig, after: StackConfig, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the messages of the preflight with what a configuration created."""
    project = _project_of(before)
    monkeypatch.setattr("openstack.connect", lambda **_: project)
    with ThreadPoolExecutor(8) as pool:
        for problem in openstack_preflight.check(after, STACK, pool):
            if problem.fatal:
                yield str(problem)


def _project_of(config: StackConfig) -> FakeProject:
    project = FakeProject()
    project.images += [
        *named("debian-13", os_distro="debian", properties={}),
        *named("ubuntu-2404-kube-v1.36.3-2", os_distro="ubuntu", properties={"kube_version": "v1.36.3"}),
        *named("ubuntu-2404-kube-v1.37.0", os_distro="ubuntu", properties={"kube_version": "v1.37.0"}),
        *named("fedora-coreos-39", os_distro="fedora-coreos", properties={}),
    ]
    project.keypairs += named("others")
    project.cores = 200
    for resource in ("security_groups", "security_group_rules", "ports"):
        project.networking_quota[resource] = {"limit": 200, "used": 0}
    project.load_balancer_quota = dict.fromkeys(project.load_balancer_quota, -1)
    project.volume_zones += named("az-1", "az-2", state={"available": True})
    project.external += named("external-2")
    project.zones += named("lsst.ac.uk.", "ac.uk.", project_id="project-id", type="PRIMARY", status="ACTIVE")
    project.network.ips = lambda **_: [
        SimpleNamespace(
            floating_ip_address=f"203.0.113.{number}",
            floating_network_id="id-of-external",
            port_id=None,
            description="",
        )
        for number in (8, 9)
    ]
    _place(project, config.network, config.project, "nfs")
    project.volumes = [
        SimpleNamespace(
            name=cloud_name(STACK, f"nfs-{name}"),
            size=volume.size,
            volume_type=volume.type,
            availability_zone=volume.availability_zone or "nova",
        )
        for name, volume in (config.nfs.volumes if config.nfs else {}).items()
    ]
    project.shares = [
        SimpleNamespace(
            name=cloud_name(STACK, f"share-{name}"),
            size=share.size,
            share_protocol=share.protocol,
            share_type=share.type,
            share_network_id=None,
        )
        for name, share in config.shares.items()
    ]
    for name, cluster in config.clusters.items():
        project.clusters[cloud_name(STACK, name)] = recorded_magnum.cluster(
            config, flavor_id=f"id-of-{cluster.workers.flavor}"
        )
    project.templates["template-uuid"] = recorded_magnum.template(config)
    return project


def _place(project: FakeProject, settings: NetworkSettings, name: str, server: str) -> None:
    """Put a server's port into the network that a configuration creates or adopts."""
    own = cloud_name(STACK, "network", name)
    network, subnet = (settings.adopt.network, settings.adopt.subnet) if settings.adopt else (own, own)
    project.networks = named("shared", "other") if settings.adopt else named("shared", own)
    subnets = named("shared-v4", "other-v4", own, cidr=str(settings.cidr))
    project.network.subnets = lambda **_: subnets
    project.ports[cloud_name(STACK, server, name)] = SimpleNamespace(
        network_id=f"id-of-{network}", fixed_ips=[{"subnet_id": f"id-of-{subnet}"}]
    )


def _vault_refusals(before: StackConfig, after: StackConfig, stack: str) -> Iterator[str]:
    """Yield the messages of the checks with a Vault in which a configuration created its mount and auth method."""
    phalanx = phalanx_environment.load(CHECKOUTS[stack], stack)
    ours = {"description": vault_description(STACK)}
    mounts = {
        "secret": {f"{phalanx.vault_mount}/": {"type": "kv", "options": {"version": "2"}, **ours}},
        "auth": {f"{before.vault.approle.path}/": {"type": "approle", **ours}},
    }

    def get(path: str) -> dict[str, Any]:
        if path != "/v1/sys/internal/ui/mounts":
            raise hvac.exceptions.InvalidPath
        return {"data": mounts}

    client: Any = SimpleNamespace(adapter=SimpleNamespace(get=get))
    for problem in existing_vault.check(client, phalanx, after.vault, STACK):
        if problem.fatal:
            yield str(problem)


# The site's own Vault


@pytest.mark.parametrize("key", [pytest.param(key, id=key.path) for key in keys(VaultStackConfig) if not key.section])
def test_a_change_in_the_vault_project_has_the_declared_effect(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    to, path = _variant(key, VAULT[key.path], heat=False)
    before = changed(vault_stack_data(), to.base)
    after = changed(before, {**to.also, key.path: to.value})
    project = _vault_project_of(vault_stack(**before))
    monkeypatch.setattr(vault_server_preflight, "connect", lambda *_: project)
    monkeypatch.setattr(vault_server_preflight, "_check_certificate", lambda _: [])
    monkeypatch.setattr(openstack_connection, "locate", lambda cloud, _: Location("project-id", cloud.region))
    refusals = [str(each) for each in vault_server_preflight.check(vault_stack(**after), STACK) if each.fatal]
    found = None
    if not refusals:
        monkeypatch.setattr(vault_server_preflight, "check", lambda *_: [])
        first = test_vault_project.run(test_vault_project.as_config(before))
        try:
            second = test_vault_project.run(test_vault_project.as_config(after), stashed=_stashed(first))
            found = steps(first, second)
        except pulumi.RunError as error:
            refusals = [str(error)]
    assert key.change
    check(key.change.effect, _naming(f"rsp-vault:{path}", refusals), found)


def _vault_project_of(config: VaultStackConfig) -> FakeProject:
    """Return an OpenStack project with what a configuration of the Vault project created."""
    project = _project_of(environment())
    _place(project, config.network, config.project, "vault")
    volume = config.server.volume
    project.volumes = [
        SimpleNamespace(
            name=cloud_name(STACK, "vault-data", config.project),
            size=volume.size,
            volume_type=volume.type,
            availability_zone=volume.availability_zone or "nova",
        )
    ]
    return project
