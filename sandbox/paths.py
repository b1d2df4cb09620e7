"""Where the sandbox keeps its files.

The machine has one sandbox, whatever checkout drives it, so its data do not lie in the checkout.
"""

import os
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).resolve().parent.parent
"""The project's root: the directory that holds `sandbox/`."""

HOME: Final = Path(os.environ.get("RSP_SANDBOX_HOME") or "/var/lib/rsp-sandbox")
"""Everything that the sandbox writes, but for the tools; `reset` removes it."""

ETC: Final = HOME / "etc"
"""Configuration files of the services, written anew by each `up`."""

LOG: Final = HOME / "log"
"""One log a process: `<name>.log`."""

RUN: Final = HOME / "run"
"""One record a running process, and the sockets."""

DATA: Final = HOME / "data"
"""One directory a service: databases, images, volumes, objects."""

LIB: Final = HOME / "lib"
"""Python packages that Debian's Python needs beside its own: the drivers and the OVN provider."""

CLUSTERS: Final = HOME / "clusters"
"""One directory a Magnum cluster, named by its UUID."""

GIT: Final = HOME / "git" / "phalanx.git"
"""The bare repository that Argo CD and the program read."""

STACKS: Final = HOME / "stacks"
"""The Pulumi CLI's backend: states, locks and histories of the stacks."""

VAULT: Final = HOME / "vault"
"""OpenBao's data, unseal key and operator token; mode 0700."""

CLOUDS_YAML: Final = HOME / "clouds.yaml"
"""The clouds `admin` and `rsp` for openstacksdk and every other client; mode 0600."""

CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rsp-sandbox"
"""What survives a reset and a fresh clone: the tools, by version."""
