"""Execution of Git, without prompts and never longer than a time limit."""

import subprocess
from collections.abc import Collection
from typing import Final

from phalanx import git_credentials, processes
from phalanx.errors import CheckoutError
from phalanx.git_addresses import PROTOCOLS
from phalanx.git_credentials import Credentials

TIMEOUT: Final = 300.0
"""Timeout of a command in seconds; a shallow clone of Phalanx takes a few."""


def run(
    *arguments: str,
    problem: str,
    timeout: float = TIMEOUT,
    repository: str = "",
    credentials: Credentials | None = None,
    allowed: Collection[int] = (),
) -> str:
    """Run git and return its output.

    Args:
        arguments: Arguments of git.
        problem: Start of the error message if it fails.
        timeout: Time limit in seconds.
        repository: URL of the repository that the command reads, if it needs the credentials.
        credentials: Credentials of that repository. Only commands that connect to it get them.
        allowed: Exit codes besides 0 that are no failure.

    Raises:
        CheckoutError: git failed; the message ends with git's own.
    """
    # Never prompt for a password; print messages in English; and ignore the repository that a Git hook exports.
    environment = (
        {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}
        | processes.environment()
        | {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS), "LC_ALL": "C"}
    )
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        environment.pop(name, None)
    try:
        with git_credentials.variables(credentials, repository, environment) as added:
            return processes.run(("git", *arguments), env={**environment, **added}, timeout=timeout).stdout
    except FileNotFoundError:
        raise CheckoutError("git is not installed: it is required to fetch the Phalanx repository") from None
    except subprocess.TimeoutExpired:
        raise CheckoutError(f"{problem}: git did not finish within {timeout:.0f} s") from None
    except subprocess.CalledProcessError as error:
        if error.returncode in allowed:
            return str(error.stdout)
        lines = [line.removeprefix("fatal: ") for line in error.stderr.splitlines() if line.strip()]
        reason = lines[0] if lines else f"git exited with {error.returncode}"
        raise CheckoutError(f"{problem}: {git_credentials.redacted(credentials, reason)}{_remedy(reason)}") from None


def _remedy(reason: str) -> str:
    """Return what to do about a server with an untrusted certificate; empty for any other reason."""
    # Messages of libcurl with OpenSSL ("SSL certificate problem: ...") and with GnuTLS.
    if "SSL certificate problem" not in reason and "certificate verification failed" not in reason:
        return ""
    return ": set rsp:phalanx.caFile to the file with the certificate of the CA that has signed the server's"
