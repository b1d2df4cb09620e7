"""RabbitMQ with Erlang's port mapper, and memcached."""

import shutil
from typing import Final

from sandbox import paths
from sandbox.cloud import configuration
from sandbox.cloud.service import Service, tcp_accepts
from sandbox.ports import LOOPBACK, Port
from sandbox.process import Process

_DIRECTORY: Final = paths.DATA / "rabbitmq"

_ERLANG: Final = {
    "HOME": str(_DIRECTORY),  # contains Erlang's cookie
    "ERL_EPMD_ADDRESS": LOOPBACK,
    "ERL_FLAGS": "-start_epmd false",  # epmd has a record of its own, so that it can be stopped
}


def services() -> list[Service]:
    """Return the port mapper, the message broker and the cache, in the order in which they start."""
    config = configuration.path("rabbitmq.conf")
    port_mapper = Process(name="epmd", argv=("/usr/bin/epmd",), env=_ERLANG, user="rabbitmq")
    broker = Process(
        name="rabbitmq",
        argv=("/usr/lib/rabbitmq/bin/rabbitmq-server",),
        user="rabbitmq",
        config=(config,),
        env={
            **_ERLANG,
            "RABBITMQ_NODENAME": "rabbit@localhost",
            "RABBITMQ_CONFIG_FILE": str(config),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",  # ignore the machine's
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(_DIRECTORY / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(_DIRECTORY / "mnesia"),
            "RABBITMQ_LOG_BASE": str(_DIRECTORY / "log"),
            "RABBITMQ_PID_FILE": str(_DIRECTORY / "pid"),
            "RABBITMQ_DIST_PORT": str(Port.RABBITMQ_DISTRIBUTION.value),
            # One scheduler without busy waiting: there are few messages and few processors.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +S 1:1",
        },
    )
    cache = Process(
        name="memcached",
        argv=("/usr/bin/memcached", "-l", LOOPBACK, "-p", str(Port.MEMCACHED.value), "-U", "0", "-m", "32", "-t", "1"),
        user="memcache",
    )
    return [
        Service(process=port_mapper, package="erlang-base", port=Port.EPMD, answers=tcp_accepts(Port.EPMD)),
        Service(process=broker, package="rabbitmq-server", port=Port.RABBITMQ, answers=tcp_accepts(Port.RABBITMQ)),
        Service(process=cache, package="memcached", port=Port.MEMCACHED, answers=tcp_accepts(Port.MEMCACHED)),
    ]


def prepare() -> None:
    """Create RabbitMQ's directory, owned by its user."""
    _DIRECTORY.mkdir(parents=True, exist_ok=True, mode=0o700)
    plugins = _DIRECTORY / "enabled_plugins"
    plugins.write_text("[].\n")
    for each in (_DIRECTORY, plugins):
        shutil.chown(each, "rabbitmq", "rabbitmq")
