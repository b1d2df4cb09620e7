"""Provider plugins that outlive a killed CLI and may still be creating resources."""

import os
from pathlib import Path

import psutil

_SECONDS = 10
"""Seconds for a plugin to exit after SIGTERM, before it is killed."""


def abandoned(directory: Path) -> list[psutil.Process]:
    """Return this user's provider plugins that run in a project's directory without a CLI.

    The CLI starts plugins in their own process groups, and a killed one leaves them to the init process. They notice
    that only after minutes.
    """
    found = []
    for process in psutil.process_iter():
        try:
            is_plugin = process.name().startswith("pulumi-resource-") and process.uids().real == os.getuid()
            if is_plugin and _is_orphan(process) and Path(process.cwd()) == directory.resolve():
                found.append(process)
        except psutil.Error:  # it has exited in the meantime
            continue
    return found


def end(plugins: list[psutil.Process]) -> None:
    """Terminate plugins and wait until they have exited."""
    for signal in (psutil.Process.terminate, psutil.Process.kill):
        for each in plugins:
            try:
                signal(each)
            except psutil.NoSuchProcess:
                continue
        _, plugins = psutil.wait_procs(plugins, timeout=_SECONDS)


def _is_orphan(process: psutil.Process) -> bool:
    """Return whether the parent is the init process, of the system or of the user's session."""
    parent = process.parent()
    return parent is None or parent.pid == 1 or parent.name() == "systemd"
