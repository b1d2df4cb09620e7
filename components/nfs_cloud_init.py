"""The first boot of the NFS server, as cloud-init user data for Debian 12 or later."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

import yaml

ROOT = "/srv/nfs"
"""Root of what is exported: clients see /srv/nfs/NAME as /NAME."""

SERIAL_LENGTH = 20
"""virtio-blk shows the guest this many characters of a Cinder volume's id; virtio-scsi shows all of it."""


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
    def device(self) -> str:
        """Path of the volume's block device, the same at every boot and on every bus."""
        return f"/dev/rsp/{self.name}"

    @property
    def mount_point(self) -> str:
        """Where the server mounts the volume."""
        return f"{ROOT}/{self.name}"


def render(exports: Sequence[Export], clients: IPv4Network) -> str:
    """The user data.

    The volumes are attached while the server boots or later, so nothing here waits for them in a script: a udev rule
    names each by its serial number, systemd makes a file system on it if it is blank, mounts it when it appears
    (systemd.mount(5), ``x-systemd.makefs``), and starts the NFS server after that. A server that is built anew finds
    the file systems in place and keeps them.

    Args:
        exports: At least one.
        clients: The only addresses that may mount anything.
    """
    files = {
        "/etc/udev/rules.d/90-rsp-volumes.rules": _udev_rules(exports),
        "/etc/exports.d/rsp.exports": _exports(exports, clients),
        "/etc/nfs.conf.d/rsp.conf": _NFS_CONF,
        "/etc/systemd/system/nfs-server.service.d/volumes.conf": _after_mounts(exports),
        "/etc/apt/apt.conf.d/20auto-upgrades": _AUTO_UPGRADES,
    }
    document: dict[str, Any] = {
        "disable_root": True,
        "ssh_pwauth": False,
        "package_update": True,
        "package_upgrade": True,
        "packages": ["nfs-kernel-server", "unattended-upgrades"],
        # Deferred until the packages are there: installing one must not wait for a volume.
        "write_files": [
            *({"path": path, "content": content, "defer": True} for path, content in files.items()),
            {"path": "/etc/fstab", "content": _fstab(exports), "append": True, "defer": True},
        ],
        "runcmd": [
            ["systemctl", "mask", "--now", "rpcbind.service", "rpcbind.socket", "rpc-statd.service"],
            ["udevadm", "control", "--reload"],
            ["udevadm", "trigger", "--subsystem-match=block", "--action=change"],
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", "nfs-server.service"],
            ["systemctl", "restart", "--no-block", "nfs-server.service"],
        ],
    }
    return "#cloud-config\n" + yaml.dump(document, Dumper=_Dumper, sort_keys=False)


class _Dumper(yaml.SafeDumper):
    """Writes the content of files as blocks, so that a person can read them on the server."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)


# Version 4.1 and later need port 2049 alone: no portmapper, no lock or status daemons, no callback connections.
_NFS_CONF = """\
[nfsd]
vers3=n
vers4=y
vers4.0=n
udp=n
threads=32
"""

_AUTO_UPGRADES = """\
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
"""


def _udev_rules(exports: Sequence[Export]) -> str:
    return "".join(
        f'SUBSYSTEM=="block", ENV{{DEVTYPE}}=="disk", ENV{{ID_SERIAL}}=="*{each.volume_id[:SERIAL_LENGTH]}*", '
        f'SYMLINK+="rsp/{each.name}"\n'
        for each in exports
    )


def _fstab(exports: Sequence[Export]) -> str:
    # nofail: the server boots without its volumes; timeout 0: systemd waits for them for ever.
    options = "nodev,nosuid,nofail,x-systemd.device-timeout=0,x-systemd.makefs,x-systemd.growfs"
    return "".join(f"{each.device} {each.mount_point} ext4 {options} 0 2\n" for each in exports)


def _exports(exports: Sequence[Export], clients: IPv4Network) -> str:
    """exports(5). ``mp``: without its volume a directory of the root disk would be exported in its place."""
    lines = [f"{ROOT} {clients}(ro,fsid=0,root_squash,sync,no_subtree_check)"]
    for each in exports:
        access = "ro" if each.read_only else "rw"
        squash = "root_squash" if each.root_squash else "no_root_squash"
        lines.append(f"{each.mount_point} {clients}({access},mp,{squash},sync,no_subtree_check)")
    return "\n".join(lines) + "\n"


def _after_mounts(exports: Sequence[Export]) -> str:
    return "[Unit]\nRequiresMountsFor=" + " ".join(each.mount_point for each in exports) + "\n"
