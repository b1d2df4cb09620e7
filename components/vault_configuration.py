"""The configuration of OpenBao for the site's own Vault (openbao.org/docs/configuration)."""

from dataclasses import dataclass
from typing import Any

from config.vault_server import (
    PORT,
    AcmeCertificate,
    GivenCertificate,
    SealKey,
    StaticSeal,
    TransitSeal,
    VaultServer,
)

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
class FirstBoot:
    """The parameters of a server's first boot."""

    settings: VaultServer
    """The server's settings in the stack's file."""
    host: str
    """The server's DNS name."""
    volume_id: str
    """ID of the data volume."""


def configuration(boot: FirstBoot) -> dict[str, Any]:
    """Return the configuration as JSON data; it contains the token of a transit seal."""
    settings = boot.settings
    listener = {
        "address": f"0.0.0.0:{PORT}",
        "cluster_address": f"127.0.0.1:{PORT + 1}",
        **_tls(settings.tls, boot.host),
    }
    # Without another key beside the options, OpenBao, which parses JSON as HCL, does not find the device's type.
    audit = {
        "description": "Every request and its answer, secrets hashed",
        "options": {"file_path": f"{DATA}/audit/audit.log", "mode": "0600"},
    }
    seal, start = _seal(settings), _initialization() if settings.initializes_itself else {}
    return {
        # The minimum: a single member need not wait for others before it becomes the leader.
        "storage": {"raft": {"path": f"{DATA}/raft", "node_id": "vault", "performance_multiplier": 1}},
        "listener": [{"tcp": listener}, {"unix": {"address": SOCKET, "socket_mode": "0600"}}],
        "api_addr": f"https://{boot.host}:{PORT}",
        "cluster_addr": f"https://127.0.0.1:{PORT + 1}",
        "max_lease_ttl": "87600h",  # maximum lifetime of the write token
        "ui": False,
        "audit": [{"file": {"log": audit}}],
        **seal,
        **start,
    }


def _tls(tls: AcmeCertificate | GivenCertificate, host: str) -> dict[str, Any]:
    if tls.kind == "given":
        return {"tls_cert_file": CERTIFICATE, "tls_key_file": CERTIFICATE_KEY}
    return {
        "tls_acme_ca_directory": str(tls.directory),
        "tls_acme_email": tls.email or "",
        "tls_acme_domains": [host],
        "tls_acme_cache_path": f"{DATA}/acme",
        # The HTTP challenge would need port 80, to which a client might send a token in plaintext.
        "tls_acme_disable_http_challenge": True,
    }


def _seal(settings: VaultServer) -> dict[str, Any]:
    match settings.seal:
        case StaticSeal(key=key, previous_key=previous):
            keys = _seal_key("current", key, CURRENT_KEY)
            keys |= _seal_key("previous", previous, PREVIOUS_KEY) if previous else {}
            return {"seal": [{"static": keys}]}
        case TransitSeal() as seal:
            transit = {
                "address": str(seal.address).rstrip("/"),
                "token": seal.token.get_secret_value(),
                "key_name": seal.key_name,
                "mount_path": seal.mount,
            }
            return {"seal": [{"transit": transit}]}
        case _:
            return {}


def _seal_key(which: str, key: SealKey, path: str) -> dict[str, str]:
    return {f"{which}_key_id": key.id, f"{which}_key": f"file://{path}"}


def _initialization() -> dict[str, Any]:
    """Return the requests of the first start, made with a root token that OpenBao revokes afterwards.

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
    return {"initialize": [{"rsp": {"request": [{name: each} for name, each in requests.items()]}}]}


def _request(path: str, **data: object) -> dict[str, object]:
    return {"operation": "update", "path": path, "data": data}
