import os
import shlex
import shutil
import subprocess
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.nfs_cloud_init import Export, ExportOptions, render
from config import console
from config.console import Line

INSTALL = "/usr/local/sbin/rsp-install"
CLIENTS = IPv4Network("10.20.0.0/24")
OPTIONS = ExportOptions(root_squash=True, read_only=False, owner=None, mode=None, directories=())
EXPORTS = [
    Export(name="data", volume_id="5b1f3a52-9f9c-4d3c-9a55-0c6a86a3f6ad", options=replace(OPTIONS, read_only=True)),
    Export(name="jhome", volume_id="c0ffee00-1111-2222-3333-444455556666", options=replace(OPTIONS, root_squash=False)),
]


@pytest.fixture
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(render(EXPORTS, CLIENTS))
    return loaded


def content(document: dict[str, Any], path: str) -> str:
    found = [file["content"] for file in document["write_files"] if file["path"] == path]
    assert len(found) == 1
    return str(found[0])


def test_exports_are_limited_to_the_subnet(document: dict[str, Any]) -> None:
    lines = content(document, "/etc/exports.d/rsp.exports").splitlines()
    assert all(line.split()[1].startswith("10.20.0.0/24(") for line in lines)
    assert all(len(line.split()) == 2 for line in lines)


def test_exports_have_their_options(document: dict[str, Any]) -> None:
    options = {}
    for line in content(document, "/etc/exports.d/rsp.exports").splitlines():
        path, clients = line.split()
        options[path] = clients.removeprefix("10.20.0.0/24(").removesuffix(")").split(",")
    assert options["/srv/nfs"] == ["ro", "fsid=0", "root_squash", "sync", "no_subtree_check"]
    assert options["/srv/nfs/data"] == ["ro", "mp", "root_squash", "sync", "no_subtree_check"]
    assert options["/srv/nfs/jhome"] == ["rw", "mp", "no_root_squash", "sync", "no_subtree_check"]


def test_volumes_are_identified_by_serial_number_on_virtio_and_scsi(document: dict[str, Any]) -> None:
    rules = content(document, "/etc/udev/rules.d/90-rsp-volumes.rules").splitlines()
    assert rules == [
        'SUBSYSTEM=="block", ENV{DEVTYPE}=="disk", ENV{ID_SERIAL}=="*5b1f3a52-9f9c-4d3c-9*", SYMLINK+="rsp/data"',
        'SUBSYSTEM=="block", ENV{DEVTYPE}=="disk", ENV{ID_SERIAL}=="*c0ffee00-1111-2222-3*", SYMLINK+="rsp/jhome"',
    ]


def test_only_a_blank_volume_is_formatted(document: dict[str, Any]) -> None:
    for line in content(document, "/etc/fstab").splitlines():
        device, mount_point, file_system, options, *_ = line.split()
        assert device.removeprefix("/dev/rsp/") == mount_point.removeprefix("/srv/nfs/")
        assert file_system == "ext4"
        assert {"x-systemd.makefs", "nofail", "nosuid", "nodev"} <= set(options.split(","))
    assert "mkfs" not in str(document["runcmd"]) + content(document, INSTALL)


def test_fstab_is_extended_and_files_are_written_when_their_owners_exist(document: dict[str, Any]) -> None:
    assert all(file["defer"] for file in document["write_files"])
    assert [file["path"] for file in document["write_files"] if file.get("append")] == ["/etc/fstab"]


def test_only_nfs_4_1_and_later_is_served(document: dict[str, Any]) -> None:
    lines = content(document, "/etc/nfs.conf.d/rsp.conf").splitlines()
    assert {"vers3=n", "vers4=y", "vers4.0=n", "udp=n"} <= set(lines)
    assert "systemctl mask --now rpcbind.service rpcbind.socket rpc-statd.service" in content(document, INSTALL)


def test_the_nfs_server_requires_all_volumes(document: dict[str, Any]) -> None:
    unit = content(document, "/etc/systemd/system/nfs-server.service.d/rsp.conf")
    assert unit.startswith("[Unit]\nRequiresMountsFor=/srv/nfs/data /srv/nfs/jhome\n")


def made(tmp_path: Path, *exports: Export) -> dict[str, tuple[int, int, str]]:
    """Return owner and permissions of what systemd creates below the exports, by path."""
    document = yaml.safe_load(render(exports, CLIENTS))
    lines = content(document, "/etc/rsp-directories.conf").replace("/srv/nfs/", f"{tmp_path}/exports/")
    (tmp_path / "directories.conf").write_text(lines)
    for each in exports:
        (tmp_path / "exports" / each.name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "exports" / each.name).chmod(0o755)
    # As on the server, which starts more than once.
    for _ in range(2):
        subprocess.run(["systemd-tmpfiles", "--create", tmp_path / "directories.conf"], check=True)
    folder = tmp_path / "exports"
    found = {str(path.relative_to(folder)): path.stat() for path in folder.rglob("*")}
    return {path: (each.st_uid, each.st_gid, f"{each.st_mode & 0o7777:04o}") for path, each in found.items()}


needs_tmpfiles = pytest.mark.skipif(not shutil.which("systemd-tmpfiles"), reason="needs systemd-tmpfiles")
ME = (os.getuid(), os.getgid())


@needs_tmpfiles
def test_new_directories_and_the_root_get_the_owner(tmp_path: Path) -> None:
    owner = f"{ME[0]}:{ME[1]}"
    options = replace(OPTIONS, owner=owner, mode="2770", directories=["butler/rubin", "butler"])
    data = Export(name="data", volume_id="5b1f3a52", options=options)
    jhome = Export(name="jhome", volume_id="c0ffee00", options=replace(OPTIONS, directories=["shared"]))
    assert made(tmp_path, data, jhome) == {
        "data": (*ME, "2770"),
        "data/butler": (*ME, "2770"),
        "data/butler/rubin": (*ME, "2770"),
        "jhome": (*ME, "0755"),
        "jhome/shared": (*ME, "0755"),
    }


@needs_tmpfiles
def test_what_exists_below_the_root_is_not_changed(tmp_path: Path) -> None:
    existing = tmp_path / "exports" / "data" / "butler"
    existing.mkdir(parents=True)
    existing.chmod(0o700)
    (existing / "file").write_text("kept")
    (existing / "file").chmod(0o600)
    options = replace(OPTIONS, mode="2770", directories=["butler/rubin"])
    data = Export(name="data", volume_id="5b1f3a52", options=options)
    found = made(tmp_path, data)
    assert (found["data"][2], found["data/butler"][2], found["data/butler/rubin"][2]) == ("2770", "0700", "2770")
    assert found["data/butler/file"][2] == "0600"
    assert (existing / "file").read_text() == "kept"


@pytest.mark.skipif(ME[0] != 0 or not shutil.which("systemd-tmpfiles"), reason="needs root and systemd-tmpfiles")
def test_no_link_of_a_user_leads_out_of_an_export(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    outside = tmp_path / "etc"
    outside.mkdir()
    root = tmp_path / "exports" / "data"
    root.mkdir(parents=True)
    (root / "butler").symlink_to(outside)
    os.chown(root, 1000, 1000)
    os.lchown(root / "butler", 1000, 1000)
    options = replace(OPTIONS, owner="1000:1000", mode="0777", directories=["butler/rubin"])
    data = Export(name="data", volume_id="5b1f3a52", options=options)
    with pytest.raises(subprocess.CalledProcessError):
        made(tmp_path, data)
    assert list(outside.iterdir()) == []
    assert outside.stat().st_uid == 0


def test_an_export_without_an_owner_stays_as_it_is(document: dict[str, Any]) -> None:
    assert content(document, "/etc/rsp-directories.conf") == ""
    unit = content(document, "/etc/systemd/system/nfs-server.service.d/rsp.conf").splitlines()
    # The server serves even if a directory cannot be created.
    assert "ExecStartPre=-/usr/bin/systemd-tmpfiles --create /etc/rsp-directories.conf" in unit
    # The reason is on the console, and not in the journal, as nobody can log in.
    assert "Environment=SYSTEMD_LOG_TARGET=console" in unit


def test_the_console_shows_whether_exports_are_served(document: dict[str, Any]) -> None:
    unit = content(document, "/etc/systemd/system/nfs-server.service.d/rsp.conf").splitlines()
    assert "StandardOutput=journal+console" in unit
    for directive, line in (("ExecStartPost", Line.SERVING), ("ExecStopPost", Line.STOPPED)):
        (command,) = [each.partition("=-")[2] for each in unit if each.startswith(f"{directive}=")]
        said = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True).stdout
        assert console.last(f"[   21.5] echo[812]: {said}") is line


_COMMAND = """\
#!/bin/sh
echo {name} >> {log}
[ -z "$FAILING" ] || case "{name} $*" in "$FAILING"*) exit 100 ;; esac
"""


@pytest.mark.parametrize(
    ("failing", "done", "said"),
    [
        ("", ["dpkg", "apt-get", "apt-get", "systemctl", "systemctl", "systemctl", "touch"], Line.INSTALLED),
        ("apt-get install", ["dpkg", "apt-get", "apt-get"], Line.FAILED),
        ("systemctl enable", ["dpkg", "apt-get", "apt-get", "systemctl", "systemctl"], Line.FAILED),
    ],
)
def test_a_failed_installation_is_repeated_as_a_whole(
    document: dict[str, Any], tmp_path: Path, failing: str, done: list[str], said: Line
) -> None:
    for name in ("dpkg", "apt-get", "systemctl", "touch"):
        (tmp_path / name).write_text(_COMMAND.format(name=name, log=tmp_path / "log"))
        (tmp_path / name).chmod(0o755)
    ended = subprocess.run(
        ["/bin/sh"],
        input=content(document, INSTALL),
        env={"PATH": str(tmp_path), "FAILING": failing},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (tmp_path / "log").read_text().split() == done
    assert (bool(ended.returncode), ended.stderr) == (bool(failing), "")
    assert console.last(ended.stdout) is said
    unit = content(document, "/etc/systemd/system/rsp-install.service").splitlines()
    assert {"Type=oneshot", "Restart=on-failure", "StartLimitIntervalSec=0", f"ExecStart={INSTALL}"} <= set(unit)
    # Also a reboot repeats it, until it has succeeded.
    assert {"ConditionPathExists=!/var/lib/rsp-installed", "WantedBy=multi-user.target"} <= set(unit)
    assert content(document, INSTALL).splitlines()[-1] == "touch /var/lib/rsp-installed"


def test_cloud_init_does_not_wait_for_the_installation(document: dict[str, Any]) -> None:
    *_, enable, start = document["runcmd"]
    assert enable == ["systemctl", "enable", "rsp-install.service"]
    assert start == ["systemctl", "start", "--no-block", "rsp-install.service"]
    assert "packages" not in document


def test_the_server_installs_updates_and_allows_no_passwords(document: dict[str, Any]) -> None:
    assert "nfs-kernel-server unattended-upgrades" in content(document, INSTALL)
    assert 'APT::Periodic::Unattended-Upgrade "1";' in content(document, "/etc/apt/apt.conf.d/20auto-upgrades")
    assert document["ssh_pwauth"] is False
    assert document["disable_root"] is True
