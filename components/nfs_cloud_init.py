"""User data of the NFS server."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import PurePosixPath

from components import cloud_init
from components.cloud_init import Mount
from components.quoting import octal, tmpfiles_path
from config.console import Line

ROOT = "/srv/nfs"
"""Root of the exports: clients mount /srv/nfs/NAME as /NAME."""


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Options of an export."""

    root_squash: bool
    """Whether requests of a client's root are mapped to nobody."""
    read_only: bool
    """Whether the export is read-only."""
    owner: str | None
    """UID:GID of the root of the export and of new directories; as it is, or root's, if None."""
    mode: str | None
    """Permissions of these in octal digits; as they are, or 0755, if None."""
    directories: Sequence[str]
    """Directories to create, relative to the root of the export."""


@dataclass(frozen=True, kw_only=True)
class Export:
    """An exported volume."""

    name: str
    """Name of the export: letters, digits and hyphens."""
    volume_id: str
    """ID of the Cinder volume."""
    options: ExportOptions
    """Options of the export."""

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
            _DIRECTORIES: "".join(_directories(each) for each in exports),
            "/etc/systemd/system/nfs-server.service.d/rsp.conf": cloud_init.after_mounts(mounts) + _SERVICE,
        },
        mounts=mounts,
        commands=[
            ["systemctl", "mask", "--now", "rpcbind.service", "rpcbind.socket", "rpc-statd.service"],
            ["systemctl", "enable", "nfs-server.service"],
            ["systemctl", "restart", "--no-block", "nfs-server.service"],
        ],
    )


# Not in /etc/tmpfiles.d, which systemd applies before the volumes are mounted.
_DIRECTORIES = "/etc/rsp-directories.conf"

# Clients are served even if a directory cannot be created. Also a failed start runs ExecStopPost.
_SERVICE = f"""\

[Service]
StandardOutput=journal+console
StandardError=journal+console
# Otherwise systemd-tmpfiles writes to the journal, which nobody can read.
Environment=SYSTEMD_LOG_TARGET=console
ExecStartPre=-/usr/bin/systemd-tmpfiles --create {_DIRECTORIES}
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
        access = "ro" if each.options.read_only else "rw"
        squash = "root_squash" if each.options.root_squash else "no_root_squash"
        lines.append(f"{octal(each.mount.path)} {clients}({access},mp,{squash},sync,no_subtree_check)")
    return "\n".join(lines) + "\n"


def _directories(export: Export) -> str:
    """Return lines of tmpfiles.d(5): the root of the export, and directories that get owner and mode when created.

    systemd-tmpfiles follows no links that users make in a directory of theirs, as ``install`` would.
    """
    root, options = PurePosixPath(export.mount.path), export.options
    found = {path for each in options.directories for path in (root / each, *(root / each).parents)}
    lines = [_line(root, options, "")] if options.owner or options.mode else []
    lines += [_line(path, options, ":") for path in sorted(found) if path != root and path.is_relative_to(root)]
    return "".join(lines)


def _line(path: PurePosixPath, options: ExportOptions, only_when_created: str) -> str:
    fields = [options.mode, *(options.owner.split(":") if options.owner else [None, None])]
    values = [f"{only_when_created}{each}" if each else "-" for each in fields]
    return f"d {tmpfiles_path(str(path))} {' '.join(values)} -\n"
