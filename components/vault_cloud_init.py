"""The first boot of the Vault server: OpenBao from its project's Debian package, all its data on one volume."""

import json
import shlex
from collections.abc import Mapping

from components import cloud_init, openbao
from components.cloud_init import File, Mount
from components.openbao import (
    BACKUP,
    DATA,
    ETC,
    PASSWORD_FILES,
    SOCKET,
    AcmeArgs,
    CertificateArgs,
    OpenBaoArgs,
    StaticSealArgs,
)

_OWNER = "openbao:openbao"


def render(args: OpenBaoArgs, volume_id: str) -> str:
    """Return the user data, which contains secrets.

    Passwords and keys are files that only the server's user may read. The users' passwords are read at the first start,
    when the server initializes itself. With a Shamir seal, operators initialize the server, and only the password of
    the backup job is written.

    Args:
        args: Arguments of OpenBao.
        volume_id: ID of the data volume.
    """
    mount = Mount(name="vault", volume_id=volume_id, path=DATA)
    return cloud_init.document(
        packages=["curl", "logrotate"],
        files={
            **_secret_files(args),
            f"{ETC}/server.json": _private(json.dumps(openbao.configuration(args), indent=2) + "\n"),
            "/etc/systemd/system/openbao.service.d/rsp.conf": cloud_init.after_mounts([mount])
            + _service(acme=isinstance(args.tls, AcmeArgs)),
            "/etc/systemd/system/rsp-vault-backup.service": _BACKUP_SERVICE,
            "/etc/systemd/system/rsp-vault-backup.timer": _BACKUP_TIMER,
            "/etc/logrotate.d/rsp-vault": _LOGROTATE,
            "/usr/local/sbin/rsp-vault-install": File(content=_install(args), mode="0755"),
            "/usr/local/sbin/rsp-vault-backup": File(content=_backup(args.backups), mode="0755"),
        },
        mounts=[mount],
        commands=[
            ["/usr/local/sbin/rsp-vault-install"],
            ["systemctl", "enable", "openbao.service", "rsp-vault-backup.timer"],
            ["systemctl", "restart", "--no-block", "openbao.service", "rsp-vault-backup.timer"],
        ],
        # Created before the package would do so, as it owns the files above.
        more={
            "users": [
                "default",
                {"name": "openbao", "system": True, "no_create_home": True, "shell": "/usr/sbin/nologin"},
            ]
        },
    )


def _private(content: str) -> File:
    return File(content=content, mode="0600", owner=_OWNER)


def _secret_files(args: OpenBaoArgs) -> Mapping[str, File]:
    secrets: dict[str, str | None] = {PASSWORD_FILES[BACKUP]: args.backup_password}
    if args.seal:
        secrets[PASSWORD_FILES[openbao.ADMIN]] = args.admin_password
    if isinstance(args.seal, StaticSealArgs):
        previous = args.seal.previous_key
        secrets[openbao.CURRENT_KEY] = args.seal.key.value
        secrets[openbao.PREVIOUS_KEY] = previous.value if previous else None
    if isinstance(args.tls, CertificateArgs):
        secrets[openbao.CERTIFICATE] = args.tls.certificate
        secrets[openbao.CERTIFICATE_KEY] = args.tls.key
    return {path: _private(secret) for path, secret in secrets.items() if secret}


def _service(*, acme: bool) -> str:
    """Return a drop-in for the package's unit: it creates directories on a new volume, and adds sandboxing."""
    # The authority validates the name on port 443, on which the server listens only during the validation.
    capabilities = "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n"
    return (
        "ConditionFileNotEmpty=\n"
        "# It may wait long for its volume, its seal or the network.\n"
        "StartLimitIntervalSec=0\n"
        "\n"
        "[Service]\n"
        f"ExecStartPre=+/usr/bin/install -d -m 0700 {DATA}/raft {DATA}/audit {DATA}/backup {DATA}/acme\n"
        f"ExecStartPre=+/usr/bin/chown -R openbao:openbao {DATA}\n"
        "ExecStart=\n"
        f"ExecStart=/usr/bin/bao server -config={ETC}/server.json\n"
        "Restart=always\n"
        "RuntimeDirectory=openbao\n"
        "RuntimeDirectoryMode=0700\n"
        "LimitCORE=0\n"
        "UMask=0077\n"
        "ProtectSystem=strict\n"
        f"ReadWritePaths={DATA}\n"
        "ProtectHome=yes\n"
        "ProtectKernelTunables=yes\n"
        "ProtectKernelModules=yes\n"
        "ProtectControlGroups=yes\n"
        "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK\n"
        "RestrictNamespaces=yes\n"
        "# The metadata service returns the user data to any process.\n"
        "IPAddressDeny=169.254.169.254\n"
        "LockPersonality=yes\n"
    ) + (capabilities if acme else "")


def _install(args: OpenBaoArgs) -> str:
    package = "/var/cache/rsp-openbao.deb"
    return f"""\
#!/bin/sh
# Install the release of OpenBao that the configuration names, and no other.
set -eu
curl --fail --silent --show-error --location --proto =https --globoff \\
  --connect-timeout 30 --speed-limit 1000 --speed-time 60 \\
  --retry 20 --retry-delay 15 --retry-all-errors --output {package} {shlex.quote(args.package_url)}
echo {shlex.quote(f"{args.package_sha256}  {package}")} | sha256sum --check --strict
DEBIAN_FRONTEND=noninteractive apt-get install --yes -o Dpkg::Options::=--force-confold {package}
rm {package}
systemctl daemon-reload
"""


def _backup(kept: int) -> str:
    return f"""\
#!/bin/sh
# Write a snapshot of all that Vault holds, encrypted as Vault keeps it, and delete the oldest ones.
set -eu
umask 077
export HOME=/nonexistent BAO_ADDR=unix://{SOCKET}
remove_partial() {{ rm -f -- {DATA}/backup/*.part; }}
finish() {{
  # First, as OpenBao refuses all requests while the volume is full.
  remove_partial
  [ -z "${{BAO_TOKEN:-}}" ] || bao token revoke -self
}}
trap finish EXIT
trap 'exit 1' HUP INT TERM
# A crash of the server may have left one.
remove_partial
BAO_TOKEN=$(bao write -field=token auth/userpass/login/{BACKUP} password=@{PASSWORD_FILES[BACKUP]})
export BAO_TOKEN
snapshot={DATA}/backup/$(date -u +%Y%m%dT%H%M%SZ).snap
bao operator raft snapshot save "$snapshot.part"
mv "$snapshot.part" "$snapshot"
ls -1 {DATA}/backup/*.snap | head -n {shlex.quote(f"-{kept}")} | xargs -r rm --
"""


_BACKUP_SERVICE = """\
[Unit]
Description=Snapshot of Vault
Requires=openbao.service
After=openbao.service

[Service]
Type=oneshot
User=openbao
ExecStart=/usr/local/sbin/rsp-vault-backup
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=full
LimitCORE=0
"""

_BACKUP_TIMER = """\
[Unit]
Description=Daily snapshot of Vault

[Timer]
OnCalendar=daily
RandomizedDelaySec=1h
Persistent=true

[Install]
WantedBy=timers.target
"""

# OpenBao reopens its audit log on SIGHUP.
_LOGROTATE = f"""\
{DATA}/audit/audit.log {{
    su openbao openbao
    create 0600 openbao openbao
    weekly
    maxsize 100M
    rotate 52
    compress
    delaycompress
    missingok
    notifempty
    postrotate
        systemctl reload openbao.service
    endscript
}}
"""
