"""Paths of the sandbox's files.

A machine has one sandbox, shared by all checkouts, so its data are outside of the checkout.
"""

import os
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parent.parent
"""The root of the project: the parent of `sandbox/`."""

HOME: Final = Path(os.environ.get("RSP_SANDBOX_HOME") or "/var/lib/rsp-sandbox")
"""Directory of all data except for the tools; `cloud reset` deletes them."""

ETC: Final = HOME / "etc"
"""Configuration files of the services, written by each `up`."""

LOG: Final = HOME / "log"
"""Log of each process: `<name>.log`."""

RUN: Final = HOME / "run"
"""Record of each running process, and sockets."""

DATA: Final = HOME / "data"
"""Data of each service: databases, images, volumes, objects."""

LIB: Final = HOME / "lib"
"""Python packages that Debian's Python needs in addition: the drivers and the OVN provider."""

CLUSTERS: Final = HOME / "clusters"
"""Directory of each Magnum cluster, named by its UUID."""

GIT: Final = HOME / "git" / "phalanx.git"
"""The bare Git repository that Argo CD and the program read."""

STACKS: Final = HOME / "stacks"
"""The Pulumi CLI's backend: states, locks and history of the stacks."""

VAULT: Final = HOME / "vault"
"""OpenBao's data, unseal key and operator token; mode 0700."""

CLOUDS_YAML: Final = HOME / "clouds.yaml"
"""Clients' configuration with the clouds `admin`, `rsp` and `rsp-reader`; mode 0600."""

CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rsp-sandbox"
"""Tools by version; a reset does not delete them, and all checkouts share them."""
