"""Measure how the time and memory of a preview without changes grow with the number of applications.

The stack consists of SecretStore, with its own OpenBao, for 10 and for 100 of Phalanx's applications.
"""

import os
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import hvac
import hvac.exceptions
import requests
from rich.console import Console
from rich.table import Table

from sandbox import tools

CHECKOUT = Path(__file__).parents[1]
PHALANX = CHECKOUT / "tests" / "conformance" / "data" / "upstream"
SIZES = (10, 100)
"""Numbers of applications."""
RUNS = 5
GOAL_TIME, GOAL_MEMORY = 10.0, 3.0
"""Maximum factors in time and memory for ten times as many applications."""

_START = 30
"""Seconds to wait until OpenBao answers."""


class Preview(NamedTuple):
    """Measurements of one run."""

    total: float
    """Wall-clock time in seconds."""
    processor: float
    """Processor time of the CLI, the program and the plugins in seconds."""
    memory: int
    """Peak resident memory of the largest of these processes in bytes."""
    output: str
    """Output of the CLI."""


@contextmanager
def openbao() -> Iterator[Mapping[str, str]]:
    """Run an OpenBao with in-memory storage for the ``with`` block; yield the environment variables for its clients."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    token = secrets.token_hex(16)
    server = subprocess.Popen(
        (Path(sys.executable).parent / "bao", "server", "-dev", "-dev-no-store-token"),
        env={**os.environ, "BAO_DEV_LISTEN_ADDRESS": address, "BAO_DEV_ROOT_TOKEN_ID": token},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(hvac.Client(url=f"http://{address}", token=token), server)
        yield {"VAULT_ADDR": f"http://{address}", "VAULT_TOKEN": token}
    finally:
        server.kill()
        server.wait()


def measure(applications: int) -> list[Preview]:
    """Deploy the stack once, then preview it `RUNS` times.

    Raises:
        subprocess.CalledProcessError: A run failed, or a preview has changes.
    """
    with tempfile.TemporaryDirectory(prefix="rsp-benchmark-") as directory, openbao() as vault:
        project = Path(directory) / "project"
        shutil.copytree(CHECKOUT / "benchmarks" / "project", project)
        (project / ".venv").symlink_to(CHECKOUT / ".venv")
        (project / "state").mkdir(mode=0o700)
        environment = {
            **os.environ,
            **vault,
            "BENCHMARK_APPLICATIONS": str(applications),
            "BENCHMARK_PHALANX": str(PHALANX),
            "PYTHONPATH": str(CHECKOUT),
            "PULUMI_BACKEND_URL": (project / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "benchmark",
            "PULUMI_HOME": str(tools.pulumi_home()),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PATH": os.pathsep.join([str(tools.bin_dir()), os.environ.get("PATH", os.defpath)]),
        }
        for command in (("stack", "init", "bench"), ("up", "--stack=bench", "--yes", "--skip-preview")):
            run(command, project, environment)
        return [run(("preview", "--stack=bench", "--expect-no-changes"), project, environment) for _ in range(RUNS)]


def run(arguments: tuple[str, ...], project: Path, environment: Mapping[str, str]) -> Preview:
    """Run the CLI in a project, and return its measurements.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    command = ("pulumi", *arguments, "--non-interactive")
    with tempfile.TemporaryFile("w+") as log:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environment, cwd=project, stdout=log, stderr=subprocess.STDOUT)
        # The usage includes children of the CLI that it has waited for.
        _, status, used = os.wait4(process.pid, 0)
        total = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        log.seek(0)
        output = log.read()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output=output)
    return Preview(total, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, output)


def _wait_until_ready(client: hvac.Client, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START
    while True:
        try:
            if not client.sys.is_sealed():
                return
        except (requests.RequestException, hvac.exceptions.VaultError):
            if server.poll() is not None or time.monotonic() > end:
                raise
        time.sleep(0.05)


def main() -> bool:
    """Print the table and return whether the goals are met."""
    tools.ensure()
    title = f"No-change preview of the secrets, median of {RUNS} runs"
    table = Table("applications", title=title)
    for heading in ("seconds", "slowest", "processor seconds", "MiB"):
        table.add_column(heading, justify="right")
    found = {size: measure(size) for size in SIZES}
    for size, runs in found.items():
        table.add_row(
            str(size),
            f"{_median(runs, 'total'):.2f}",
            f"{max(each.total for each in runs):.2f}",
            f"{_median(runs, 'processor'):.2f}",
            f"{_median(runs, 'memory') / 2**20:.0f}",
        )
    small, large = (found[size] for size in SIZES)
    time_factor = _median(large, "total") / _median(small, "total")
    memory_factor = _median(large, "memory") / _median(small, "memory")
    met = time_factor <= GOAL_TIME and memory_factor <= GOAL_MEMORY
    table.add_section()
    factors = (f"{time_factor:.1f} of {GOAL_TIME:.0f}", "", "", f"{memory_factor:.1f} of {GOAL_MEMORY:.0f}")
    table.add_row("factor, at most", *factors, style=None if met else "red")
    Console().print(table)
    return met


def _median(runs: list[Preview], what: str) -> float:
    return float(statistics.median(getattr(each, what) for each in runs))
