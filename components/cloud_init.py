"""User data for cloud-init on Debian 12 or later, for servers that mount Cinder volumes."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from components.quoting import octal, systemd_path, udev_value
from config.console import Line

SERIAL_LENGTH = 20
"""Number of characters of a Cinder volume's ID in the serial number of a virtio-blk device; virtio-scsi has the whole
ID."""


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A Cinder volume and its mount point."""

    name: str
    """Name of the device link: letters, digits and hyphens."""
    volume_id: str
    """ID of the Cinder volume."""
    path: str
    """Absolute path of the mount point."""

    @property
    def device(self) -> str:
        """Path of the volume's block device, the same at every boot and on every bus."""
        return f"/dev/rsp/{self.name}"


@dataclass(frozen=True, kw_only=True)
class File:
    """A file on the server."""

    content: str
    """Content."""
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
    """Return the user data.

    Volumes are attached during the boot or later, so no script waits for them: a udev rule names each device by its
    serial number, and systemd creates a file system on a blank device and mounts it as soon as it appears
    (systemd.mount(5), ``x-systemd.makefs``). A replacement server keeps the existing file systems. The server installs
    security updates itself, and accepts no password logins.

    cloud-init installs packages only once, and a mirror or a router may not answer in the first minute of a VM. A unit
    of systemd installs them, and repeats that until it succeeds, also after a reboot.

    Args:
        packages: Debian packages to install.
        files: Files by path.
        mounts: The volumes.
        commands: Commands to run after the installation, once systemd has loaded the mounts; they are repeated with it.
        more: Additional keys of cloud-init.
    """
    written = {
        "/etc/udev/rules.d/90-rsp-volumes.rules": _udev_rules(mounts),
        "/etc/apt/apt.conf.d/20auto-upgrades": _AUTO_UPGRADES,
        _INSTALL: File(content=_install([*packages, "unattended-upgrades"], commands), mode="0755"),
        "/etc/systemd/system/rsp-install.service": _INSTALL_SERVICE,
        **files,
    }
    content: dict[str, Any] = {
        "disable_root": True,
        "ssh_pwauth": False,
        **(more or {}),
        "package_update": True,
        "package_upgrade": True,
        "write_files": [
            *(_file(path, each) for path, each in written.items()),
            {"path": "/etc/fstab", "content": _fstab(mounts), "append": True, "defer": True},
        ],
        "runcmd": [
            ["udevadm", "control", "--reload"],
            ["udevadm", "trigger", "--subsystem-match=block", "--action=change"],
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", "rsp-install.service"],
            # The installation may wait for a volume, and cloud-init has to end.
            ["systemctl", "start", "--no-block", "rsp-install.service"],
        ],
    }
    return "#cloud-config\n" + yaml.dump(content, Dumper=_Dumper, sort_keys=False)


def after_mounts(mounts: Iterable[Mount]) -> str:
    """Return a drop-in for a systemd unit that starts only once its volumes are mounted."""
    return "[Unit]\nRequiresMountsFor=" + " ".join(systemd_path(each.path) for each in mounts) + "\n"


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as block scalars, to be readable on the server."""


def _block(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)

_AUTO_UPGRADES = """\
APT::Periodic::Update-Package-Lists "1";
APT::Periodic::Unattended-Upgrade "1";
"""


_INSTALL = "/usr/local/sbin/rsp-install"
_INSTALLED = "/var/lib/rsp-installed"

# A oneshot unit has no time limit. The console shows its output, as that of cloud-init.
_INSTALL_SERVICE = f"""\
[Unit]
Description=Installation of the server's packages
Wants=network-online.target
After=network-online.target
ConditionPathExists=!{_INSTALLED}
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart={_INSTALL}
Restart=on-failure
RestartSec=60
StandardOutput=journal+console
StandardError=journal+console

[Install]
WantedBy=multi-user.target
"""


def _install(packages: Sequence[str], commands: Sequence[Sequence[str]]) -> str:
    apt = ["apt-get", "install", "--yes", "-o", "DPkg::Lock::Timeout=600", "-o", "Dpkg::Options::=--force-confold"]
    return f"""\
#!/bin/sh
# Install the packages and start what needs them. rsp-install.service repeats this until it succeeds.
set -eu
export DEBIAN_FRONTEND=noninteractive
report() {{ [ $? = 0 ] || echo {shlex.quote(Line.FAILED.text)}; }}
trap report EXIT
echo {shlex.quote(Line.INSTALLING.text)}
# An attempt may have been interrupted.
dpkg --configure -a
apt-get update
{shlex.join([*apt, *packages])}
echo {shlex.quote(Line.INSTALLED.text)}
""" + "".join(f"{shlex.join(each)}\n" for each in [*commands, ["touch", _INSTALLED]])


def _file(path: str, file: str | File) -> dict[str, Any]:
    if isinstance(file, str):
        return {"path": path, "content": file, "defer": True}
    return {"path": path, "content": file.content, "permissions": file.mode, "owner": file.owner, "defer": True}


def _udev_rules(mounts: Sequence[Mount]) -> str:
    return "".join(
        f'SUBSYSTEM=="block", ENV{{DEVTYPE}}=="disk", ENV{{ID_SERIAL}}=={_containing(each.volume_id[:SERIAL_LENGTH])}, '
        f"SYMLINK+={udev_value(f'rsp/{each.name}')}\n"
        for each in mounts
    )


def _containing(text: str) -> str:
    return f'"*{udev_value(text)[1:-1]}*"'


def _fstab(mounts: Sequence[Mount]) -> str:
    # nofail: the server boots without its volumes; timeout 0: systemd waits for them indefinitely.
    options = "nodev,nosuid,nofail,x-systemd.device-timeout=0,x-systemd.makefs,x-systemd.growfs"
    return "".join(f"{octal(each.device)} {octal(each.path)} ext4 {options} 0 2\n" for each in mounts)
