"""Kubeconfigs for Python's Kubernetes client, which reads certificates and keys from files."""

import base64
import copy
from pathlib import Path
from typing import Any

from sandbox.files import write_atomically


def with_files(kubeconfig: dict[str, Any], directory: Path) -> dict[str, Any]:
    """Return a copy of a kubeconfig whose certificates and keys are in files of mode 0600.

    Otherwise the client would write them to the shared temporary directory, and leave them there if it is killed.

    Args:
        kubeconfig: Kubeconfig with embedded data; it is not changed.
        directory: Directory for the files, whose names are stable; created with mode 0700.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    document = copy.deepcopy(kubeconfig)
    for section, part in (("clusters", "cluster"), ("users", "user")):
        for number, each in enumerate(document.get(section) or []):
            entry = each[part]
            for name in [name for name in entry if name.endswith("-data")]:
                file = directory / f"{part}-{number}-{name.removesuffix('-data')}.pem"
                write_atomically(file, base64.b64decode(entry.pop(name)).decode())
                entry[name.removesuffix("-data")] = str(file)
    return document
