"""Measure how a preview of the whole program grows with the number of node groups, volumes and applications.

The sandbox must be up (`make up`). The previewed stack is new, so that everything would be created; nothing is.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

import yaml
from rich.console import Console
from rich.table import Table

from benchmarks.preview import GOAL_MEMORY, GOAL_TIME, Preview, run
from config.names import PROJECT
from sandbox import environment, git, paths

RUNS: Final = 3
"""Number of runs, of which the fastest counts: other processes only ever add to the time."""
FACTOR: Final = 10
_STACK: Final = "growth"
_COPIED: Final = "portal"
"""Application of which copies are added: it has secrets, an ingress, and a chart that it depends on."""
_TEMPLATE: Final = Path("environments", "templates", "applications", "rsp", f"{_COPIED}.yaml")
_IDENTITY: Final = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost")


def measure(factor: int) -> tuple[int, Preview]:
    """Preview a new stack with ``factor`` times the sandbox's node groups, volumes and applications.

    Returns:
        Number of resources that would be created, and the fastest run.

    Raises:
        subprocess.CalledProcessError: A command failed.
    """
    with tempfile.TemporaryDirectory(prefix="rsp-benchmark-") as directory:
        state = Path(directory) / "state"
        state.mkdir(mode=0o700)
        repository = _repository(Path(directory) / "phalanx", factor)
        config = _config(Path(directory) / f"Pulumi.{_STACK}.yaml", repository, factor)
        variables = {**os.environ, **environment.variables(), "PULUMI_BACKEND_URL": state.as_uri()}
        run(("stack", "init", _STACK), paths.CHECKOUT, variables)
        # Created with the stack; the configuration has its own.
        (paths.CHECKOUT / f"Pulumi.{_STACK}.yaml").unlink()
        preview = ("preview", f"--stack={_STACK}", f"--config-file={config}")
        runs = [run(preview, paths.CHECKOUT, variables) for _ in range(RUNS)]
    fastest = min(runs, key=lambda each: each.total)
    found = re.search(r"\+ (\d+) to create", fastest.output)
    return int(found[1]) if found else 0, fastest


def main() -> bool:
    """Print the table and return whether the goals are met."""
    (small_count, small), (large_count, large) = (measure(factor) for factor in (1, FACTOR))
    title = f"Preview of a new stack, fastest of {RUNS} runs; {FACTOR} times the node groups, volumes and applications"
    table = Table("resources", title=title)
    for heading in ("seconds", "processor seconds", "MiB"):
        table.add_column(heading, justify="right")
    for count, each in ((small_count, small), (large_count, large)):
        table.add_row(str(count), f"{each.total:.1f}", f"{each.processor:.1f}", f"{each.memory / 2**20:.0f}")
    time, memory = large.total / small.total, large.memory / small.memory
    met = time <= GOAL_TIME and memory <= GOAL_MEMORY
    table.add_section()
    table.add_row(
        "factor, at most",
        f"{time:.1f} of {GOAL_TIME:.0f}",
        "",
        f"{memory:.1f} of {GOAL_MEMORY:.0f}",
        style=None if met else "red",
    )
    Console().print(table)
    return met


def _repository(tree: Path, factor: int) -> str:
    """Create a repository with the sandbox's applications and copies of one of them, and return its URL."""
    git.checkout(tree)
    values_file = tree / "environments" / "values.yaml"
    values = yaml.safe_load(values_file.read_text())
    for number in range((factor - 1) * len(list((tree / "applications").iterdir()))):
        name = f"{_COPIED}{number:03}"
        shutil.copytree(tree / "applications" / _COPIED, tree / "applications" / name)
        chart = tree / "applications" / name / "Chart.yaml"
        chart.write_text(chart.read_text().replace(f"name: {_COPIED}\n", f"name: {name}\n"))
        template = (tree / _TEMPLATE).read_text()
        (tree / _TEMPLATE.with_name(f"{name}.yaml")).write_text(template.replace(f'"{_COPIED}"', f'"{name}"'))
        values["applications"][name] = True
    values_file.write_text(yaml.safe_dump(values))
    _git("init", "--quiet", "--initial-branch=main", str(tree))
    _git("-C", str(tree), "add", "--all", "--force")
    _git("-C", str(tree), *_IDENTITY, "commit", "--quiet", "--message=Copies")
    return tree.as_uri()


def _config(file: Path, repository: str, factor: int) -> Path:
    """Write the sandbox's configuration with more node groups and volumes."""
    document = yaml.safe_load((paths.CHECKOUT / "Pulumi.sandbox.yaml").read_text())
    config = document["config"]
    for cluster in config[f"{PROJECT}:clusters"].values():
        cluster["nodeGroups"] = _times(cluster["nodeGroups"], factor)
    config[f"{PROJECT}:nfs"]["volumes"] = _times(config[f"{PROJECT}:nfs"]["volumes"], factor)
    config[f"{PROJECT}:phalanx"]["repository"] = repository
    # The tenant's quotas are too small for ten times as much; with it, that is only a warning.
    config[f"{PROJECT}:enforcePreflight"] = False
    file.write_text(yaml.safe_dump(document, sort_keys=False))
    return file


def _times(named: dict[str, Any], factor: int) -> dict[str, Any]:
    return {f"{name}{'' if number == 0 else number}": each for number in range(factor) for name, each in named.items()}


def _git(*arguments: str) -> None:
    subprocess.run(("git", *arguments), check=True)
