"""Manila's API, scheduler and share service in one process, which takes a third of the memory of three.

Usage: `python3 -m rsp_sandbox_drivers.manila --config-file manila.conf`.
"""

# The first import of Manila, which patches the standard library.
from manila.cmd import share  # isort: skip  # noqa: F401

import sys

from manila import service, version
from manila.common import config
from oslo_config import cfg
from oslo_log import log
from oslo_service import service as oslo_service


class Services(oslo_service.ServiceBase):
    """Services that start one after another."""

    def __init__(self, *services: oslo_service.ServiceBase) -> None:
        self._services = services

    def start(self) -> None:
        """Start each service when the one before listens: the scheduler must not miss the share service's first report.

        It would see no storage until the next report, a minute later.
        """
        for each in self._services:
            each.start()

    def stop(self) -> None:
        """Stop all services, the last one first."""
        for each in reversed(self._services):
            each.stop()

    def wait(self) -> None:
        """Wait until all services have ended."""
        for each in self._services:
            each.wait()

    def reset(self) -> None:
        """Do nothing: a service with another configuration is restarted."""


def main() -> None:
    """Run the services until a signal ends them."""
    conf = cfg.CONF
    log.register_options(conf)
    conf(sys.argv[1:], project="manila", version=version.version_string())
    config.verify_share_protocols()
    log.setup(conf, "manila")
    scheduler = service.Service.create(binary="manila-scheduler", coordination=True)
    shares = [
        service.Service.create(host=f"{conf.host}@{backend}", service_name=backend, binary="manila-share")
        for backend in conf.enabled_share_backends
    ]
    oslo_service.launch(conf, Services(scheduler, *shares, service.WSGIService("osapi_share"))).wait()


if __name__ == "__main__":
    main()
