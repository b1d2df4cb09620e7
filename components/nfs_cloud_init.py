"""The first boot of the NFS server."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from components import cloud_init
from components.cloud_init import Mount

ROOT = "/srv/nfs"
"""Root of what is exported: clients see /srv/nfs/NAME as /NAME."""


@dataclass(frozen=True, kw_only=True)
class Export:
    """One volume and how clients may use it."""

    name: str
    """Name of the export: letters, digits and hyphens."""
    volume_id: str
    """Id of the Cinder volume."""
    root_squash: bool = True
    """Whether a client's root becomes nobody."""
    read_only: bool = False
    """Whether writes are refused."""

    @property
    def mount(self) -> Mount:
        """Where the server mounts the volume."""
        return Mount(name=self.name, volume_id=self.volume_id, path=f"{ROOT}/{self.name}")


def render(exports: Sequence[Export], clients: IPv4Network) -> str:
    """The user data; the NFS server starts when all of its volumes are mounted.

    Args:
        exports: At least one.
        clients: The only addresses that may mount anything.
    """
    mounts = [each.mount for each in exports]
    return cloud_init.document(
        packages=["nfs-kernel-server"],
        files={
            "/etc/exports.d/rsp.exports": _exports(exports, clients),
            "/etc/nfs.conf.d/rsp.conf": _NFS_CONF,
            "/etc/systemd/system/nfs-server.service.d/volumes.conf": cloud_init.after_mounts(mounts),
        },
        mounts=mounts,
        commands=[
            ["systemctl", "mask", "--now", "rpcbind.service", "rpcbind.socket", "rpc-statd.service"],
            ["systemctl", "enable", "nfs-server.service"],
            ["systemctl", "restart", "--no-block", "nfs-server.service"],
        ],
    )


# Version 4.1 and later need port 2049 alone: no portmapper, no lock or status daemons, no callback connections.
_NFS_CONF = """\
[nfsd]
vers3=n
vers4=y
vers4.0=n
udp=n
threads=32
"""


def _exports(exports: Sequence[Export], clients: IPv4Network) -> str:
    """exports(5). ``mp``: without its volume a directory of the root disk would be exported in its place."""
    lines = [f"{ROOT} {clients}(ro,fsid=0,root_squash,sync,no_subtree_check)"]
    for each in exports:
        access = "ro" if each.read_only else "rw"
        squash = "root_squash" if each.root_squash else "no_root_squash"
        lines.append(f"{each.mount.path} {clients}({access},mp,{squash},sync,no_subtree_check)")
    return "\n".join(lines) + "\n"
