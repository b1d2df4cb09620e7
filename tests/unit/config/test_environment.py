import pytest

from config import heat_releases, names
from config.loader import ConfigError
from tests.unit.sample import HEAT, environment, environment_data

CLUSTER = environment_data()["clusters"]["cluster"]

BAD_INPUT = {
    "unknown key": ({"network__cidrr": 1}, "rsp:network.cidrr is not a known key; did you mean `cidr`?"),
    "unknown section": ({"netwrok": {}}, "rsp:netwrok is not a known key; did you mean `network`?"),
    "missing key": ({"network__cidr": None}, "rsp:network.cidr is missing."),
    "missing section": (
        {"network": None},
        "rsp:network is missing. Expected: Private network of the cluster and the NFS server, for example {",
    ),
    "CIDR without room": ({"network__cidr": "10.20.0.0/27"}, "rsp:network: cidr 10.20.0.0/27 leaves fewer than 8"),
    "pods overlap nodes": (
        {**HEAT, "clusters__cluster__podCidr": "10.0.0.0/8"},
        "rsp:clusters.cluster.podCidr: 10.0.0.0/8 overlaps network.cidr",
    ),
    "Services overlap nodes": (
        {**HEAT, "clusters__cluster__serviceCidr": "10.20.0.128/25"},
        "rsp:clusters.cluster.serviceCidr: 10.20.0.128/25 overlaps network.cidr 10.20.0.0/24: choose another range",
    ),
    "Services overlap pods": (
        {**HEAT, "clusters__cluster__serviceCidr": "10.100.7.0/24"},
        "rsp:clusters.cluster.serviceCidr: 10.100.7.0/24 overlaps clusters.cluster.podCidr 10.100.0.0/16: ",
    ),
    "old Kubernetes": (
        {"clusters__cluster__kubernetesVersion": "v1.23.3"},
        "rsp:clusters.cluster: kubernetesVersion v1.23.3: Phalanx requires Kubernetes 1.30 or later, such as v1.",
    ),
    "Heat without an image of hyperkube": (
        {"clusters__cluster__driver": "heat", "clusters__cluster__kubernetesVersion": "v1.36.3"},
        "rsp:clusters.cluster: kubernetesVersion v1.36.3: driver heat installs the image rancher/hyperkube, whose",
    ),
    "Heat with an untested release": (
        {"clusters__cluster__driver": "heat", "clusters__cluster__kubernetesVersion": "v1.31.2-rancher1"},
        "set the labels containerd_version, containerd_tarball_sha256, cloud_provider_tag, cinder_csi_plugin_tag in",
    ),
    "allowed networks of a private API": (
        {"clusters__cluster__publicApi": False, "clusters__cluster__apiAllowedCidrs": ["192.0.2.0/24"]},
        "rsp:clusters.cluster: apiAllowedCidrs requires publicApi true",
    ),
    "allowed networks with OVN": (
        {"clusters__cluster__apiAllowedCidrs": ["192.0.2.0/24"]},
        "rsp:clusters.cluster.apiAllowedCidrs: OVN load balancers do not support allowed CIDRs",
    ),
    "allowed networks of the platform with OVN": (
        {"ingress__mode": "octavia", "ingress__allowedCidrs": ["192.0.2.0/24"]},
        "rsp:ingress: allowedCidrs: OVN load balancers do not support allowed CIDRs: remove it, or set",
    ),
    "allowed networks of the cloud controller's load balancer": (
        {"ingress__loadBalancerProvider": "amphora", "ingress__allowedCidrs": ["192.0.2.0/24"]},
        "rsp:ingress: allowedCidrs is not supported by mode cloud-controller: remove it, or set mode to octavia",
    ),
    "a load balancer of the stack with autoscaled workers": (
        {"ingress__mode": "octavia", "clusters__cluster__workers__autoscaling": {"minimum": 1, "maximum": 5}},
        "rsp:ingress.mode: octavia does not support clusters.cluster.workers.autoscaling, as",
    ),
    "a load balancer of the stack with an autoscaled group": (
        {"ingress__mode": "octavia", "clusters__cluster__nodeGroups__labs__autoscaling": {"minimum": 1, "maximum": 5}},
        "rsp:ingress.mode: octavia does not support clusters.cluster.nodeGroups.labs.autoscaling, as",
    ),
    "count outside autoscaling": (
        {"clusters__cluster__workers__autoscaling": {"minimum": 3, "maximum": 5}},
        "rsp:clusters.cluster.workers: count 2 is not between autoscaling.minimum 3 and autoscaling.maximum 5",
    ),
    "pod network with Cluster API": (
        {"clusters__cluster__driver": "capi", "clusters__cluster__podCidr": "10.100.0.0/16"},
        "rsp:clusters.cluster: podCidr and serviceCidr are not supported by driver capi",
    ),
    "flannel with Cluster API": (
        {"clusters__cluster__driver": "capi", "clusters__cluster__networkDriver": "flannel"},
        "rsp:clusters.cluster: driver capi supports networkDriver calico only",
    ),
    "a further network with Heat": (
        {**HEAT, "clusters__cluster__labels": {"extra_network_names": "storage"}},
        "rsp:clusters.cluster: label extra_network_names: only driver capi attaches nodes to further networks",
    ),
    "volume without size": ({"nfs__volumes": {"data": {}}}, "rsp:nfs.volumes.data.size is missing."),
    "unknown kind of store": ({"objectStore__kind": "ftp"}, "rsp:objectStore.kind must be one of swift, s3."),
    "no kind of store": ({"objectStore__kind": None}, "rsp:objectStore.kind must be one of swift, s3."),
    "store without keys": ({"objectStore__kind": "s3"}, "rsp:objectStore.accessKey is missing."),
    "unknown kind of certificate": ({"tls": {"kind": "acme"}}, "rsp:tls.kind must be one of phalanx, vault, letsencry"),
    "ACME without an account": (
        {"tls": {"kind": "letsencrypt"}},
        "rsp:tls.email is missing. Expected: Email address of the ACME account",
    ),
    "account without ACME": ({"tls": {"kind": "vault", "email": "a@b.test"}}, "rsp:tls.email is not a known key"),
    "unknown challenge": (
        {"tls": {"kind": "letsencrypt", "email": "rsp@example.org", "challenge": {"kind": "tls"}}},
        "rsp:tls.challenge.kind must be one of http01, designate.",
    ),
    "challenge without a zone": (
        {"tls": {"kind": "letsencrypt", "email": "rsp@example.org", "challenge": {"kind": "designate"}}},
        "rsp:tls.challenge.zone is missing.",
    ),
    "two clusters of which none is active": (
        {"clusters__green": CLUSTER},
        "rsp:activeCluster: is required with two clusters: set it to the one that serves the platform, cluster or",
    ),
    "two clusters with the same values": (
        {"clusters__green": CLUSTER, "activeCluster": "green", "applications__wiring": "verify"},
        "rsp:applications.wiring: verify does not support two clusters",
    ),
}


@pytest.mark.parametrize(("changes", "message"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_invalid_input_is_reported_with_key_and_fix(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        environment(**changes)
    lines = str(caught.value).splitlines()
    assert any(message in line for line in lines), lines
    assert all(line.startswith("Pulumi.test.yaml: rsp:") for line in lines)


def test_heat_accepts_a_tested_release_or_the_labels_of_another() -> None:
    assert not environment(**HEAT).cluster.is_supported_by_phalanx
    labels = dict.fromkeys(heat_releases.REQUIRED, "given")
    untested = {**HEAT, "clusters__cluster__kubernetesVersion": "v1.31.2-rancher1", "clusters__cluster__labels": labels}
    assert environment(**untested).cluster.is_supported_by_phalanx


def test_the_environment_is_immutable() -> None:
    with pytest.raises(ValueError, match="frozen"):
        environment().protect = False


def test_backups_are_of_volumes_and_claims_that_can_be_found() -> None:
    with pytest.raises(
        ConfigError, match=r"rsp:backups\.volumes: home is not a key of nfs\.volumes: choose one of data, j"
    ):
        environment(backups={"kind": "snapshot", "volumes": ["home"]})
    claims = {"backups__claims": ["postgres/postgres-physpvc"]}
    assert environment(**claims).backups.claims
    with pytest.raises(ConfigError, match=r"rsp:backups\.claims: requires clusters\.cluster\.driver capi"):
        environment(**claims, **HEAT)
    with pytest.raises(ConfigError, match="must be the namespace and the name of a PersistentVolumeClaim"):
        environment(backups__claims=["postgres"])


def test_backups_of_nothing_are_refused() -> None:
    """Shares are not backed up: the nightly run would succeed, and nobody would have a backup."""
    shares = {"nfs": None, "shares": {"jhome": {"size": 1}}}
    refused = pytest.raises(ConfigError, match=r"rsp:backups\.kind: backup has no volume to back up")
    with refused:
        environment(**shares, backups={"kind": "backup"})
    with refused:
        environment(backups={"kind": "backup", "volumes": []})
    assert environment(**shares, backups={"kind": "backup", "claims": ["postgres/postgres-physpvc"]})
    assert environment(**shares)


def test_the_only_cluster_is_active() -> None:
    assert environment().active == "cluster"
    two = environment(clusters__green=CLUSTER, activeCluster="green")
    assert (two.active, two.cluster) == ("green", two.clusters["green"])


def test_the_name_of_a_resource_begins_with_its_cluster() -> None:
    assert names.cluster_of("green-applications-tap", ["cluster", "green"]) == "green"
    assert names.cluster_of("cluster-labs", ["cluster", "green"]) == "cluster"
    assert names.cluster_of("secrets-tap", ["cluster", "green"]) is None


def test_a_resource_of_a_cluster_that_was_removed_is_in_no_other_one() -> None:
    assert names.cluster_of("green-applications-tap", ["cluster"]) is None
