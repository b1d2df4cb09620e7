"""Configuration files of the services, rendered from templates.

Each template `templates/NAME.j2` becomes `ETC/NAME`. `common.j2` contains sections that several services share.
"""

import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sandbox import paths
from sandbox.cloud import passwords
from sandbox.files import write_atomically
from sandbox.ports import LOOPBACK, Port

REGION: Final = "RegionOne"
HOST: Final = "hypervisor"
"""Name of the one host; Nova, Neutron, Cinder and OVN must use the same."""
PHYSICAL_NETWORK: Final = "physnet1"
VOLUME_BACKEND: Final = "files"
DEFAULT_VOLUME_TYPE: Final = "ceph-hdd"
SHARE_BACKEND: Final = "cephfs"
DEFAULT_SHARE_TYPE: Final = "cephfs-nfs"
SHARE_PROTOCOLS: Final = ("NFS", "CEPHFS")

_CLUSTER_COMMAND: Final = (
    *("/usr/bin/env", f"--chdir={paths.CHECKOUT}", "--unset=PYTHONPATH"),  # PYTHONPATH is for Debian's Python
    *(f"RSP_SANDBOX_HOME={paths.HOME}", f"XDG_CACHE_HOME={paths.CACHE.parent}", f"HOME={Path.home()}"),
    # Not sys.executable: it differs between `python` and `python3`, and a change restarts Magnum.
    *(f"{sys.prefix}/bin/python", "-m", "sandbox", "cluster"),
)
"""Command by which the Magnum driver runs `sandbox.cluster` in this project's virtual environment."""

_TEMPLATES: Final = Path(__file__).parent / "templates"

_OWNERS: Final = {"rabbitmq.conf": "rabbitmq", "mariadb.cnf": "mysql"}
"""Users who read a configuration file; root reads the others."""


def path(name: str) -> Path:
    """Return the path of a configuration file, for example `nova.conf` or `swift/proxy-server.conf`."""
    return paths.ETC / name


def write() -> None:
    """Write all configuration files; files whose content has not changed are left alone."""
    for name, text in render(passwords.load()).items():
        file = path(name)
        write_atomically(file, text)
        if owner := _OWNERS.get(name):
            shutil.chown(file, owner, owner)
    # The files themselves are readable by their owners only.
    for directory in (paths.ETC, *(each for each in paths.ETC.rglob("*") if each.is_dir())):
        directory.chmod(0o711)


def render(password: Mapping[str, str]) -> dict[str, str]:
    """Return the text of each configuration file by its name.

    Args:
        password: Passwords by the names in `passwords.NAMES`.
    """
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - configuration files, not HTML
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    variables: dict[str, Any] = {
        "password": password,
        "port": Port,
        "loopback": LOOPBACK,
        "region": REGION,
        "host": HOST,
        "physical_network": PHYSICAL_NETWORK,
        "volume_backend": VOLUME_BACKEND,
        "share_backend": SHARE_BACKEND,
        "share_protocols": SHARE_PROTOCOLS,
        "default_share_type": DEFAULT_SHARE_TYPE,
        "default_volume_type": DEFAULT_VOLUME_TYPE,
        "etc": paths.ETC,
        "data": paths.DATA,
        "clusters_directory": paths.CLUSTERS,
        "cluster_command": shlex.join(_CLUSTER_COMMAND),
    }
    names = environment.list_templates(filter_func=lambda name: not name.endswith("common.j2"))
    return {name.removesuffix(".j2"): environment.get_template(name).render(variables) for name in names}
