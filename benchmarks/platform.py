"""Measure the program in the sandbox with the Pulumi CLI: previews without changes, and `up` after a destroy.

The sandbox must be up (`make up`). Resources that are not protected are destroyed and created again.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from sandbox import environment, paths

RUNS = 5
STACK = "sandbox"
PREVIEW_GOAL = 2.5
"""Maximum time of a preview without changes, as a multiple of that of a program with the SDKs and plugins alone."""
UP_GOAL = 1.10
"""Maximum time of `up`, as a multiple of its critical path."""

_PROJECT = "name: benchmark\nruntime: {name: python, options: {toolchain: pip, virtualenv: .venv}}\n"

_SDKS = """
import pulumi_kubernetes as kubernetes
import pulumi_openstack as openstack
import pulumi_vault as vault

kubernetes.Provider("kubernetes", render_yaml_to_directory="rendered")
openstack.Provider("openstack", cloud="rsp")
vault.Provider("vault", address="http://127.0.0.1:8200", skip_child_token=True)
# The packages are imported when an attribute is used.
(kubernetes.apiextensions.CustomResource, kubernetes.core.v1.Secret, kubernetes.helm.v3.Release)
(kubernetes.meta.v1.ObjectMetaArgs, kubernetes.storage.v1.StorageClass, vault.kv.SecretV2)
(openstack.blockstorage.Volume, openstack.compute.Instance, openstack.containerinfra.Cluster)
(openstack.identity.Ec2CredentialV3, openstack.images.get_image_ids, openstack.loadbalancer.LoadBalancer)
(openstack.networking.Network, openstack.objectstorage.Container)
"""
"""A program that imports what this one imports of the SDKs, and starts the same plugins."""


def main() -> bool:
    """Print the tables and return whether the goals are met."""
    with environment.exported():
        empty, sdks = _program(""), _program(_SDKS)
        preview, refreshed = (_median(paths.CHECKOUT, *_preview(), *more) for more in ((), ("--refresh",)))
        up, path = _up_from_nothing()
    critical = sum(seconds for _, seconds in path)
    machine = f"{os.cpu_count()} processors, Linux {platform.release()}"
    table = Table("sandbox", title=f"Whole program, previews as medians of {RUNS} runs ({machine})")
    table.add_column("seconds", justify="right")
    table.add_column("factor", justify="right")
    table.add_column("goal", justify="right")
    table.add_row("preview of an empty program", f"{empty:.2f}", f"{empty / sdks:.2f}")
    table.add_row("preview of a program with the SDKs and plugins alone", f"{sdks:.2f}", "1.00")
    table.add_row("preview without changes", f"{preview:.2f}", f"{preview / sdks:.2f}", f"{PREVIEW_GOAL:.1f}")
    table.add_row("preview --refresh without changes", f"{refreshed:.2f}", f"{refreshed / sdks:.2f}")
    table.add_row("critical path of `up`", f"{critical:.1f}")
    table.add_row("`up` after a destroy", f"{up:.1f}", f"{up / critical:.2f}", f"{UP_GOAL:.2f}")
    Console().print(table)
    steps = Table("critical path of `up`", box=None)
    steps.add_column("seconds", justify="right")
    for name, seconds in path:
        if seconds >= 1:
            steps.add_row(name, f"{seconds:.1f}")
    Console().print(steps)
    return preview / sdks <= PREVIEW_GOAL and up / critical <= UP_GOAL


def critical_path(resources: Collection[Mapping[str, Any]], seconds: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return the dependency chain of resources that takes longest.

    Args:
        resources: Resources of a state (`pulumi stack export`).
        seconds: Duration of each operation, by URN.

    Returns:
        Logical name and seconds of each resource on the path, in order.
    """
    needs = {each["urn"]: _needed(each) for each in resources}
    # A component, the stack included, lasts as long as all that is in it, but its registration takes no time.
    own = {each["urn"]: seconds.get(each["urn"], 0.0) if each.get("custom") else 0.0 for each in resources}

    @cache
    def longest(urn: str) -> tuple[float, tuple[str, ...]]:
        before = max((longest(each) for each in needs.get(urn, ())), default=(0.0, ()))
        return before[0] + own.get(urn, 0.0), (*before[1], urn)

    _, path = max(map(longest, needs))
    return [(urn.rpartition("::")[2], own.get(urn, 0.0)) for urn in path]


def _needed(resource: Mapping[str, Any]) -> set[str]:
    """Return the URNs that must exist before a resource is created.

    Among them is its component, which is registered once that which the component itself depends on exists.
    """
    provider = resource.get("provider", "").rpartition("::")[0]
    needed = {*(resource.get("dependencies") or []), provider, resource.get("parent", "")}
    return needed - {"", resource["urn"]}


def _up_from_nothing() -> tuple[float, list[tuple[str, float]]]:
    """Destroy what is not protected, create it again, and return the seconds of `up` and its critical path."""
    _pulumi(paths.CHECKOUT, "destroy", "--yes", "--skip-preview", "--exclude-protected", f"--stack={STACK}")
    # The sandbox's command measures each operation.
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "up", "--json", "--stack", STACK],
        cwd=paths.CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    outcome = json.loads(done.stdout)
    seconds = {step["urn"]: step["seconds"] or 0.0 for step in outcome["steps"]}
    state = json.loads(_pulumi(paths.CHECKOUT, "stack", "export", f"--stack={STACK}"))
    return outcome["seconds"], critical_path(state["deployment"]["resources"], seconds)


def _program(text: str) -> float:
    """Return the seconds of a preview of a program."""
    with tempfile.TemporaryDirectory(prefix="rsp-benchmark-") as directory:
        project = Path(directory)
        (project / "Pulumi.yaml").write_text(_PROJECT)
        (project / "__main__.py").write_text(text)
        (project / ".venv").symlink_to(paths.CHECKOUT / ".venv")
        _pulumi(project, "stack", "init", STACK)
        try:
            return _median(project, "preview", f"--stack={STACK}")
        finally:
            _pulumi(project, "stack", "rm", "--yes", STACK)


def _preview() -> tuple[str, ...]:
    return ("preview", "--expect-no-changes", f"--stack={STACK}")


def _median(project: Path, *arguments: str) -> float:
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        _pulumi(project, *arguments)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def _pulumi(project: Path, *arguments: str) -> str:
    """Run the CLI and return its standard output.

    Raises:
        subprocess.CalledProcessError: The CLI failed.
    """
    command = ("pulumi", *arguments, "--non-interactive")
    return subprocess.run(command, cwd=project, stdout=subprocess.PIPE, text=True, check=True).stdout
