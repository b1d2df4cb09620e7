"""The machine must be one that the sandbox can run on."""

import os
import platform

from sandbox.errors import SandboxError


def require_supported() -> None:
    """Refuse any machine but Debian 12, and any user but root.

    Raises:
        SandboxError: In one sentence, with what is there and what is needed.
    """
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    found = (release.get("ID"), release.get("VERSION_ID"))
    if found != ("debian", "12"):
        name = release.get("PRETTY_NAME", platform.platform())
        raise SandboxError(
            f"The sandbox needs root on Debian 12 (its OpenStack packages), and this is {name}: "
            "use a virtual machine or a container of Debian 12."
        )
    if os.geteuid() != 0:
        raise SandboxError("The sandbox needs root on Debian 12, and you are not root: use `sudo`.")
