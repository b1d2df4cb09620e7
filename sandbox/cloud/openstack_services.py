"""Processes of OpenStack's services."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from sandbox import paths
from sandbox.cloud import configuration
from sandbox.cloud.python_packages import DRIVERS, ENVIRONMENT, OVN_PROVIDER
from sandbox.cloud.service import Service, always, http_answers, unix_sockets_listen
from sandbox.ports import LOOPBACK, Port
from sandbox.process import Process

OCTAVIA_SOCKETS: Final = Path("/var/run/octavia")
"""Hard-coded in the OVN provider, regardless of Octavia's configuration."""

_LOADED: Final = {
    "cinder-volume": DRIVERS,
    "magnum-api": DRIVERS,
    "magnum-conductor": DRIVERS,
    "manila": DRIVERS,
    "nova-compute": DRIVERS,
    "octavia-api": OVN_PROVIDER,
    "octavia-driver-agent": OVN_PROVIDER,
}
"""Services that load a package from outside of Debian."""

_DIRECTORIES: Final = (
    "nova/instances",
    "neutron",
    "cinder/volumes",
    "glance/images",
    "glance/staging",
    "glance/tasks",
    "octavia/certificates",
    "magnum/certificates",
    "manila",
)

_DRIVER_AGENT_PROCESSES: Final = 5

_NOVA_COMPUTE: Final = ("/usr/bin/python3", "-m", "rsp_sandbox_drivers.compute")
_MANILA: Final = ("/usr/bin/python3", "-m", "rsp_sandbox_drivers.manila")


def prepare() -> None:
    """Create the directories that the services expect."""
    for name in _DIRECTORIES:
        (paths.DATA / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    OCTAVIA_SOCKETS.mkdir(parents=True, exist_ok=True)


def identity() -> Service:
    """Return Keystone, which all other services use."""
    config = configuration.path("keystone.conf")
    program = _uwsgi("keystone", "/usr/bin/keystone-wsgi-public", Port.KEYSTONE, processes=3)
    return _service(
        "keystone",
        program,
        config,
        port=Port.KEYSTONE,
        answers=http_answers(f"{Port.KEYSTONE.url}/v3"),
        env={"OS_KEYSTONE_CONFIG_FILES": str(config)},
    )


def control_plane() -> list[Service]:
    """Return all services except for Keystone; they may start concurrently."""
    return [
        _placement(),
        _server("neutron-server", "neutron.conf", port=Port.NEUTRON),
        _server("nova-api", "nova.conf", port=Port.NOVA),
        _server("nova-conductor", "nova.conf"),
        _server("nova-scheduler", "nova.conf"),
        _server("nova-compute", "nova.conf", program=_NOVA_COMPUTE, package="python3-nova"),
        _server("glance-api", "glance-api.conf", port=Port.GLANCE),
        _server("cinder-api", "cinder.conf", port=Port.CINDER),
        _server("cinder-scheduler", "cinder.conf"),
        _server("cinder-volume", "cinder.conf"),
        _server("cinder-backup", "cinder.conf"),
        _octavia_driver_agent(),  # before the API, whose provider connects to it
        _application("octavia-api", "/usr/bin/octavia-wsgi", "octavia.conf", Port.OCTAVIA),
        _application("magnum-api", "/usr/bin/magnum-api-wsgi", "magnum.conf", Port.MAGNUM),
        _server("magnum-conductor", "magnum.conf"),
        _server("manila", "manila.conf", port=Port.MANILA, program=_MANILA, package="python3-manila"),
    ]


def _server(
    name: str,
    config: str,
    *,
    port: Port | None = None,
    program: tuple[str, ...] | None = None,
    package: str | None = None,
) -> Service:
    """Return a service that runs its own program."""
    file = configuration.path(config)
    argv = (*(program or (f"/usr/bin/{name}",)), "--config-file", str(file))
    return _service(name, argv, file, port=port, package=package)


def _application(name: str, wsgi_file: str, config: str, port: Port) -> Service:
    """Return a service that is a WSGI application and reads its configuration file's path from its arguments."""
    file = configuration.path(config)
    argv = (*_uwsgi(name, wsgi_file, port), "--pyargv", f"--config-file {file}")
    return _service(name, argv, file, port=port)


def _octavia_driver_agent() -> Service:
    """Return the driver agent: a parent that does not restart its three listeners or the provider's agent."""
    service = _server("octavia-driver-agent", "octavia.conf")
    listening = unix_sockets_listen(*(OCTAVIA_SOCKETS / f"{name}.sock" for name in ("status", "stats", "get")))
    return replace(service, answers=lambda: listening() and len(service.process.members()) >= _DRIVER_AGENT_PROCESSES)


def _placement() -> Service:
    """Return Placement, which reads its configuration directory's path from its environment."""
    config = configuration.path("placement/placement.conf")
    program = _uwsgi("placement", "/usr/bin/placement-api", Port.PLACEMENT)
    env = {"OS_PLACEMENT_CONFIG_DIR": str(config.parent)}
    return _service("placement", program, config, port=Port.PLACEMENT, package="placement-api", env=env)


def _service(  # noqa: PLR0913 - most services need few of them
    name: str,
    argv: tuple[str, ...],
    config: Path,
    *,
    port: Port | None = None,
    answers: Callable[[], bool] | None = None,
    package: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Service:
    loaded = _LOADED.get(name)
    return Service(
        process=Process(
            name=name,
            argv=argv,
            env={**(loaded.environment if loaded else ENVIRONMENT), **(env or {})},
            config=(config, loaded.stamp) if loaded else (config,),
        ),
        package=package or name,
        port=port,
        answers=answers or (http_answers(port.url) if port else always),
    )


def _uwsgi(name: str, wsgi_file: str, port: Port, *, processes: int = 2) -> tuple[str, ...]:
    """Return the command that serves a WSGI application over HTTP.

    Each process handles one request at a time, as in DevStack: the libraries load eventlet, whose locks, such as
    oslo.log's, do not work between threads, so that a request may wait forever for another one's.
    """
    return (
        *("/usr/bin/uwsgi", "--plugins", "python3", "--http-socket", f"{LOOPBACK}:{port.value}"),
        *("--wsgi-file", wsgi_file, "--processes", str(processes), "--threads", "1", "--enable-threads"),
        *("--master", "--no-orphans", "--die-on-term", "--lazy-apps", "--need-app", "--disable-logging"),
        # A request that lasts longer is lost; RPC calls in it end after 60 seconds.
        *("--harakiri", "90"),
        # uWSGI's HTTP parser keeps no connection open, and clients have to know.
        *("--buffer-size", "65535", "--add-header", "Connection: close", "--procname-prefix-spaced", name),
    )
