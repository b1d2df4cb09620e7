"""The sandbox's cloud: idempotent, repairable, private and with a correct status."""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import openstack
import pytest
from openstack.connection import Connection

from config.names import cloud_name
from sandbox import paths


def _sandbox(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments], cwd=paths.CHECKOUT, text=True, capture_output=True, check=False
    )


def _status() -> dict[str, dict[str, Any]]:
    return {row["service"]: row for row in json.loads(_sandbox("cloud", "status", "--json").stdout)}


@pytest.mark.usefixtures("program")
class TestCloud:
    """The cloud under a deployed stack."""

    def test_all_services_run(self) -> None:
        rows = _status()
        assert {"keystone", "neutron-server", "nova-api", "cinder-api", "magnum-api", "octavia-api", "vault"} <= set(
            rows
        )
        assert {name: row["state"] for name, row in rows.items() if row["state"] != "running"} == {}

    def test_a_second_up_takes_seconds(self) -> None:
        begun = time.monotonic()
        again = _sandbox("cloud", "up")
        assert again.returncode == 0, again.stdout + again.stderr
        assert time.monotonic() - begun < 60

    @pytest.mark.parametrize("service", ["keystone", "neutron-server", "nova-compute", "vault", "rabbitmq"])
    def test_a_killed_service_is_restarted(self, service: str, tenant: Connection) -> None:
        pid = _status()[service]["pid"]
        os.kill(pid, signal.SIGKILL)
        repaired = _sandbox("cloud", "up")
        assert repaired.returncode == 0, repaired.stdout + repaired.stderr
        rows = _status()
        assert rows[service]["state"] == "running"
        assert rows[service]["pid"] != pid
        assert list(tenant.network.networks())

    def test_a_server_can_be_stopped_after_a_restart_of_its_host(self, tenant: Connection) -> None:
        # Depends on the kill of nova-compute above.
        (server,) = tenant.compute.servers(name=f"^{cloud_name('sandbox', 'nfs')}$")
        tenant.compute.stop_server(server)
        tenant.compute.wait_for_server(server, status="SHUTOFF", wait=60)
        tenant.compute.start_server(server)
        tenant.compute.wait_for_server(server, status="ACTIVE", wait=60)

    def test_processes_listen_on_loopback_only(self) -> None:
        import psutil

        ours = {row["pid"] for row in _status().values() if row["pid"]}
        exposed = [
            (address.ip, address.port)
            for connection in psutil.net_connections(kind="tcp")
            if connection.status == psutil.CONN_LISTEN and connection.pid and os.getsid(connection.pid) in ours
            if (address := connection.laddr) and address.ip not in {"127.0.0.1", "::1"}
        ]
        assert exposed == []

    def test_the_tenant_is_not_an_administrator(self, tenant: Connection) -> None:
        with pytest.raises(openstack.exceptions.ForbiddenException):
            tenant.list_projects()

    def test_files_with_passwords_are_readable_by_root_only(self) -> None:
        for file in (paths.CLOUDS_YAML, paths.VAULT / "operator-token"):
            assert file.stat().st_mode & 0o077 == 0, file
