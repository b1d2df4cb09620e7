import pytest

from config import heat_releases, names
from config.loader import ConfigError
from tests.unit.sample import HEAT, environment, environment_data


def test_a_complete_environment_is_accepted() -> None:
    assert environment().network.external_network == "external"


BAD_INPUT = {
    "unknown key": ({"network__cidrr": 1}, "rsp:network.cidrr is not a known key; did you mean `cidr`?"),
    "unknown section": ({"netwrok": {}}, "rsp:netwrok is not a known key; did you mean `network`?"),
    "missing key": ({"network__cidr": None}, "rsp:network.cidr is missing."),
    "missing section": (
        {"network": None},
        "rsp:network is missing. Expected: Private network of the cluster and the NFS server, for example {",
    ),
    "malformed CIDR": (
        {"network__cidr": "10.20.0.0/33"},
        'rsp:network.cidr: must be an IPv4 network in CIDR notation, such as 10.20.0.0/22 (got "10.20.0.0/33").',
    ),
    "host bits in CIDR": (
        {"network__cidr": "10.20.0.7/24"},
        'such as 10.20.0.0/22: the network of this address is 10.20.0.0/24 (got "10.20.0.7/24").',
    ),
    "public CIDR": ({"network__cidr": "8.8.0.0/16"}, "rsp:network.cidr: must be a private network"),
    "CIDR without room": ({"network__cidr": "10.20.0.0/27"}, "rsp:network: cidr 10.20.0.0/27 leaves fewer than 8"),
    "NFS outside the subnet": ({"nfs__address": "10.21.0.10"}, "rsp:nfs.address: 10.21.0.10 is outside network.cidr"),
    "NFS within the pool": (
        {"nfs__address": "10.20.0.200"},
        "rsp:nfs.address: 10.20.0.200 cannot be a fixed address: choose a host address in 10.20.0.2 to 10.20.0.32",
    ),
    "NFS on the gateway": ({"nfs__address": "10.20.0.1"}, "rsp:nfs.address: 10.20.0.1 cannot be a fixed address"),
    "even number of masters": (
        {"clusters__cluster__masters__count": 2},
        "rsp:clusters.cluster.masters.count: must be odd, got 2",
    ),
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
    "node group with a name of Magnum's": (
        {"clusters__cluster__nodeGroups": {"default-worker": {"flavor": "m1.large", "count": 1}}},
        "rsp:clusters.cluster.nodeGroups: default-worker: Magnum has a node group of this name already: choose",
    ),
    "version as a number": (
        {"clusters__cluster__kubernetesVersion": 1.36},
        "rsp:clusters.cluster.kubernetesVersion: must be text",
    ),
    "label with a key of its own": (
        {"clusters__cluster__labels": {"kube_tag": "v1.36.3"}},
        "rsp:clusters.cluster.labels: label kube_tag must not be set here: set clusters.NAME.kubernetesVersion",
    ),
    "label that is not text": (
        {"clusters__cluster__labels": {"etcd_volume_size": 10}},
        "rsp:clusters.cluster.labels.etcd_volume_size: must be text: put it in quotes",
    ),
    "autoscaling upside down": (
        {"clusters__cluster__workers__autoscaling": {"minimum": 3, "maximum": 2}},
        "rsp:clusters.cluster.workers.autoscaling: maximum 2 is below minimum 3",
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
        {
            "clusters__cluster__driver": "heat",
            "clusters__cluster__kubernetesVersion": "v1.28.9-rancher1",
            "clusters__cluster__labels": {"extra_network_names": "storage"},
        },
        "rsp:clusters.cluster: label extra_network_names: only driver capi attaches nodes to further networks",
    ),
    "no volume": ({"nfs__volumes": {}}, "rsp:nfs.volumes: must not be empty"),
    "invalid name of a volume": (
        {"nfs__volumes": {"Data Sets": {"size": 1}}},
        'rsp:nfs.volumes["Data Sets"]: this key is not valid: must be lower-case letters, digits and hyphens',
    ),
    "volume without size": ({"nfs__volumes": {"data": {}}}, "rsp:nfs.volumes.data.size is missing."),
    "volume of size zero": ({"nfs__volumes__data__size": 0}, "rsp:nfs.volumes.data.size: must be at least 1 (got 0)."),
    "owner by name": (
        {"nfs__volumes__data__owner": "root:root"},
        "rsp:nfs.volumes.data.owner: is not valid: must be the numbers of a user and of a group, such as 1000:1000",
    ),
    "owner that the kernel has no number for": (
        {"nfs__volumes__data__owner": "1000:4294967295"},
        "rsp:nfs.volumes.data.owner: 4294967295 is no ID of a user or group: must be 0 to 4294967294",
    ),
    "owner that systemd refuses": (
        {"nfs__volumes__data__owner": "65535:1000"},
        "rsp:nfs.volumes.data.owner: 65535 is no ID of a user or group",
    ),
    "permissions as a number": (
        {"nfs__volumes__data__mode": 2775},
        "rsp:nfs.volumes.data.mode: must be text: put it in quotes",
    ),
    "permissions that are not octal": ({"nfs__volumes__data__mode": "0778"}, "rsp:nfs.volumes.data.mode: is not valid"),
    **{
        f"directory {path}": (
            {"nfs__volumes__data__directories": [path]},
            f"rsp:nfs.volumes.data.directories[0]: is {'blank' if not path else 'not valid'}: must be a path below the",
        )
        for path in ("", "/butler", "../jhome", "butler/..", "butler//rubin", "butler/", "a b", "%n")
    },
    "unknown kind of store": ({"objectStore__kind": "ftp"}, "rsp:objectStore.kind must be one of swift, s3."),
    "no kind of store": ({"objectStore__kind": None}, "rsp:objectStore.kind must be one of swift, s3."),
    "store without keys": ({"objectStore__kind": "s3"}, "rsp:objectStore.accessKey is missing."),
    "endpoint is not a URL": (
        {"objectStore__endpoint": "somewhere"},
        "rsp:objectStore.endpoint: does not begin with a scheme (https://) and a host: must be a URL, such as https://s3",
    ),
    "user in the endpoint": (
        {"objectStore__endpoint": "https://somebody:hunter2@s3.example.org"},
        "rsp:objectStore.endpoint: contains a user or password",
    ),
    "token in the endpoint": (
        {"objectStore__endpoint": "https://s3.example.org/?token=hunter2"},
        "rsp:objectStore.endpoint: contains a query",
    ),
    "bucket like an address": (
        {"objectStore__bucket": "192.0.2.1"},
        "rsp:objectStore.bucket: is an IP address",
    ),
    "bucket with an empty part": (
        {"objectStore__bucket": "a..b"},
        "rsp:objectStore.bucket: is not valid: must be 3 to 63",
    ),
    "bucket with a trailing hyphen": (
        {"objectStore__bucket": "a.b-.c"},
        "rsp:objectStore.bucket: is not valid: must be 3 to 63",
    ),
    "bucket of an unknown service": (
        {"objectStore__buckets": {"mobu": "async"}},
        "rsp:objectStore.buckets.mobu: this key must be one of ssotap, tap",
    ),
    "bucket of a service": (
        {"objectStore__buckets": {"tap": "Async"}},
        "rsp:objectStore.buckets.tap: is not valid: must be 3 to 63",
    ),
    "no cluster": ({"clusters": {}}, "rsp:clusters: must not be empty. Expected: Kubernetes cluster"),
    "name of a cluster with a hyphen": (
        {"clusters": {"blue-1": environment_data()["clusters"]["cluster"]}},
        "rsp:clusters.blue-1: this key is not valid: must be lower-case letters and digits, beginning with a letter",
    ),
    "cluster with the name of the NFS server": (
        {"clusters": {"nfs": environment_data()["clusters"]["cluster"]}},
        "rsp:clusters.nfs: this key must not be that of another resource of the stack: choose another name",
    ),
    "two clusters of which none is active": (
        {"clusters__green": environment_data()["clusters"]["cluster"]},
        "rsp:activeCluster: is required with two clusters: set it to the one that serves the platform, cluster or",
    ),
    "an active cluster that does not exist": (
        {"activeCluster": "blue"},
        "rsp:activeCluster: blue is not in clusters: set it to cluster; to remove the active cluster, switch to the",
    ),
    "three clusters": (
        {"clusters": dict.fromkeys(("blue", "green", "red"), environment_data()["clusters"]["cluster"])},
        "rsp:clusters: must have at most 2 entries",
    ),
    "two clusters with the same values": (
        {
            "clusters__green": environment_data()["clusters"]["cluster"],
            "activeCluster": "green",
            "applications__wiring": "verify",
        },
        "rsp:applications.wiring: verify does not support two clusters",
    ),
    "conflict beside an invalid section": (
        {**HEAT, "clusters__cluster__podCidr": "10.20.0.0/16", "nfs__volumes": {}},
        "rsp:clusters.cluster.podCidr: 10.20.0.0/16 overlaps network.cidr 10.20.0.0/24",
    ),
    "section is not a mapping": (
        {"network": "10.20.0.0/24"},
        'rsp:network: must be a mapping (`key: value`) (got "10.20.0.0/24").',
    ),
}


@pytest.mark.parametrize(("changes", "message"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_invalid_input_is_reported_with_key_and_fix(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        environment(**changes)
    lines = str(caught.value).splitlines()
    assert any(message in line for line in lines), lines
    assert all(line.startswith("Pulumi.test.yaml: rsp:") for line in lines)


def test_all_problems_are_reported_together() -> None:
    with pytest.raises(ConfigError) as caught:
        environment(
            network__cidr="x", clusters__cluster__masters__count=2, nfs__flavour="m1.small", objectStore__bucket="X"
        )
    assert len(str(caught.value).splitlines()) == 4


def test_all_conflicts_between_sections_are_reported_together() -> None:
    with pytest.raises(ConfigError) as caught:
        environment(
            **HEAT,
            nfs__address="10.21.0.1",
            clusters__cluster__podCidr="10.20.0.0/16",
            clusters__cluster__serviceCidr="10.20.0.0/16",
        )
    assert len(str(caught.value).splitlines()) == 3


def test_heat_accepts_a_tested_release_or_the_labels_of_another() -> None:
    assert not environment(**HEAT).cluster.is_supported_by_phalanx
    labels = dict.fromkeys(heat_releases.REQUIRED, "given")
    untested = {
        "clusters__cluster__driver": "heat",
        "clusters__cluster__kubernetesVersion": "v1.31.2-rancher1",
        "clusters__cluster__labels": labels,
    }
    assert environment(**untested).cluster.is_supported_by_phalanx


def test_a_rejected_value_is_not_quoted() -> None:
    with pytest.raises(ConfigError) as caught:
        environment(objectStore__kind="s3", objectStore__accessKey="AKIA-visible", objectStore__secretKey=["s3cr3t"])
    assert "s3cr3t" not in str(caught.value)


def test_secrets_are_not_shown_in_the_representation() -> None:
    loaded = environment(objectStore__kind="s3", objectStore__accessKey="AKIA", objectStore__secretKey="s3cr3t")
    assert "s3cr3t" not in repr(loaded)
    assert "AKIA" not in repr(loaded)


def test_the_environment_is_immutable() -> None:
    with pytest.raises(ValueError, match="frozen"):
        environment().protect = False


def test_backups_are_of_volumes_and_claims_that_can_be_found() -> None:
    with pytest.raises(
        ConfigError, match=r"rsp:backups\.volumes: home is not a key of nfs\.volumes: choose of data, j"
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
    two = environment(clusters__green=environment_data()["clusters"]["cluster"], activeCluster="green")
    assert (two.active, two.cluster) == ("green", two.clusters["green"])


@pytest.mark.parametrize(
    ("cluster", "name", "expected"),
    [
        ("cluster", "applications-tap", "applications-tap"),
        ("green", "applications-tap", "green-applications-tap"),
        ("green", "kubernetes", "green-kubernetes"),
    ],
)
def test_resources_are_named_after_their_cluster(cluster: str, name: str, expected: str) -> None:
    assert names.of_cluster(cluster, name) == expected
    assert names.cluster_of(expected, ["cluster", "green"]) == cluster
    assert names.cluster_of(expected, ["blue"]) is None


def test_a_resource_of_a_cluster_that_was_removed_is_in_no_other_one() -> None:
    assert names.cluster_of("green-applications-tap", ["cluster"]) is None
    assert names.cluster_of("cluster-labs", ["cluster"]) == "cluster"
