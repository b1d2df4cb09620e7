"""Kubeconfigs for Python's Kubernetes client, which wants certificates and keys in files."""

import base64
import copy
from pathlib import Path
from typing import Any

from sandbox.files import write_atomically


def with_files(kubeconfig: dict[str, Any], directory: Path) -> dict[str, Any]:
    """A kubeconfig with its certificates and keys in files of mode 0600.

    Left to itself the client makes such files among everybody's temporary ones, and leaves them there if it is killed.

    Args:
        kubeconfig: The document, which stays as it is.
        directory: Where to put the files, under names that are always the same; made with mode 0700.
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
