"""User data of the NFS server."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from components import cloud_init
from components.cloud_init import Mount
from components.quoting import octal
from config.console import Line

ROOT = "/srv/nfs"
"""Root of the exports: clients mount /srv/nfs/NAME as /NAME."""


@dataclass(frozen=True, kw_only=True)
class Export:
    """An exported volume and its export options."""

    name: str
    """Name of the export: letters, digits and hyphens."""
    volume_id: str
    """ID of the Cinder volume."""
    root_squash: bool = True
    """Whether requests of a client's root are mapped to nobody."""
    read_only: bool = False
    """Whether the export is read-only."""

    @property
    def mount(self) -> Mount:
        """The mount of the volume on the server."""
        return Mount(name=self.name, volume_id=self.volume_id, path=f"{ROOT}/{self.name}")


def render(exports: Sequence[Export], clients: IPv4Network) -> str:
    """Return the user data; the NFS server starts once all of its volumes are mounted.

    Args:
        exports: Exports, at least one.
        clients: Network of the clients; all others are refused.
    """
    mounts = [each.mount for each in exports]
    return cloud_init.document(
        packages=["nfs-kernel-server"],
        files={
            "/etc/exports.d/rsp.exports": _exports(exports, clients),
            "/etc/nfs.conf.d/rsp.conf": _NFS_CONF,
            "/etc/systemd/system/nfs-server.service.d/rsp.conf": cloud_init.after_mounts(mounts) + _SERVICE,
        },
        mounts=mounts,
        commands=[
            ["systemctl", "mask", "--now", "rpcbind.service", "rpcbind.socket", "rpc-statd.service"],
            ["systemctl", "enable", "nfs-server.service"],
            ["systemctl", "restart", "--no-block", "nfs-server.service"],
        ],
    )


# Also a failed start runs ExecStopPost.
_SERVICE = f"""\

[Service]
StandardOutput=journal+console
StandardError=journal+console
ExecStartPost=-/bin/echo "{Line.SERVING.text}"
ExecStopPost=-/bin/echo "{Line.STOPPED.text}"
"""

# NFS 4.1 and later need port 2049 only: no portmapper, no lock or status daemons, no callback connections.
_NFS_CONF = """\
[nfsd]
vers3=n
vers4=y
vers4.0=n
udp=n
threads=32
"""


def _exports(exports: Sequence[Export], clients: IPv4Network) -> str:
    """Return the exports(5) file; ``mp`` prevents the export of an empty mount point."""
    lines = [f"{ROOT} {clients}(ro,fsid=0,root_squash,sync,no_subtree_check)"]
    for each in exports:
        access = "ro" if each.read_only else "rw"
        squash = "root_squash" if each.root_squash else "no_root_squash"
        lines.append(f"{octal(each.mount.path)} {clients}({access},mp,{squash},sync,no_subtree_check)")
    return "\n".join(lines) + "\n"
