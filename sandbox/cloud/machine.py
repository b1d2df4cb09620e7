"""Requirements for the machine."""

import os
import platform

from sandbox.errors import SandboxError


def require_supported() -> None:
    """Check that this is Debian 12 and that the user is root.

    Raises:
        SandboxError: A requirement is not met.
    """
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    found = (release.get("ID"), release.get("VERSION_ID"))
    if found != ("debian", "12"):
        name = release.get("PRETTY_NAME", platform.platform())
        raise SandboxError(
            f"the sandbox requires Debian 12, for its OpenStack packages, but this is {name}: "
            "use a virtual machine or a container with Debian 12"
        )
    if os.geteuid() != 0:
        raise SandboxError("the sandbox requires root on Debian 12: run the command as root")
