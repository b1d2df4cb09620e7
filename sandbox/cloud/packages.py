"""The Debian packages that the cloud is made of."""

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
    # what OpenStack stands on
    "mariadb-server",
    "rabbitmq-server",
    "memcached",
    "ovn-central",
    "openvswitch-common",  # ovsdb-server
    "uwsgi-core",
    "uwsgi-plugin-python3",
    # OpenStack; not nova-compute, which would bring libvirt and qemu: its code is in python3-nova
    "keystone",
    "placement-api",
    "nova-api",
    "nova-conductor",
    "nova-scheduler",
    "neutron-server",
    "cinder-api",
    "cinder-scheduler",
    "cinder-volume",
    "glance-api",
    "octavia-api",
    "octavia-driver-agent",
    "python3-ovn-octavia-provider",  # for its dependencies; the code comes from a later wheel
    "magnum-api",
    "magnum-conductor",
    "swift-proxy",
    "swift-account",
    "swift-container",
    "swift-object",
    # what runs beside it
    "redis-server",  # Argo CD's cache
    "git",
)

_APT: Final = {
    "DEBIAN_FRONTEND": "noninteractive",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}
_APT_OPTIONS: Final = (
    "-o=DPkg::Lock::Timeout=300",  # seconds that another apt may take
    "-o=Dpkg::Options::=--force-confold",  # a configuration file that somebody changed stays theirs
)
_POLICY: Final = Path("/usr/sbin/policy-rc.d")
_KEPT_POLICY: Final = _POLICY.with_name("policy-rc.d.before-rsp-sandbox")
_UNITS: Final = Path("/etc/systemd/system")
_NOTHING_STARTS: Final = "#!/bin/sh\n# Written by the RSP sandbox while it installs packages.\nexit 101\n"


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """The version of each of `packages` that is installed."""
    query = ("dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status} ${Version}\\n", *packages)
    lines = subprocess.run(query, capture_output=True, text=True, check=False).stdout.splitlines()
    rows = [line.split(" ", 2) for line in lines]
    return {name: version for name, state, version in rows if state == "installed"}


def install(tell: Callable[[str], None]) -> bool:
    """Install the packages that are missing, without starting what they bring, now or at the next boot.

    Args:
        tell: Called with what is being done.

    Returns:
        Whether something was installed.

    Raises:
        SandboxError: apt failed; the same command tries again.
    """
    missing = sorted(set(PACKAGES) - set(versions()))
    if not missing:
        return False
    paths.LOG.mkdir(parents=True, exist_ok=True)
    with _nothing_starts(), _nothing_enabled():
        tell("finishing what an interrupted installation left")
        _run("dpkg", "--configure", "--pending", "--force-confold")
        tell("fetching the package lists")
        _run("apt-get", "update", *_APT_OPTIONS)
        tell(f"installing {len(missing)} packages and what they need")
        _install(missing, tell)
    return True


def _install(packages: Iterable[str], tell: Callable[[str], None]) -> None:
    # A pipe of its own for the progress: apt closes it to the packages' scripts, which need a standard output.
    reading, writing = os.pipe()
    reader = threading.Thread(target=_tell_progress, args=(reading, tell))
    reader.start()
    try:
        options = (f"-o=APT::Status-Fd={writing}", "--yes", "--no-install-recommends", *_APT_OPTIONS)
        _run("apt-get", "install", *options, "--", *packages, pass_fds=(writing,))
    finally:
        os.close(writing)
        reader.join()


def _tell_progress(descriptor: int, tell: Callable[[str], None]) -> None:
    with open(descriptor) as lines:
        for line in lines:
            if detail := status(line):
                tell(detail)


def _run(*argv: str, pass_fds: tuple[int, ...] = ()) -> None:
    """Run apt or dpkg; what it says goes to the log.

    Raises:
        SandboxError: It failed; with the end of what it said.
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
    """What a line of apt's status protocol says, for people; None for any other line.

    Args:
        line: For example `pmstatus:nova-api:57.1429:Installing nova-api (amd64)` (apt's README.progress-reporting).
    """
    fields = line.rstrip().split(":", 3)
    if len(fields) != 4 or fields[0] not in {"dlstatus", "pmstatus"}:  # noqa: PLR2004 - the protocol's fields
        return None
    return f"{float(fields[2]):.0f}%  {fields[3]}"


def _proxies() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.lower() in {"http_proxy", "https_proxy"}}


@contextmanager
def _nothing_starts() -> Iterator[None]:
    """Keep packages from starting their services: these would take the ports, with other configurations.

    An administrator's own policy is put aside meanwhile, and comes back even after an interruption, with the next run.
    """
    _restore_policy()
    if _POLICY.exists():
        _POLICY.rename(_KEPT_POLICY)
    _POLICY.write_text(_NOTHING_STARTS)
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _restore_policy()


@contextmanager
def _nothing_enabled() -> Iterator[None]:
    """Keep systemd from starting at boot what is installed meanwhile; what was enabled before stays so."""
    before = _enabled()
    try:
        yield
    finally:
        if (brought := sorted(_enabled() - before)) and shutil.which("systemctl"):
            _run("systemctl", "disable", *brought)


def _enabled() -> set[str]:
    """The services and sockets that systemd starts at boot, by the links that enabling makes."""
    return {link.name for kind in ("service", "socket") for link in _UNITS.glob(f"*.wants/*.{kind}")}


def _restore_policy() -> None:
    if _POLICY.exists() and _POLICY.read_text() == _NOTHING_STARTS:
        _POLICY.unlink()
    if _KEPT_POLICY.exists():
        _KEPT_POLICY.rename(_POLICY)
