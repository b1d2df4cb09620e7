"""Each kind of value that cannot be right is refused with its key, the value if it is no secret, and an example."""

from typing import Any

import pytest

from tests.unit.config.refusals import refusals
from tests.unit.sample import HEAT, environment_data

CLUSTER = environment_data()["clusters"]["cluster"]
LETS_ENCRYPT = {"kind": "letsencrypt", "email": "rsp@example.org"}


@pytest.mark.parametrize(
    ("at", "value", "below", "reason"),
    [
        # Numbers are neither text, booleans nor fractions, and have bounds.
        ("clusters.cluster.workers.count", True, "", "must be a whole number, without quotes (got true)"),
        ("clusters.cluster.workers.count", "3", "", 'must be a whole number, without quotes (got "3")'),
        ("clusters.cluster.workers.count", 2.5, "", "must be a whole number, without quotes (got 2.5)"),
        ("clusters.cluster.workers.count", 10**12, "", "must be at most 5000 (got 1000000000000)"),
        ("clusters.cluster.workers.count", 10**400, "", "must be"),
        ("clusters.cluster.workers.count", float("inf"), "", "must be"),
        ("clusters.cluster.masters.count", 9, "", "must be at most 7 (got 9)"),
        ("clusters.cluster.masters.count", 2, "", "must be odd, got 2"),
        ("clusters.cluster.workers.autoscaling", {"minimum": 3, "maximum": 2}, "", "maximum 2 is below minimum 3"),
        ("applications.timeout", 10**9, "", "must be at most 86400 (got 1000000000)"),
        ("nfs.volumes.data.size", 0, "", "must be at least 1 (got 0)"),
        ("nfs.volumes.data.size", 10**7, "", "must be at most 1000000 (got 10000000)"),
        ("network.reservedAddresses", 10**6, "", "must be at most 65536 (got 1000000)"),
        ("vault.writeTokenTtl", 10**10, "", "must be at most 315360000 (got 10000000000)"),
        ("vault.approle.tokenTtl", -1, "", "must be at least 60 (got -1)"),
        ("vault.approle.tokenMaxTtl", 10**10, "", "must be at most 315360000 (got 10000000000)"),
        # Booleans are neither text nor numbers.
        ("protect", "false", "", 'must be true or false, without quotes (got "false")'),
        ("clusters.cluster.autohealing", 1, "", "must be true or false, without quotes (got 1)"),
        ("nfs.volumes.data.readOnly", "yes", "", 'must be true or false, without quotes (got "yes")'),
        # Text is no number or boolean, is not blank, and has one line.
        ("cloud.keypair", True, "", "must be text: put it in quotes (got true)"),
        ("clusters.cluster.kubernetesVersion", 1.36, "", "must be text: put it in quotes (got 1.36)"),
        ("clusters.cluster.labels", {"etcd_volume_size": 10}, ".etcd_volume_size", "must be text: put it in quotes"),
        ("cloud.name", 8, "", "must be text: put it in quotes (got 8)"),
        ("cloud.name", "", "", '255 characters in one line, such as m1.small (got "")'),
        ("cloud.name", "   ", "", "is blank: must be a name"),
        ("cloud.name", " rsp", "", "begins or ends with a blank: must be a name of at most 255 characters in one line"),
        ("nfs.image", "debian\n12", "", "contains a line break or an invisible character: must be a name"),
        ("nfs.image", "debian\x0012", "", "contains a line break or an invisible character: must be a name"),
        ("nfs.image", "debian\u200b12", "", "invisible character: must be a name of at most 255 characters"),
        ("nfs.image", "debian\ud80012", "", "contains a line break or an invisible character: must be a name"),
        ("nfs.flavor", "m" * 256, "", "has 256 characters, more than 255: must be a name"),
        ("vault.rotation", {"gafaelfawr": "  "}, ".gafaelfawr", "is blank"),
        # Addresses and networks are text.
        ("nfs.address", 8, "", "must be an IPv4 address, such as 10.20.0.10 (got 8). Expected: "),
        ("nfs.address", "10.20.0", "", 'must be an IPv4 address, such as 10.20.0.10 (got "10.20.0")'),
        ("nfs.address", "2001:db8::1", "", 'must be an IPv4 address, such as 10.20.0.10 (got "2001:db8::1")'),
        ("nfs.address", "10.21.0.10", "", "10.21.0.10 is outside network.cidr"),
        ("nfs.address", "10.20.0.1", "", "10.20.0.1 cannot be a fixed address"),
        ("nfs.address", "10.20.0.200", "", "cannot be a fixed address: choose a host address in 10.20.0.2 to 10.20.0"),
        ("nfs.address", True, "", "must be an IPv4 address, such as 10.20.0.10 (got true)"),
        ("network.cidr", 10, "", "must be an IPv4 network in CIDR notation, such as 10.20.0.0/22 (got 10)"),
        ("network.cidr", "10.20.0.0", "", "must be an IPv4 network in CIDR notation, such as 10.20.0.0/22 (got"),
        ("network.cidr", "10.20.0.0/33", "", 'must be an IPv4 network in CIDR notation, such as 10.20.0.0/22 (got "10'),
        ("network.cidr", "10.20.0.7/24", "", "such as 10.20.0.0/22: the network of this address is 10.20.0.0/24 (got"),
        ("network.cidr", "10.20.0.0/255.255.255.0", "", "must be an IPv4 network in CIDR notation"),
        ("network.cidr", ["10.20.0.0", 24], "", "must be an IPv4 network in CIDR notation"),
        ("network.cidr", "192.0.2.0/24", "", "must be a private network (RFC 1918: 10.0.0.0/8, 172.16.0.0/12, 192.168"),
        ("network.cidr", "127.0.0.0/8", "", "must be a private network"),
        ("network.cidr", "169.254.0.0/16", "", "must be a private network"),
        ("network.cidr", "8.0.0.0/7", "", "must be a private network"),
        ("network.cidr", "0.0.0.0/0", "", "must be a private network"),
        # Name servers.
        ("network.dnsNameservers", ["9.9.9.9", "9.9.9.9"], "", "repeats 9.9.9.9: remove the repetition"),
        ("network.dnsNameservers", ["127.0.0.1"], "[0]", "no host can have this address: must be that of a host"),
        ("network.dnsNameservers", ["0.0.0.7"], "[0]", "no host can have this address"),
        ("network.dnsNameservers", ["255.255.255.255"], "[0]", "no host can have this address"),
        ("network.dnsNameservers", ["9.9.9.9", "224.0.0.1"], "[1]", "no host can have this address"),
        ("network.dnsNameservers", [8], "[0]", "must be an IPv4 address, such as 10.20.0.10 (got 8). Expected: "),
        ("network.dnsNameservers", "9.9.9.9", "", 'must be a list (`[value, ...]`) (got "9.9.9.9")'),
        ("network.dnsNameservers", [f"9.9.9.{n}" for n in range(9)], "", "must have at most 5 entries"),
        ("network", {"externalNetwork": "e", "cidr": "10.2.0.0/24", "dnsNameservers": ["10.2.0.255"]}, "", "broadcast"),
        # Names in other services.
        ("clusters", {"blue-1": CLUSTER}, ".blue-1", "this key is not valid: must be lower-case letters and digits"),
        ("clusters", {"nfs": CLUSTER}, ".nfs", "this key must not be that of another resource of the stack: choose a"),
        ("clusters", dict.fromkeys(("blue", "green", "red"), CLUSTER), "", "must have at most 2 entries"),
        ("clusters", {}, "", "must not be empty. Expected: Kubernetes cluster"),
        ("activeCluster", "blue", "", "blue is not in clusters: set it to cluster; to remove the active cluster"),
        ("clusters.cluster.nodeGroups", {"default-worker": {"flavor": "f", "count": 1}}, "", "default-worker: Magnum"),
        ("clusters.cluster.nodeGroups", {"labs-": {"flavor": "f", "count": 1}}, ".labs-", "this key is not valid"),
        ("nfs.volumes", {"data-": {"size": 1}}, ".data-", "this key is not valid: must be lower-case letters, digits"),
        ("nfs.volumes", {}, "", "must not be empty"),
        ("nfs.volumes", {"../data": {"size": 1}}, '["../data"]', "this key is not valid"),
        ("nfs.volumes", {"a.b": {"size": 1}}, '["a.b"]', "this key is not valid"),
        ("phalanx.environment", "../roe", "", "is not valid: must be lower-case letters, digits and hyphens"),
        ("applications.storageClasses", {"a..b": {"volumeType": "x"}}, '["a..b"]', "this key is not valid: must be a"),
        ("applications.storageClasses", {"a-": {"volumeType": "x"}}, ".a-", "this key is not valid: must be a name"),
        ("applications.overrides", {"TAP": {"wait": False}}, ".TAP", "this key is not valid: must be lower-case"),
        ("applications.overrides", {"tap": {}}, ".tap", "must set revision, sync or wait: remove the entry otherwise"),
        ("applications.overrides", {"tap": {"wait": "no"}}, ".tap.wait", "must be true or false, without quotes"),
        ("applications.overrides", {"tap": {"sync": "never"}}, ".tap.sync", "must be one of on-change"),
        ("applications.overrides", {"tap": {"revision": "-u"}}, ".tap.revision", "'-u' is not the name of a revision"),
        ("objectStore.bucket", "192.0.2.1", "", "is an IP address, which S3 does not allow: must be 3 to 63"),
        ("objectStore.bucket", "as", "", "must have at least 3 characters"),
        ("objectStore.bucket", "a..b", "", "is not valid: must be 3 to 63 lower-case letters"),
        ("objectStore.bucket", "a.b-.c", "", "is not valid: must be 3 to 63 lower-case letters"),
        ("objectStore.bucket", "-async", "", "is not valid: must be 3 to 63 lower-case letters"),
        ("objectStore.bucket", "async-s3alias", "", "begins or ends as S3 reserves it"),
        ("objectStore.bucket", "a" * 64, "", "has 64 characters, more than 63"),
        ("objectStore.buckets", {"mobu": "async"}, ".mobu", "this key must be one of ssotap, tap"),
        ("objectStore.buckets", {"tap": "Async"}, ".tap", "is not valid: must be 3 to 63"),
        ("clusters.cluster.kubernetesVersion", "1.36.3", "", "is not valid: must be a Kubernetes release"),
        ("clusters.cluster.labels", {"kube_tag": "v1"}, "", "label kube_tag must not be set here: set clusters."),
        ("clusters.cluster.labels", {"x": "$(reboot)"}, ".x", "is not valid: must be text without quotes"),
        ("clusters.cluster.labels", {"x": "a'b"}, ".x", "is not valid: must be text without quotes"),
        ("clusters.cluster.labels", {"x": 'a"b'}, ".x", "is not valid: must be text without quotes"),
        ("clusters.cluster.labels", {"x": "a\nb"}, ".x", "contains a line break"),
        ("vault.rotation", {"a b": "x"}, '["a b"]', "this key is not valid: must be an application"),
        ("vault.rotation", {"a/../b": "x"}, '["a/../b"]', "this key is not valid: must be an application"),
        ("vault.approle.path", "auth/../sys", "", "is not valid: must be letters, digits, hyphens and underscores"),
        ("vault.approle.path", "*", "", "is not valid: must be letters, digits, hyphens and underscores"),
        ("secrets.registries", {"a://": {"username": "u", "password": "planted"}}, '["a://"]', "contains a scheme"),
        ("secrets.file", "~/secrets.yaml", "", "is not valid: must be the path of a file, absolute"),
        *(
            ("secrets.applications", {"tap": {"google_creds.json": value}}, '.tap["google_creds.json"]', problem)
            for value, problem in (
                ("", "must not be empty"),
                (12345, "must be text: put it in quotes"),
                (["planted"], "must be text"),
            )
        ),
        ("secrets.file", "", "", "is blank: must be the path of a file"),
        ("secrets.file", "a\0b", "", "contains a line break or an invisible character"),
        ("phalanx.repository", " x", "", "begins or ends with a blank: must be the URL of a Git repository"),
        ("phalanx.repository", "fd::0", "", "uses the transport"),
        ("phalanx.repository", "https://[::1/x", "", "is not a valid URL"),
        ("phalanx.revision", "-x", "", "is not the name of a revision"),
        # Owners, permissions and directories.
        ("nfs.volumes.data.owner", "root:root", "", "is not valid: must be the numbers of a user and of a group"),
        ("nfs.volumes.data.owner", "1000:4294967295", "", "4294967295 is not a valid user or group ID: must be 0 to"),
        ("nfs.volumes.data.owner", "65535:1000", "", "65535 is not a valid user or group ID"),
        ("nfs.volumes.data.mode", 2775, "", "must be text: put it in quotes"),
        ("nfs.volumes.data.mode", "0778", "", "is not valid"),
        ("nfs.volumes.data.directories", [""], "[0]", "is blank: must be a path below the"),
        *(
            ("nfs.volumes.data.directories", [path], "[0]", "is not valid: must be a path below the")
            for path in ("/butler", "../jhome", "butler/..", "butler//rubin", "butler/", "a b", "%n")
        ),
        ("shares", {"a": {"size": 0}}, ".a.size", "must be at least 1"),
        ("shares", {"a": {"size": 1, "protocol": "CIFS"}}, ".a.protocol", "must be one of NFS, CEPHFS"),
        ("shares", {"a": {"size": 1, "protocol": "CEPHFS", "clients": ["9.9.9.9/32"]}}, ".a", "are for protocol NFS"),
        ("shares", {"a": {"size": 1, "clients": ["9.9.9.9/32"] * 2}}, ".a", "clients repeats 9.9.9.9/32: remove"),
        ("shares", {"a": {"size": 1, "clients": ["9.9.9.9/24"]}}, ".a.clients[0]", "the network of this address is 9."),
        # URLs.
        ("objectStore.endpoint", "somewhere", "", "a scheme (https://) and a host: must be a URL, such as https://s3"),
        ("objectStore.endpoint", "https://s3.example.org/?token=planted", "", "contains a query"),
        ("vault.address", "vault.example.org", "", "does not begin with a scheme (https://) and a host"),
        ("vault.address", "http://vault.example.org", "", "has the scheme http in place of https: must be a URL"),
        ("vault.address", "https://user:planted@v.example.org", "", "contains a user or password"),
        ("vault.address", "https://v.example.org:0", "", "has no valid host and port"),
        ("vault.address", "https://v.example.org:99999", "", "has no valid host and port"),
        ("vault.address", "https://v.example.org./", "", "has no valid host and port"),
        ("vault.address", "https://*.example.org", "", "has more than 2048 characters, or one that is not allowed"),
        ("vault.address", "https://v.example.org/?token=planted", "", "contains a query or a fragment"),
        ("vault.address", "https://v.example.org/a b", "", "one that is not allowed in a URL, such as a blank"),
        ("vault.address", 8200, "", "is not text: must be a URL, such as https://vault.example.org:8200 (got 8200)"),
        ("vault.address", "https://[::1", "", "has no valid host"),
        ("tls", {**LETS_ENCRYPT, "server": "http://acme.example.org/directory"}, ".server", "has the scheme http"),
        ("tls", {**LETS_ENCRYPT, "email": "operators"}, ".email", "is not valid: must be an email address, such as"),
        ("tls", {**LETS_ENCRYPT, "email": "a@b@example.org"}, ".email", "is not valid: must be an email address"),
        ("tls", {**LETS_ENCRYPT, "email": "a@example.org."}, ".email", "is not valid: must be an email address"),
        ("tls", {**LETS_ENCRYPT, "email": "mailto:a@example.org"}, ".email", "is not valid: must be an email address"),
        ("tls", {**LETS_ENCRYPT, "email": "a..b@example.org"}, ".email", "is not valid: must be an email address"),
        *(
            ("tls", {**LETS_ENCRYPT, "challenge": {"kind": "designate", "zone": zone}}, ".challenge.zone", problem)
            for zone, problem in (
                ("example.org.", "ends with a dot: must be a DNS name in lower case without a trailing"),
                ("Example.org", "contains capital letters: must be a DNS name"),
                ("*.example.org", "contains a wildcard: must be a DNS name"),
                ("https://example.org", "contains a scheme: must be a DNS name"),
                ("example.org:53", "contains a path or a port: must be a DNS name"),
                ("192.0.2.1", "is an IP address: must be a DNS name"),
                ("org", "has no domain: must be a DNS name"),
            )
        ),
        # Mappings.
        ("nfs", ["data"], "", "must be a mapping (`key: value`)"),
        ("nfs.volumes", "data", "", 'must be a mapping (`key: value`) (got "data")'),
        ("nfs.volumes", {"data": None}, ".data", "must be a mapping (`key: value`) (got null)"),
        ("ingress.loadBalancerProvider", "haproxy", "", 'must be one of ovn, amphora (got "haproxy")'),
        ("vault.mount", "adopt", "", 'must be one of create, existing (got "adopt")'),
    ],
)
def test_a_wrong_value_is_refused_with_its_key(at: str, value: Any, below: str, reason: str) -> None:
    (line,) = refusals({at.replace(".", "__"): value})
    assert line.startswith(f"Pulumi.test.yaml: rsp:{at}{below}: ")
    assert reason in line
    assert "planted" not in line


def test_all_conflicts_between_sections_are_reported_together() -> None:
    conflicts = dict.fromkeys(("clusters__cluster__podCidr", "clusters__cluster__serviceCidr"), "10.20.0.0/16")
    assert len(refusals({**HEAT, **conflicts, "nfs__address": "10.21.0.1"})) == 3


def test_conflicts_are_reported_beside_problems_of_other_sections() -> None:
    lines = refusals({"nfs__address": "10.21.0.1", "cloud__name": 1, "objectStore__bucket": "X"})
    assert [line.split()[1] for line in lines] == ["rsp:cloud.name:", "rsp:objectStore.bucket:", "rsp:nfs.address:"]
