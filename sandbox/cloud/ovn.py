"""OVN's databases and northd, and the simulated ovn-controller of a hypervisor."""

from typing import Final

from sandbox import paths
from sandbox.cloud import configuration, python_packages
from sandbox.cloud.commands import run
from sandbox.cloud.service import Service, tcp_accepts
from sandbox.ports import LOOPBACK, Port
from sandbox.process import Process

_DIRECTORY: Final = paths.DATA / "ovn"
_DATABASES: Final = {"nb": Port.OVN_NORTHBOUND, "sb": Port.OVN_SOUTHBOUND}
_RUN_DIRECTORIES: Final = {"OVN_RUNDIR": str(paths.RUN), "OVS_RUNDIR": str(paths.RUN)}


def databases() -> list[Service]:
    """Return the northbound and southbound database servers."""
    return [
        Service(
            process=Process(
                name=f"ovn-{name}",
                argv=(
                    "/usr/sbin/ovsdb-server",
                    f"--remote=ptcp:{port.value}:{LOOPBACK}",
                    f"--unixctl={paths.RUN}/ovn-{name}.ctl",
                    str(_DIRECTORY / f"{name}.db"),
                ),
                env=_RUN_DIRECTORIES,
            ),
            package="ovn-central",
            port=port,
            answers=tcp_accepts(port),
        )
        for name, port in _DATABASES.items()
    ]


def controllers() -> list[Service]:
    """Return northd and the simulated ovn-controller."""
    northd = Process(
        name="ovn-northd",
        argv=(
            "/usr/bin/ovn-northd",
            f"--ovnnb-db={remote('nb')}",
            f"--ovnsb-db={remote('sb')}",
            f"--unixctl={paths.RUN}/ovn-northd.ctl",
        ),
        env=_RUN_DIRECTORIES,
    )
    chassis = Process(
        name="ovn-chassis",
        argv=("/usr/bin/python3", "-m", "rsp_sandbox_drivers.chassis", remote("sb"), configuration.HOST),
        env=python_packages.DRIVERS.environment,
        config=(python_packages.DRIVERS.stamp,),
    )
    return [Service(process=northd, package="ovn-central"), Service(process=chassis, package="python3-openvswitch")]


def prepare() -> None:
    """Create the database files that do not exist."""
    _DIRECTORY.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths.RUN.mkdir(parents=True, exist_ok=True)
    for name in _DATABASES:
        file = _DIRECTORY / f"{name}.db"
        if not file.exists():
            run("ovsdb-tool", "create", str(file), f"/usr/share/ovn/ovn-{name}.ovsschema", log="ovn-prepare")


def initialize() -> None:
    """Create the root row of each database if it does not exist."""
    for name in _DATABASES:
        run(f"ovn-{name}ctl", f"--db={remote(name)}", "--no-leader-only", "init", log="ovn-prepare")


def remote(database: str) -> str:
    """Return the OVN address of the database `nb` or `sb`."""
    return f"tcp:{LOOPBACK}:{_DATABASES[database].value}"
