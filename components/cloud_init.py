"""User data of a server for cloud-init on Debian 12 or later, and how such a server finds its Cinder volumes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

SERIAL_LENGTH = 20
"""virtio-blk shows the guest this many characters of a Cinder volume's id; virtio-scsi shows all of it."""


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A Cinder volume and where the server mounts it."""

    name: str
    """Letters, digits and hyphens."""
    volume_id: str
    """Id of the Cinder volume."""
    path: str
    """Where the server mounts it."""

    @property
    def device(self) -> str:
        """Path of the volume's block device, the same at every boot and on every bus."""
        return f"/dev/rsp/{self.name}"


@dataclass(frozen=True, kw_only=True)
class File:
    """A file for the server."""

    content: str
    """What is in it."""
    mode: str = "0644"
    """Permissions in octal digits."""
    owner: str = "root:root"
    """User and group."""


def document(
    *,
    packages: Sequence[str],
    files: Mapping[str, str | File],
    mounts: Sequence[Mount],
    commands: Sequence[Sequence[str]],
    more: Mapping[str, Any] | None = None,
) -> str:
    """The user data.

    The volumes are attached while the server boots or later, so nothing here waits for them in a script: a udev rule
    names each by its serial number, systemd makes a file system on it if it is blank and mounts it when it appears
    (systemd.mount(5), ``x-systemd.makefs``). A server that is built anew finds the file systems in place and keeps
    them. It patches itself, and lets nobody in by a password.

    Args:
        packages: Debian packages to install.
        files: What to write once they are installed, by path: installing one must not wait for a volume.
        mounts: The volumes.
        commands: What to run in the end, the volumes' mounts being known to systemd.
        more: Further keys of cloud-init.
    """
    written = {
        "/etc/udev/rules.d/90-rsp-volumes.rules": _udev_rules(mounts),
        "/etc/apt/apt.conf.d/20auto-upgrades": _AUTO_UPGRADES,
        **files,
    }
    content: dict[str, Any] = {
        "disable_root": True,
        "ssh_pwauth": False,
        **(more or {}),
        "package_update": True,
        "package_upgrade": True,
        "packages": [*packages, "unattended-upgrades"],
        "write_files": [
            *(_file(path, each) for path, each in written.items()),
            {"path": "/etc/fstab", "content": _fstab(mounts), "append": True, "defer": True},
        ],
        "runcmd": [
            ["udevadm", "control", "--reload"],
            ["udevadm", "trigger", "--subsystem-match=block", "--action=change"],
            ["systemctl", "daemon-reload"],
            *map(list, commands),
        ],
    }
    return "#cloud-config\n" + yaml.dump(content, Dumper=_Dumper, sort_keys=False)


def after_mounts(mounts: Iterable[Mount]) -> str:
    """The lines of a unit that starts when its volumes are mounted, and never without them."""
    return "[Unit]\nRequiresMountsFor=" + " ".join(each.path for each in mounts) + "\n"


class _Dumper(yaml.SafeDumper):
    """Writes the content of files as blocks, so that a person can read them on the server."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)

_AUTO_UPGRADES = """\
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
"""


def _file(path: str, file: str | File) -> dict[str, Any]:
    if isinstance(file, str):
        return {"path": path, "content": file, "defer": True}
    return {"path": path, "content": file.content, "permissions": file.mode, "owner": file.owner, "defer": True}


def _udev_rules(mounts: Sequence[Mount]) -> str:
    return "".join(
        f'SUBSYSTEM=="block", ENV{{DEVTYPE}}=="disk", ENV{{ID_SERIAL}}=="*{each.volume_id[:SERIAL_LENGTH]}*", '
        f'SYMLINK+="rsp/{each.name}"\n'
        for each in mounts
    )


def _fstab(mounts: Sequence[Mount]) -> str:
    # nofail: the server boots without its volumes; timeout 0: systemd waits for them for ever.
    options = "nodev,nosuid,nofail,x-systemd.device-timeout=0,x-systemd.makefs,x-systemd.growfs"
    return "".join(f"{each.device} {each.path} ext4 {options} 0 2\n" for each in mounts)
