"""Debian packages of the cloud."""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sandbox import paths
from sandbox.errors import SandboxError

PACKAGES: Final = (
    # Prerequisites of OpenStack
    "mariadb-server",
    "rabbitmq-server",
    "memcached",
    "ovn-central",
    "openvswitch-common",  # ovsdb-server
    "uwsgi-core",
    "uwsgi-plugin-python3",
    # OpenStack, except for nova-compute, which would install libvirt and qemu: its code is in python3-nova
    "keystone",
    "placement-api",
    "nova-api",
    "nova-conductor",
    "nova-scheduler",
    "neutron-server",
    "cinder-api",
    "cinder-scheduler",
    "cinder-volume",
    "cinder-backup",
    "dmidecode",  # os-brick runs it for each backup
    "glance-api",
    "octavia-api",
    "octavia-driver-agent",
    "python3-ovn-octavia-provider",  # for its dependencies; the code is from a newer wheel
    "magnum-api",
    "magnum-conductor",
    "manila-common",  # for its configuration files; the code is in python3-manila
    "swift-proxy",
    "swift-account",
    "swift-container",
    "swift-object",
    # Other
    "redis-server",  # Argo CD's cache
    "git",
)
"""Packages that the cloud runs."""

OF_TESTS: Final = (
    "chromium-headless-shell",
    "prometheus",  # promtool
)
"""Packages that only tests use, which install them."""

_APT: Final = {
    "DEBIAN_FRONTEND": "noninteractive",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}
_APT_OPTIONS: Final = (
    "-o=DPkg::Lock::Timeout=300",  # seconds to wait for another apt
    "-o=Dpkg::Options::=--force-confold",  # keep changed configuration files
)
_POLICY: Final = Path("/usr/sbin/policy-rc.d")
_KEPT_POLICY: Final = _POLICY.with_name("policy-rc.d.before-rsp-sandbox")
_UNITS: Final = Path("/etc/systemd/system")
_DENY_ALL: Final = "#!/bin/sh\n# Written by the RSP sandbox while it installs packages.\nexit 101\n"


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """Return the versions by name of those packages that are installed."""
    query = ("dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status} ${Version}\\n", *packages)
    lines = subprocess.run(query, capture_output=True, text=True, check=False).stdout.splitlines()
    rows = [line.split(" ", 2) for line in lines]
    return {name: version for name, state, version in rows if state == "installed"}


def install(report: Callable[[str], None], packages: Iterable[str] = PACKAGES) -> None:
    """Install missing packages without starting or enabling their services.

    Args:
        report: Called with the current activity.
        packages: Names of the packages.

    Raises:
        SandboxError: apt failed; running the command again retries.
    """
    missing = sorted(set(packages) - set(versions(packages)))
    if not missing:
        return
    paths.LOG.mkdir(parents=True, exist_ok=True)
    with _no_service_starts(), _no_service_enabled():
        report("completing an interrupted installation")
        _run("dpkg", "--configure", "--pending", "--force-confold")
        report("updating the package lists")
        _run("apt-get", "update", *_APT_OPTIONS)
        report(f"installing {len(missing)} packages and their dependencies")
        _install(missing, report)


def _install(packages: Iterable[str], report: Callable[[str], None]) -> None:
    # apt reports progress on a pipe of its own and closes it for the packages' scripts, which need standard output.
    reading, writing = os.pipe()
    reader = threading.Thread(target=_report_progress, args=(reading, report))
    reader.start()
    try:
        options = (f"-o=APT::Status-Fd={writing}", "--yes", "--no-install-recommends", *_APT_OPTIONS)
        _run("apt-get", "install", *options, "--", *packages, pass_fds=(writing,))
    finally:
        os.close(writing)
        reader.join()


def _report_progress(descriptor: int, report: Callable[[str], None]) -> None:
    with open(descriptor) as lines:
        for line in lines:
            if detail := status(line):
                report(detail)


def _run(*argv: str, pass_fds: tuple[int, ...] = ()) -> None:
    """Run apt or dpkg and append the output to the log.

    Raises:
        SandboxError: The command failed; the message has the end of the log.
    """
    log = paths.LOG / "apt.log"
    with log.open("ab") as record:
        done = subprocess.run(
            argv,
            env={**_proxies(), **_APT},
            stdin=subprocess.DEVNULL,
            stdout=record,
            stderr=subprocess.STDOUT,
            pass_fds=pass_fds,
            check=False,
        )
    if done.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise SandboxError(f"`{' '.join(argv[:2])}` failed (see {log}):\n{tail}")


def status(line: str) -> str | None:
    """Return the message of a line in apt's status protocol; None for other lines.

    Args:
        line: For example `pmstatus:nova-api:57.1429:Installing nova-api (amd64)` (apt's README.progress-reporting).
    """
    fields = line.rstrip().split(":", 3)
    if len(fields) != 4 or fields[0] not in {"dlstatus", "pmstatus"}:  # noqa: PLR2004 - number of the protocol's fields
        return None
    return f"{float(fields[2]):.0f}%  {fields[3]}"


def _proxies() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.lower() in {"http_proxy", "https_proxy"}}


@contextmanager
def _no_service_starts() -> Iterator[None]:
    """Prevent packages from starting their services, which would use the ports with other configurations.

    An administrator's policy is moved away and restored, after an interruption by the next run.
    """
    _restore_policy()
    if _POLICY.exists():
        _POLICY.rename(_KEPT_POLICY)
    _POLICY.write_text(_DENY_ALL)
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _restore_policy()


@contextmanager
def _no_service_enabled() -> Iterator[None]:
    """Prevent systemd from starting newly installed services at boot."""
    before = _enabled()
    try:
        yield
    finally:
        if (brought := sorted(_enabled() - before)) and shutil.which("systemctl"):
            _run("systemctl", "disable", *brought)


def _enabled() -> set[str]:
    """Return the services and sockets that systemd starts at boot, by the symlinks that enabling creates."""
    return {link.name for kind in ("service", "socket") for link in _UNITS.glob(f"*.wants/*.{kind}")}


def _restore_policy() -> None:
    if _POLICY.exists() and _POLICY.read_text() == _DENY_ALL:
        _POLICY.unlink()
    if _KEPT_POLICY.exists():
        _KEPT_POLICY.rename(_POLICY)
