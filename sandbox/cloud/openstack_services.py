"""The processes of OpenStack's services, and how each is run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sandbox import paths
from sandbox.cloud import configuration, python_packages
from sandbox.cloud.service import Service, http_answers, nothing_to_ask, unix_sockets_accept
from sandbox.ports import LOOPBACK, Port
from sandbox.process import Process

OCTAVIA_SOCKETS: Final = Path("/var/run/octavia")
"""The OVN provider has this path built in, whatever Octavia's configuration says."""

_DIRECTORIES: Final = (
    "nova/instances",
    "neutron",
    "cinder/volumes",
    "glance/images",
    "glance/staging",
    "glance/tasks",
    "octavia/certificates",
    "magnum/certificates",
)


def prepare() -> None:
    """Make the directories that the services expect."""
    for name in _DIRECTORIES:
        (paths.DATA / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    OCTAVIA_SOCKETS.mkdir(parents=True, exist_ok=True)


def identity() -> Service:
    """Keystone, which all others ask."""
    config = configuration.path("keystone.conf")
    return _uwsgi(
        "keystone",
        "/usr/bin/keystone-wsgi-public",
        config=config,
        port=Port.KEYSTONE,
        path="/v3",
        package="keystone",
        threads=4,
        env={"OS_KEYSTONE_CONFIG_FILES": str(config)},
    )


def control_plane() -> list[Service]:
    """Every service but Keystone; they may start side by side."""
    placement = configuration.path("placement/placement.conf")
    octavia = configuration.path("octavia.conf")
    magnum = configuration.path("magnum.conf")
    return [
        _uwsgi(
            "placement",
            "/usr/bin/placement-api",
            config=placement,
            port=Port.PLACEMENT,
            package="placement-api",
            threads=4,
            env={"OS_PLACEMENT_CONFIG_DIR": str(placement.parent)},
        ),
        _server("neutron-server", "neutron.conf", port=Port.NEUTRON),
        _server("nova-api", "nova.conf", port=Port.NOVA),
        _server("nova-conductor", "nova.conf"),
        _server("nova-scheduler", "nova.conf"),
        _nova_compute(),
        _server("glance-api", "glance-api.conf", port=Port.GLANCE, path="/healthcheck"),
        _server("cinder-api", "cinder.conf", port=Port.CINDER),
        _server("cinder-scheduler", "cinder.conf"),
        _server("cinder-volume", "cinder.conf"),
        Service(
            process=_process("octavia-driver-agent", octavia),
            package="octavia-driver-agent",
            answers=unix_sockets_accept(*(OCTAVIA_SOCKETS / f"{name}.sock" for name in ("status", "stats", "get"))),
        ),
        _uwsgi(
            "octavia-api",
            "/usr/bin/octavia-wsgi",
            config=octavia,
            port=Port.OCTAVIA,
            package="octavia-api",
            threads=2,
            arguments=f"--config-file {octavia}",
        ),
        _uwsgi(
            "magnum-api",
            "/usr/bin/magnum-api-wsgi",
            config=magnum,
            port=Port.MAGNUM,
            package="magnum-api",
            threads=2,
            arguments=f"--config-file {magnum}",
        ),
        _server("magnum-conductor", "magnum.conf"),
    ]


def _process(name: str, config: Path, *, program: tuple[str, ...] = ()) -> Process:
    return Process(
        name=name,
        argv=(*(program or (f"/usr/bin/{name}",)), "--config-file", str(config)),
        env=python_packages.ENVIRONMENT,
        config=(config, python_packages.STAMP),
    )


def _server(name: str, config: str, *, port: Port | None = None, path: str = "/") -> Service:
    """A service whose own program listens, on a port or on the message queue."""
    return Service(
        process=_process(name, configuration.path(config)),
        package=name,
        port=port,
        answers=http_answers(port, path) if port else nothing_to_ask,
    )


def _nova_compute() -> Service:
    # Debian's package nova-compute would bring libvirt for the sake of this program of three lines
    run_compute = "import sys; from nova.cmd.compute import main; sys.argv[0] = 'nova-compute'; sys.exit(main())"
    program = ("/usr/bin/python3", "-c", run_compute)
    config = configuration.path("nova.conf")
    return Service(process=_process("nova-compute", config, program=program), package="python3-nova")


def _uwsgi(
    name: str,
    application: str,
    *,
    config: Path,
    port: Port,
    package: str,
    threads: int,
    path: str = "/",
    arguments: str = "",
    env: Mapping[str, str] | None = None,
) -> Service:
    """A service that is a WSGI application.

    Args:
        name: The service's name.
        application: File of the WSGI application.
        config: The configuration file that it reads.
        port: Where it listens.
        package: The Debian package of the application.
        threads: How many requests it serves at the same time.
        path: A path that answers when the application works.
        arguments: What the application finds as its command line.
        env: What the application finds in its environment.
    """
    argv = (
        *("/usr/bin/uwsgi", "--plugins", "python3", "--http-socket", f"{LOOPBACK}:{port.value}"),
        *("--wsgi-file", application, "--processes", "1", "--threads", str(threads), "--enable-threads"),
        *("--master", "--no-orphans", "--die-on-term", "--lazy-apps", "--need-app", "--disable-logging"),
        # keep-alive is not this server's: it would leave clients with half-closed connections
        *("--buffer-size", "65535", "--add-header", "Connection: close", "--procname-prefix-spaced", name),
        *(("--pyargv", arguments) if arguments else ()),
    )
    return Service(
        process=Process(
            name=name,
            argv=argv,
            env={**python_packages.ENVIRONMENT, **(env or {})},
            config=(config, python_packages.STAMP),
        ),
        package=package,
        port=port,
        answers=http_answers(port, path),
    )
