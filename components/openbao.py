"""The configuration of OpenBao for the site's own Vault (openbao.org/docs/configuration)."""

from dataclasses import dataclass, field
from typing import Any

from config.vault_server import PORT

ETC = "/etc/openbao"
DATA = "/srv/vault"
SOCKET = "/run/openbao/openbao.sock"
"""Socket for the server's own jobs, accessible only to root and the server's user."""

BACKUP, ADMIN = "rsp-backup", "rsp-admin"
"""Users of the auth method userpass, for snapshots and for administration; each has a policy of the same name."""

BACKUP_POLICY = 'path "sys/storage/raft/snapshot" { capabilities = ["read"] }\n'
ADMIN_POLICY = 'path "*" { capabilities = ["create", "read", "update", "patch", "delete", "list", "sudo"] }\n'

PASSWORD_FILES = {user: f"{ETC}/{user}.password" for user in (BACKUP, ADMIN)}
CURRENT_KEY, PREVIOUS_KEY = f"{ETC}/seal-current.key", f"{ETC}/seal-previous.key"
CERTIFICATE, CERTIFICATE_KEY = f"{ETC}/tls.crt", f"{ETC}/tls.key"


@dataclass(frozen=True, kw_only=True)
class AcmeArgs:
    """A certificate that OpenBao obtains and renews (RFC 8555, challenge tls-alpn-01 on port 443)."""

    directory: str
    """URL of the ACME directory."""
    email: str | None
    """Email address for notices of the CA."""


@dataclass(frozen=True, kw_only=True)
class CertificateArgs:
    """A certificate that was obtained elsewhere."""

    certificate: str = field(repr=False)
    """Certificate, followed by its intermediate certificates, as PEM."""
    key: str = field(repr=False)
    """Private key, as PEM."""


@dataclass(frozen=True, kw_only=True)
class PrivateAuthorityArgs:
    """A certificate of a CA that the stack creates."""

    rotation: str
    """Any text; a change of it creates another certificate from the same CA."""


@dataclass(frozen=True, kw_only=True)
class SealKeyArgs:
    """A key of a static seal."""

    id: str
    """Name of the key."""
    value: str = field(repr=False)
    """32 bytes in base64."""


@dataclass(frozen=True, kw_only=True)
class StaticSealArgs:
    """A seal with a key on the server's disk."""

    key: SealKeyArgs
    """Current key."""
    previous_key: SealKeyArgs | None
    """Previous key, while it is being replaced."""


@dataclass(frozen=True, kw_only=True)
class TransitSealArgs:
    """A seal with a key in the transit engine of another Vault."""

    address: str
    """URL of the other Vault, without a trailing slash."""
    mount: str
    """Path of its transit engine."""
    key_name: str
    """Name of the key."""
    token: str = field(repr=False)
    """Token that may encrypt and decrypt with the key."""


@dataclass(frozen=True, kw_only=True)
class OpenBaoArgs:
    """Arguments of OpenBao on a server."""

    host: str
    """The server's DNS name."""
    package_url: str
    """URL of OpenBao's Debian package."""
    package_sha256: str
    """SHA-256 of the package, in hexadecimal digits."""
    tls: AcmeArgs | CertificateArgs | PrivateAuthorityArgs
    """Source of the TLS certificate."""
    seal: StaticSealArgs | TransitSealArgs | None
    """Seal with which the server unseals itself; None for a Shamir seal, which operators unseal."""
    backup_password: str = field(repr=False)
    """Password of `BACKUP`."""
    admin_password: str | None = field(repr=False)
    """Initial password of `ADMIN`; not used with a Shamir seal."""
    backups: int
    """Number of daily snapshots to keep."""


def configuration(args: OpenBaoArgs) -> dict[str, Any]:
    """Return the configuration as JSON data; it contains the token of a transit seal."""
    listener = {
        "address": f"0.0.0.0:{PORT}",
        "cluster_address": f"127.0.0.1:{PORT + 1}",
        **_tls(args),
    }
    # Without another key beside the options, OpenBao, which parses JSON as HCL, does not find the device's type.
    audit = {
        "description": "Every request and its answer, secrets hashed",
        "options": {"file_path": f"{DATA}/audit/audit.log", "mode": "0600"},
    }
    return {
        # The minimum: a single member need not wait for others before it becomes the leader.
        "storage": {"raft": {"path": f"{DATA}/raft", "node_id": "vault", "performance_multiplier": 1}},
        "listener": [{"tcp": listener}, {"unix": {"address": SOCKET, "socket_mode": "0600"}}],
        "api_addr": f"https://{args.host}:{PORT}",
        "cluster_addr": f"https://127.0.0.1:{PORT + 1}",
        "max_lease_ttl": "87600h",  # maximum lifetime of the write token
        "ui": False,
        "audit": [{"file": {"log": audit}}],
        # Only a server that unseals itself can initialize itself at its first start.
        **({"seal": [_seal(args.seal)], "initialize": [_initialization()]} if args.seal else {}),
    }


def _tls(args: OpenBaoArgs) -> dict[str, Any]:
    if not isinstance(args.tls, AcmeArgs):
        return {"tls_cert_file": CERTIFICATE, "tls_key_file": CERTIFICATE_KEY}
    return {
        "tls_acme_ca_directory": args.tls.directory,
        "tls_acme_email": args.tls.email or "",
        "tls_acme_domains": [args.host],
        "tls_acme_cache_path": f"{DATA}/acme",
        # The HTTP challenge would need port 80, to which a client might send a token in plaintext.
        "tls_acme_disable_http_challenge": True,
    }


def _seal(seal: StaticSealArgs | TransitSealArgs) -> dict[str, Any]:
    if isinstance(seal, TransitSealArgs):
        transit = {"address": seal.address, "token": seal.token, "key_name": seal.key_name, "mount_path": seal.mount}
        return {"transit": transit}
    keys = _seal_key("current", seal.key, CURRENT_KEY)
    keys |= _seal_key("previous", seal.previous_key, PREVIOUS_KEY) if seal.previous_key else {}
    return {"static": keys}


def _seal_key(which: str, key: SealKeyArgs, path: str) -> dict[str, str]:
    return {f"{which}_key_id": key.id, f"{which}_key": f"file://{path}"}


def _initialization() -> dict[str, Any]:
    """Return the requests that OpenBao runs at its first start, with a root token that it revokes afterwards.

    An administrator creates the users of operators later, as their policies depend on the environment. Source:
    openbao.org/docs/configuration/self-init.
    """
    requests = {"userpass": _request("sys/auth/userpass", type="userpass")}
    for user, text in {BACKUP: BACKUP_POLICY, ADMIN: ADMIN_POLICY}.items():
        password = {"eval_source": "file", "eval_type": "string", "path": PASSWORD_FILES[user]}
        requests[f"{user}-policy"] = _request(f"sys/policies/acl/{user}", policy=text)
        requests[f"{user}-user"] = _request(
            f"auth/userpass/users/{user}",
            password=password,
            token_policies=[user],
            token_ttl="2h",  # noqa: S106  # a duration
            token_max_ttl="4h",  # noqa: S106
        )
    return {"rsp": {"request": [{name: each} for name, each in requests.items()]}}


def _request(path: str, **data: object) -> dict[str, object]:
    return {"operation": "update", "path": path, "data": data}
