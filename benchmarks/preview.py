"""How long a preview without changes takes for the secrets of the largest environment there can be.

A stack of SecretStore alone, every application of Phalanx enabled, on an OpenBao of its own; by the sandbox's engine
and, where it is on PATH, by the Pulumi CLI.
"""

import json
import os
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import hvac
import hvac.exceptions
import requests
from rich.console import Console
from rich.table import Table

CHECKOUT = Path(__file__).parents[1]
PHALANX = CHECKOUT / "tests" / "conformance" / "data" / "upstream"
RUNS = 5
GOAL = 2.0
"""Seconds from the start of the process to its end."""

_START = 30
"""Seconds that OpenBao may take until it answers."""


class Preview(NamedTuple):
    """One run."""

    total: float
    """Seconds from the start of the process to its end."""
    part: float | None
    """Seconds from the program's first line to its last resource; None where the runner does not tell."""
    processor: float
    """Seconds of processor time, which other programs of the machine do not lengthen."""
    memory: int
    """The most that the process ever had in memory, in bytes."""


@dataclass(frozen=True)
class Runner:
    """Something that runs a program."""

    name: str
    command: Callable[[str, Path], tuple[str | Path, ...]]
    """A command line, of ``up`` or ``preview`` and the project."""


ENGINE = Runner("sandbox's engine", lambda verb, project: (sys.executable, "-m", "benchmarks.engine", verb, project))
CLI = Runner(
    "Pulumi CLI",
    lambda verb, project: (
        *("pulumi", verb, "--cwd", project, "--stack", "bench", "--non-interactive", "--json"),
        *(("--yes", "--skip-preview") if verb == "up" else ("--expect-no-changes",)),
    ),
)


@contextmanager
def openbao() -> Iterator[Mapping[str, str]]:
    """An OpenBao that keeps everything in memory, for as long as the ``with`` block; the variables that lead there."""
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


def measure(runner: Runner) -> list[Preview]:
    """Bring the stack up once, then preview it `RUNS` times.

    Raises:
        RuntimeError: A run failed, or a preview showed a change.
    """
    with tempfile.TemporaryDirectory(prefix="rsp-benchmark-") as directory, openbao() as vault:
        project = Path(directory) / "project"
        shutil.copytree(CHECKOUT / "benchmarks" / "project", project)
        (project / "Pulumi.bench.yaml").write_text("config: {}\n")
        (project / "state").mkdir(mode=0o700)
        environment = {
            **os.environ,
            **vault,
            "BENCHMARK_PHALANX": str(PHALANX),
            "PYTHONPATH": str(CHECKOUT),
            "PULUMI_BACKEND_URL": f"file://{project / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "benchmark",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        }
        if runner is CLI:
            subprocess.run(("pulumi", "stack", "init", "bench", "--cwd", project), env=environment, check=True)
        _run(runner.command("up", project), environment)
        return [_run(runner.command("preview", project), environment, changes=0) for _ in range(RUNS)]


def _run(command: tuple[str | Path, ...], environment: Mapping[str, str], changes: int | None = None) -> Preview:
    with tempfile.TemporaryFile("w+") as said:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environment, cwd=CHECKOUT, stdout=said, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        total = time.perf_counter() - started
        said.seek(0)
        text = said.read()
    if process.returncode is None:
        process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise RuntimeError(f"{command} failed:\n{text}")
    told = json.loads(text)
    if told.get("errors") or changes not in {None, told.get("changes", 0)}:
        raise RuntimeError(f"{command} did not end as it should:\n{text}")
    return Preview(total, told.get("seconds"), used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)


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
    """Print the table; tell whether the goal is met."""
    table = Table("run by", title=f"No-change preview of the secrets: median of {RUNS} runs in s, goal {GOAL:.1f} s")
    for heading in ("total", "program", "slowest", "processor", "MiB"):
        table.add_column(heading, justify="right")
    met = True
    for runner in (ENGINE, *([CLI] if shutil.which("pulumi") else [])):
        found = measure(runner)
        total = statistics.median(each.total for each in found)
        parts = [each.part for each in found if each.part is not None]
        numbers = (
            f"{total:.2f}",
            f"{statistics.median(parts):.2f}" if parts else "",
            f"{max(each.total for each in found):.2f}",
            f"{statistics.median(each.processor for each in found):.2f}",
            f"{max(each.memory for each in found) / 2**20:.0f}",
        )
        table.add_row(runner.name, *numbers, style=None if total < GOAL else "red")
        met = met and total < GOAL
    Console().print(table)
    return met
