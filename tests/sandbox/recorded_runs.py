"""Record the runs of the Pulumi CLI that the tests of `review` read: ``python -m tests.sandbox.recorded_runs``.

Requires `make up`; nothing is deployed. Each run is a preview of the sandbox's stack with one change, and is written to
``tests/unit/review/data``: the event log, without what the report does not use, and the output of ``--diff``.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import openstack
from pydantic import SecretStr

from config.names import cloud_name
from review.changes import APPLICATION, VAULT_SECRET
from review.run import STACK_TYPE
from sandbox import environment, paths
from tests.sandbox.branches import branch, replace
from tests.sandbox.configuration import vary

DATA: Final = paths.CHECKOUT / "tests" / "unit" / "review" / "data"
STACK: Final = "sandbox"
NEW_STACK: Final = "new"

_STATE_KEYS: Final = ("type", "urn", "protect", "retainOnDelete")
_USED: Final = {STACK_TYPE: "outputs", APPLICATION: "inputs", VAULT_SECRET: "inputs"}
"""Which properties of a resource are kept, by its type."""


def main() -> None:
    """Record all runs."""
    DATA.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        record("unchanged")
        without_portal = replace("environments/values-sandbox.yaml", "  portal: true\n", "")
        with branch(directory, "without-portal", without_portal, "Disable portal") as revision:
            record("application-deleted", _config(directory, phalanx={"revision": revision}))
        with branch(directory, "other-squareone", _comment, "Change squareone") as revision:
            record("application-changed", _config(directory, phalanx={"revision": revision}))
        record("server-replaced", _config(directory, nfs={"volumes": {"jhome": {"rootSquash": True}}}))
        hook = SecretStr("https://hooks.example.org/planted")
        changed = _config(
            directory,
            secrets={"applications": {"mobu": {"ALERT_HOOK": hook}}},
            objectStore={"bucket": "results"},
        )
        record("refused", changed)
        missing_type = {"storageClasses": {"ssd": {"volumeType": "no-such-type"}}}
        record("failed", _config(directory, phalanx={"revision": "no-such-branch"}, applications=missing_type))
        with _drift():
            record("drift", None, "--refresh")
            (DATA / "drift.txt").unlink()  # 10,000 lines of what the refresh has read
        existing = {"mount": "existing", "approle": {"ownership": "existing"}}
        with _new_stack(directory) as variables:
            record("created", _config(directory, vault=existing), stack=NEW_STACK, variables=variables)


def record(
    name: str,
    config: Path | None = None,
    *arguments: str,
    stack: str = STACK,
    variables: Mapping[str, str] | None = None,
) -> None:
    """Run a preview, and write its event log and its output."""
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "events"
        varied = [f"--config-file={config}"] if config else []
        options = ["--stack", stack, "--diff", "--color=never", f"--event-log={log}", *varied, *arguments]
        done = subprocess.run(
            ["pulumi", "preview", *options],
            cwd=paths.CHECKOUT,
            env={**_environment(), "PULUMI_DEBUG_COMMANDS": "true", **(variables or {})},
            text=True,
            stdout=subprocess.PIPE,
            check=False,
        )
        events = _trimmed(json.loads(line) for line in log.read_text().splitlines())
    (DATA / f"{name}.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in events))
    (DATA / f"{name}.txt").write_text(done.stdout)
    print(f"{name}: exit status {done.returncode}, {len(events)} events")  # noqa: T201


def _trimmed(events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the events without what differs between runs or is not used."""
    found = [trimmed for event in events if (trimmed := _trim(event))]
    ended = {_operation(each["resOutputsEvent"]) for each in found if "resOutputsEvent" in each}
    return [each for each in found if _operation(each.get("resourcePreEvent")) not in ended]


def _operation(event: Mapping[str, Any] | None) -> tuple[str, str] | None:
    return (event["metadata"]["op"], event["metadata"]["urn"]) if event else None


def _trim(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return an event without what is not used; empty if nothing remains."""
    trimmed = {key: value for key, value in event.items() if key not in {"sequence", "timestamp", "preludeEvent"}}
    if trimmed.get("diagnosticEvent", {}).get("severity") == "debug":
        return {}
    for value in trimmed.values():
        if metadata := value.get("metadata"):
            if metadata["op"] in {"same", "refresh"} and metadata["type"] != STACK_TYPE:
                return {}
            for side in ("old", "new"):
                if state := metadata.get(side):
                    kept = (*_STATE_KEYS, _USED.get(metadata["type"]))
                    metadata[side] = {key: state[key] for key in kept if key in state}
    return trimmed


def _config(directory: Path, **changes: Any) -> Path:
    return vary(directory / f"{len(list(directory.iterdir()))}.yaml", changes)


def _comment(tree: Path) -> None:
    file = tree / "applications" / "squareone" / "values.yaml"
    file.write_text(f"{file.read_text()}\n# Changed.\n")


@contextmanager
def _drift() -> Iterator[None]:
    """Change the description of a security group, and restore it afterwards."""
    with environment.exported(), openstack.connect(cloud="rsp") as cloud:
        group = cloud.network.find_security_group(cloud_name(STACK, "nfs"), ignore_missing=False)
        before = group.description
        cloud.network.update_security_group(group, description="Changed by hand")
        try:
            yield
        finally:
            cloud.network.update_security_group(group, description=before)


@contextmanager
def _new_stack(directory: Path) -> Iterator[Mapping[str, str]]:
    """Create an empty stack in a backend of its own, and yield the variables that select it."""
    backend = directory / "backend"
    backend.mkdir()
    variables = {"PULUMI_BACKEND_URL": f"file://{backend}"}
    try:
        subprocess.run(
            ["pulumi", "stack", "init", NEW_STACK, "--non-interactive"],
            cwd=paths.CHECKOUT,
            env={**_environment(), **variables},
            check=True,
        )
        yield variables
    finally:
        (paths.CHECKOUT / f"Pulumi.{NEW_STACK}.yaml").unlink(missing_ok=True)


def _environment() -> dict[str, str]:
    return {**os.environ, **environment.variables()}


if __name__ == "__main__":
    main()
