"""Each kind of value that cannot be right is refused with its key, the value if it is no secret, and an example."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from config.loader import ConfigError
from phalanx.git_credentials import SshKey
from tests.unit.sample import environment, vault_stack

HEAT = {"clusters__cluster__driver": "heat", "clusters__cluster__kubernetesVersion": "v1.28.9-rancher1"}
LETS_ENCRYPT = {"kind": "letsencrypt", "email": "rsp@example.org"}


def refusals(changes: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        environment(**changes)
    return str(caught.value).splitlines()


def vault_refusals(changes: dict[str, Any]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        vault_stack(**changes)
    return str(caught.value).splitlines()


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
        ("applications.timeout", 10**9, "", "must be at most 86400 (got 1000000000)"),
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
        ("cloud.name", 8, "", "must be text: put it in quotes (got 8)"),
        (
            "cloud.name",
            "",
            "",
            'is blank: must be a name of at most 255 characters in one line, such as m1.small (got "")',
        ),
        ("cloud.name", "   ", "", "is blank: must be a name"),
        ("cloud.name", " rsp", "", "begins or ends with a blank: must be a name of at most 255 characters in one line"),
        ("nfs.image", "debian\n12", "", "contains a line break or an invisible character: must be a name"),
        ("nfs.image", "debian\x0012", "", "contains a line break or an invisible character: must be a name"),
        (
            "nfs.image",
            "debian\u200b12",
            "",
            "invisible character: must be a name of at most 255 characters in one line",
        ),
        ("nfs.image", "debian\ud80012", "", "contains a line break or an invisible character: must be a name"),
        ("nfs.flavor", "m" * 256, "", "has 256 characters, more than 255: must be a name"),
        ("vault.rotation", {"gafaelfawr": "  "}, ".gafaelfawr", "is blank"),
        # Addresses and networks are text.
        ("nfs.address", 8, "", "must be an IPv4 address, such as 10.20.0.10 (got 8). Expected: "),
        ("nfs.address", "10.20.0", "", 'must be an IPv4 address, such as 10.20.0.10 (got "10.20.0")'),
        ("nfs.address", "2001:db8::1", "", 'must be an IPv4 address, such as 10.20.0.10 (got "2001:db8::1")'),
        ("nfs.address", True, "", "must be an IPv4 address, such as 10.20.0.10 (got true)"),
        ("network.cidr", 10, "", "must be an IPv4 network in CIDR notation, such as 10.20.0.0/22 (got 10)"),
        ("network.cidr", "10.20.0.0", "", "must be an IPv4 network in CIDR notation, such as 10.20.0.0/22 (got"),
        ("network.cidr", "10.20.0.0/255.255.255.0", "", "must be an IPv4 network in CIDR notation"),
        ("network.cidr", ["10.20.0.0", 24], "", "must be an IPv4 network in CIDR notation"),
        ("network.cidr", "192.0.2.0/24", "", "must be a private network (RFC 1918: 10.0.0.0/8, 172.16.0.0/12, 192.168"),
        ("network.cidr", "127.0.0.0/8", "", "must be a private network"),
        ("network.cidr", "169.254.0.0/16", "", "must be a private network"),
        ("network.cidr", "8.0.0.0/7", "", "must be a private network"),
        ("network.cidr", "0.0.0.0/0", "", "must be a private network"),
        # Name servers.
        ("network.dnsNameservers", ["9.9.9.9", "9.9.9.9"], "", "repeats 9.9.9.9: remove the repetition"),
        (
            "network.dnsNameservers",
            ["127.0.0.1"],
            "[0]",
            "no host can have this address: must be that of a host, such as 9",
        ),
        ("network.dnsNameservers", ["0.0.0.7"], "[0]", "no host can have this address"),
        ("network.dnsNameservers", ["255.255.255.255"], "[0]", "no host can have this address"),
        ("network.dnsNameservers", ["9.9.9.9", "224.0.0.1"], "[1]", "no host can have this address"),
        ("network.dnsNameservers", [8], "[0]", "must be an IPv4 address, such as 10.20.0.10 (got 8). Expected: "),
        ("network.dnsNameservers", "9.9.9.9", "", 'must be a list (`[value, ...]`) (got "9.9.9.9")'),
        ("network.dnsNameservers", [f"9.9.9.{n}" for n in range(9)], "", "must have at most 5 entries"),
        (
            "network",
            {"externalNetwork": "e", "cidr": "10.20.0.0/24", "dnsNameservers": ["10.20.0.255"]},
            "",
            "broadcast",
        ),
        # Names in other services.
        (
            "clusters.cluster.nodeGroups",
            {"default-worker": {"flavor": "f", "count": 1}},
            "",
            "default-worker: Magnum has a node",
        ),
        (
            "clusters.cluster.nodeGroups",
            {"labs-": {"flavor": "f", "count": 1}},
            ".labs-",
            "this key is not valid: must be lower-case",
        ),
        (
            "nfs.volumes",
            {"data-": {"size": 1}},
            ".data-",
            "this key is not valid: must be lower-case letters, digits and",
        ),
        ("nfs.volumes", {"../data": {"size": 1}}, '["../data"]', "this key is not valid"),
        ("nfs.volumes", {"a.b": {"size": 1}}, '["a.b"]', "this key is not valid"),
        ("phalanx.environment", "../roe", "", "is not valid: must be lower-case letters, digits and hyphens"),
        (
            "applications.storageClasses",
            {"a..b": {"volumeType": "x"}},
            '["a..b"]',
            "this key is not valid: must be a name",
        ),
        (
            "applications.storageClasses",
            {"a-": {"volumeType": "x"}},
            ".a-",
            "this key is not valid: must be a name of K",
        ),
        (
            "applications.overrides",
            {"TAP": {"wait": False}},
            ".TAP",
            "this key is not valid: must be lower-case letters",
        ),
        ("applications.overrides", {"tap": {}}, ".tap", "must set revision, sync or wait: remove the entry otherwise"),
        ("applications.overrides", {"tap": {"wait": "no"}}, ".tap.wait", "must be true or false, without quotes"),
        (
            "applications.overrides",
            {"tap": {"sync": "never"}},
            ".tap.sync",
            'must be one of on-change, automatic, manual (got "never")',
        ),
        (
            "applications.overrides",
            {"tap": {"revision": "-u"}},
            ".tap.revision",
            "'-u' is not the name of a revision",
        ),
        (
            "objectStore.bucket",
            "192.0.2.1",
            "",
            "is an IP address, which S3 does not allow: must be 3 to 63 lower-case",
        ),
        ("objectStore.bucket", "as", "", "must have at least 3 characters"),
        ("objectStore.bucket", "a..b", "", "is not valid: must be 3 to 63 lower-case letters"),
        ("objectStore.bucket", "-async", "", "is not valid: must be 3 to 63 lower-case letters"),
        ("objectStore.bucket", "async-s3alias", "", "begins or ends as S3 reserves it"),
        ("objectStore.bucket", "a" * 64, "", "has 64 characters, more than 63"),
        (
            "clusters.cluster.kubernetesVersion",
            "1.36.3",
            "",
            'is not valid: must be a Kubernetes release, such as v1.36.3 (got "1.3',
        ),
        (
            "clusters.cluster.labels",
            {"x": "$(reboot)"},
            ".x",
            "is not valid: must be text without quotes and other special characters",
        ),
        ("clusters.cluster.labels", {"x": "a'b"}, ".x", "is not valid: must be text without quotes"),
        ("clusters.cluster.labels", {"x": 'a"b'}, ".x", "is not valid: must be text without quotes"),
        ("clusters.cluster.labels", {"x": "a\nb"}, ".x", "contains a line break"),
        (
            "vault.rotation",
            {"a b": "x"},
            '["a b"]',
            "this key is not valid: must be an application or one of its secrets",
        ),
        ("vault.rotation", {"a/../b": "x"}, '["a/../b"]', "this key is not valid: must be an application"),
        (
            "vault.approle.path",
            "auth/../sys",
            "",
            "is not valid: must be letters, digits, hyphens and underscores between",
        ),
        (
            "vault.approle.path",
            "*",
            "",
            "is not valid: must be letters, digits, hyphens and underscores between slashes",
        ),
        (
            "secrets.registries",
            {"https://ghcr.io": {"username": "u", "password": "planted"}},
            '["https://ghcr.io"]',
            "this key contains a scheme: must be the h",
        ),
        (
            "secrets.file",
            "~/secrets.yaml",
            "",
            "is not valid: must be the path of a file, absolute or from the project's",
        ),
        ("secrets.file", "", "", "is blank: must be the path of a file"),
        ("secrets.file", "a\0b", "", "contains a line break or an invisible character"),
        ("phalanx.repository", " x", "", "begins or ends with a blank: must be the URL of a Git repository"),
        ("phalanx.repository", "fd::0", "", "uses the transport"),
        ("phalanx.repository", "https://[::1/x", "", "is not a valid URL"),
        ("phalanx.revision", "-x", "", "is not the name of a revision"),
        # URLs.
        (
            "vault.address",
            "vault.example.org",
            "",
            "does not begin with a scheme (https://) and a host: must be a URL, such",
        ),
        (
            "vault.address",
            "http://vault.example.org",
            "",
            "has the scheme http in place of https: must be a URL, such as",
        ),
        (
            "vault.address",
            "https://user:planted@v.example.org",
            "",
            "contains a user or password, which would be readable",
        ),
        ("vault.address", "https://v.example.org:0", "", "has no valid host and port"),
        ("vault.address", "https://v.example.org:99999", "", "has no valid host and port"),
        ("vault.address", "https://v.example.org./", "", "has no valid host and port"),
        ("vault.address", "https://*.example.org", "", "has more than 2048 characters, or one that is not allowed"),
        ("vault.address", "https://v.example.org/?token=planted", "", "contains a query or a fragment"),
        ("vault.address", "https://v.example.org/a b", "", "one that is not allowed in a URL, such as a blank"),
        ("vault.address", 8200, "", "is not text: must be a URL, such as https://vault.example.org:8200 (got 8200)"),
        ("vault.address", "https://[::1", "", "has no valid host"),
        (
            "tls",
            {**LETS_ENCRYPT, "server": "http://acme.example.org/directory"},
            ".server",
            "has the scheme http in place",
        ),
        (
            "tls",
            {**LETS_ENCRYPT, "email": "operators"},
            ".email",
            "is not valid: must be an email address, such as rsp-oper",
        ),
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


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        ("host", "https://vault.example.org", "contains a scheme: must be a host name in lower case"),
        ("host", "vault.example.org:8200", "contains a path or a port: must be a host name"),
        ("host", "vault.example.org.", "ends with a dot: must be a host name"),
        ("host", "Vault.example.org", "contains capital letters: must be a host name"),
        ("host", "*.example.org", "contains a wildcard: must be a host name"),
        ("host", "203.0.113.9", "is an IP address: must be a host name"),
        ("host", "vault example.org", "is not valid: must be a host name"),
        ("host", f"{'a' * 64}.example.org", "is not valid: must be a host name"),
        ("server.backups", 10**6, "must be at most 1000 (got 1000000)"),
        ("server.address", 8, "must be an IPv4 address, such as 10.20.0.10 (got 8). Expected: "),
        ("server.clients", ["192.0.2.0/28", "192.0.2.0/28"], "repeats 192.0.2.0/28: remove the repetition"),
        ("server.package.version", "2.7.2; reboot", "is not valid: must be a release, such as 2.7.2"),
        ("server.package.sha256", "AB" * 32, "is not valid: must be 64 hexadecimal digits in lower case"),
        ("server.package.source", "https://m.example.org/a'; reboot; '", "one that is not allowed in a URL"),
        ("server.package.source", "https://m.example.org/$(reboot)", "one that is not allowed in a URL"),
        ("server.package.source", "http://m.example.org/a.deb", "has the scheme http in place of https"),
        ("server.package.source", "ftp://m.example.org/a.deb", "has the scheme ftp in place of https"),
    ],
)
def test_a_wrong_value_of_a_vault_is_refused_with_its_key(at: str, value: Any, reason: str) -> None:
    (line,) = vault_refusals({at.replace(".", "__"): value})
    assert line.startswith(f"Pulumi.test.yaml: rsp-vault:{at}: ")
    assert reason in line


TRANSIT = {"kind": "transit", "address": "https://v.example.org", "keyName": "rsp", "token": "planted-token"}


@pytest.mark.parametrize(
    ("at", "value", "key", "reason"),
    [
        (
            "seal",
            {**TRANSIT, "address": "http://v.example.org"},
            "seal.address",
            "has the scheme http in place of https",
        ),
        ("seal", {**TRANSIT, "mount": "transit/../sys"}, "seal.mount", "is not valid: must be letters"),
        ("seal", {**TRANSIT, "keyName": 'a"b'}, "seal.keyName", "is not valid: must be letters"),
        ("seal", {**TRANSIT, "token": "planted\nplanted"}, "seal.token", "contains a line break"),
        ("tls", {"kind": "acme", "email": "none"}, "tls.email", "is not valid: must be an email address"),
        ("tls", {"kind": "acme", "directory": "http://a.example.org"}, "tls.directory", "has the scheme http in place"),
        ("backupPassword", "planted-pass-word ", "backupPassword", "begins or ends with a blank"),
        ("backupPassword", " " * 20, "backupPassword", "must not be blank"),
        ("backupPassword", 123456789012, "backupPassword", "must be text: put it in quotes"),
        ("adminPassword", "planted\0password", "adminPassword", "contains a NUL character"),
    ],
)
def test_a_secret_and_what_is_beside_it_is_refused_without_the_value(
    at: str, value: Any, key: str, reason: str
) -> None:
    (line,) = vault_refusals({f"server__{at}": value})
    assert line.startswith(f"Pulumi.test.yaml: rsp-vault:server.{key}: ")
    assert reason in line
    assert "planted" not in line
    assert "123456789012" not in line


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"network__cidr": "10.20.0.0/26", "clusters__cluster__workers__count": 20},
            "rsp:network.cidr: 10.20.0.0/26 has 30 addresses for nodes, but 32 are needed: 24 for nodes",
        ),
        (
            {"clusters__cluster__nodeGroups__labs__autoscaling": {"minimum": 1, "maximum": 300}},
            "rsp:network.cidr: 10.20.0.0/24 has 222 addresses for nodes, but 313 are needed: 305 for nodes",
        ),
        (
            {**HEAT, "clusters__cluster__podCidr": "10.100.0.0/23", "clusters__cluster__networkDriver": "calico"},
            "rsp:clusters.cluster.podCidr: 10.100.0.0/23 has room for the pods of 4 nodes (a /25 for each with calico)",
        ),
        (
            {**HEAT, "clusters__cluster__podCidr": "10.100.0.0/22", "clusters__cluster__networkDriver": "flannel"},
            "rsp:clusters.cluster.podCidr: 10.100.0.0/22 has room for the pods of 4 nodes (a /24 for each with ",
        ),
        (
            {**HEAT, "clusters__cluster__podCidr": "10.100.0.0/28"},
            "rsp:clusters.cluster.podCidr: 10.100.0.0/28 has room for the pods of 0 nodes",
        ),
        (
            {**HEAT, "clusters__cluster__serviceCidr": "10.254.0.0/28"},
            "rsp:clusters.cluster.serviceCidr: 10.254.0.0/28: the prefix must be between /12 and /24, such as",
        ),
        (
            {**HEAT, "clusters__cluster__podCidr": "198.18.0.0/16"},
            "rsp:clusters.cluster.podCidr: must be a private network (RFC 1918",
        ),
        (
            {"network__dnsNameservers": ["172.16.0.10"]},
            "rsp:network.dnsNameservers: 172.16.0.10 is within clusters.cluster.podCidr 172.16.0.0/13, where nodes",
        ),
    ],
)
def test_a_network_that_is_too_small_is_refused(changes: dict[str, Any], reason: str) -> None:
    (line,) = refusals(changes)
    assert line.startswith(f"Pulumi.test.yaml: {reason}")


def test_conflicts_are_reported_beside_problems_of_other_sections() -> None:
    lines = refusals({"nfs__address": "10.21.0.1", "cloud__name": 1, "objectStore__bucket": "X"})
    assert [line.split()[1] for line in lines] == ["rsp:cloud.name:", "rsp:objectStore.bucket:", "rsp:nfs.address:"]


KNOWN = ["git.example.org ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"]


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"credentials": {"kind": "password"}}, ["rsp:phalanx.credentials.kind must be one of https, ssh."]),
        ({"credentials": {"kind": "https"}}, ["rsp:phalanx.credentials.token is missing. Expected: Access token that"]),
        (
            {"credentials": {"kind": "https", "token": "planted\ntoken"}},
            ["rsp:phalanx.credentials.token: contains a line break or begins or ends with a blank: must be text"],
        ),
        (
            {"credentials": {"kind": "https", "token": "planted", "username": "a:b"}},
            ["rsp:phalanx.credentials.username: is not valid: must be a user name without blanks and colons"],
        ),
        (
            {"credentials": {"kind": "ssh", "privateKey": "planted", "knownHosts": []}},
            [
                "rsp:phalanx.credentials.privateKey: is not a private key: must begin with -----BEGIN OPENSSH",
                "rsp:phalanx.credentials.knownHosts: must not be empty. Expected: Public keys of the Git server, as",
            ],
        ),
        (
            {
                "credentials": {
                    "kind": "ssh",
                    "privateKey": "planted",
                    "knownHosts": [*KNOWN, "# git.example.org:22 SSH-2.0"],
                }
            },
            [
                "rsp:phalanx.credentials.privateKey: is not a private key",
                "rsp:phalanx.credentials.knownHosts[1]: is not valid: must be a line as `ssh-keyscan` prints it",
            ],
        ),
        (
            {"repository": "git@git.example.org:phalanx", "credentials": {"kind": "https", "token": "planted"}},
            ["rsp:phalanx: credentials of kind https are for a repository like https://HOST/PATH: change repo"],
        ),
        (
            {"repository": "/srv/phalanx", "credentials": {"kind": "https", "token": "planted"}},
            ["rsp:phalanx: credentials of kind https are for a repository like https://HOST/PATH"],
        ),
        (
            {"repository": "https://robot:planted@git.example.org/phalanx"},
            ["rsp:phalanx.repository: contains a password or token: remove it, and set rsp:phalanx.credentials"],
        ),
    ],
)
def test_credentials_that_cannot_work_are_refused(changes: dict[str, Any], reasons: list[str]) -> None:
    found = refusals({f"phalanx__{key}": value for key, value in changes.items()})
    assert len(found) == len(reasons)
    assert all(line.startswith(f"Pulumi.test.yaml: {reason}") for line, reason in zip(found, reasons, strict=True))
    assert "planted" not in "".join(found)


def test_a_key_needs_a_repository_with_ssh(tmp_path: Path) -> None:
    subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")), check=True)
    given: dict[str, Any] = {"kind": "ssh", "privateKey": (tmp_path / "key").read_text(), "knownHosts": KNOWN}
    (found,) = refusals({"phalanx__credentials": given})
    assert "credentials of kind ssh are for a repository like git@HOST:PATH or ssh://HOST/PATH" in found
    for address in ("git@git.example.org:phalanx", "ssh://git@git.example.org:2222/phalanx"):
        config = environment(phalanx__credentials=given, phalanx__repository=address)
        assert config.phalanx.git_credentials == SshKey(private_key=given["privateKey"], known_hosts=tuple(KNOWN))
