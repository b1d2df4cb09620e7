"""A value to change each configuration key of the platform to."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from components import private_authority
from tests.unit.sample import environment_data
from tests.unit.ssh import HOST, private_key

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


FILES = tempfile.TemporaryDirectory()
"""Directory that exists as long as the tests."""


def ca_file(name: str) -> str:
    """Return the path of a file with the certificate of a new CA."""
    file = Path(FILES.name, name)
    file.write_text(private_authority.create("example.org")["certificate"])
    return str(file)


TOKEN = {"kind": "https", "token": "planted-token"}
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

    @classmethod
    def of(cls, value: Any) -> Self:
        """Return the change to a value, or the given change."""
        return value if isinstance(value, cls) else cls(value=value)


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
    "nfs.bootVolume": {"size": 10},
    "nfs.bootVolume.size": To(value=11, base={"nfs.bootVolume": {"size": 10}}),
    "nfs.bootVolume.type": To(value="ceph-hdd", base={"nfs.bootVolume": {"size": 10}}),
    "nfs.availabilityZone": "az-1",
    "nfs.volumes": {**VOLUMES, "scratch": {"size": 1}},
    "nfs.volumes.NAME.size": 101,
    "nfs.volumes.NAME.type": "ceph-ssd",
    "nfs.volumes.NAME.availabilityZone": To(value="az-2", base={"nfs.volumes.data.availabilityZone": "nova"}),
    "nfs.volumes.NAME.rootSquash": False,
    "nfs.volumes.NAME.readOnly": True,
    "nfs.volumes.NAME.owner": "1000:1000",
    "nfs.volumes.NAME.mode": "2775",
    "nfs.volumes.NAME.directories": ["butler/rubin"],
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
    "clusters.NAME.claims": To(
        value={"postgres/postgres-physpvc": "6a3c6ab7-3f5b-4d0a-9e34-9c6f5b1f6f0e"},
        passing="probes.existing_volumes.claimed_problems",
    ),
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
