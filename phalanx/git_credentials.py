"""Pass the credentials of a private repository to Git.

Other users of the machine can see the arguments of a process, and everyone with a copy of the disk can read Git's
files, so a secret is in neither. A token is passed in the environment of the process. A key, which ssh reads only from
a file, is in a file that exists only while the process runs.
"""

import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from phalanx.errors import CheckoutError

_HELPER = '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$RSP_GIT_USERNAME" "$RSP_GIT_TOKEN"; }; f'
"""Credential helper (gitcredentials(7)): a function of the shell, so that the token is no argument of any program."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """A password or access token for HTTPS."""

    username: str
    """User name; the services that issue tokens accept any."""
    token: str = field(repr=False)
    """The token, in one line."""
    ca_file: Path | None = None
    """File with the CA of the server, as PEM; public CAs if None."""


@dataclass(frozen=True, kw_only=True)
class SshKey:
    """A private key for SSH."""

    private_key: str = field(repr=False)
    """The key in OpenSSH's or PEM format, without a passphrase."""
    known_hosts: tuple[str, ...]
    """Keys of the servers that may be connected to, as lines of a file known_hosts (sshd(8))."""


@dataclass(frozen=True, kw_only=True)
class Anonymous:
    """No credentials, for HTTPS to a server with a certificate of a private CA."""

    ca_file: Path
    """File with the CA of the server, as PEM."""


Credentials = Token | SshKey | Anonymous


@contextmanager
def variables(
    credentials: Credentials | None, repository: str, inherited: Mapping[str, str]
) -> Iterator[Mapping[str, str]]:
    """Provide credentials for one run of git.

    Args:
        credentials: Credentials; None to leave it to Git's own configuration, such as the user's credential helper.
        repository: URL of the repository. No other host gets the token, whatever the server redirects to.
        inherited: Environment of the process.

    Returns:
        Variables to add to the environment.

    Raises:
        CheckoutError: The file of the key cannot be written.
    """
    match credentials:
        case None:
            yield {}
        case Anonymous(ca_file=ca_file):
            yield _authority(ca_file)
        case Token(username=username, token=token, ca_file=ca_file):
            yield {
                **_settings(repository, inherited),
                **(_authority(ca_file) if ca_file else {}),
                "RSP_GIT_USERNAME": username,
                "RSP_GIT_TOKEN": token,
            }
        case SshKey():
            try:
                # Only the user can read the directory.
                directory = tempfile.TemporaryDirectory(prefix="rsp-git-")
                command = _ssh(credentials, Path(directory.name))
            except OSError as error:
                raise CheckoutError(
                    f"rsp:phalanx.credentials: ssh needs the key in a file, but {tempfile.gettempdir()} cannot be "
                    f"written ({error.strerror}): set TMPDIR to a directory that can"
                ) from None
            with directory:
                yield {"GIT_SSH_COMMAND": command, "GIT_SSH_VARIANT": "ssh"}


def redacted(credentials: Credentials | None, text: str) -> str:
    """Return a text, such as the output of git, without the token, which a server may have repeated."""
    return text.replace(credentials.token, "[removed]") if isinstance(credentials, Token) else text


def _authority(ca_file: Path) -> dict[str, str]:
    """Return the variable with which Git trusts a CA and no other; absolute, as Git changes its directory."""
    return {"GIT_SSL_CAINFO": str(ca_file.absolute())}


def _settings(repository: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with Git's settings, after those that the user has given in the same way."""
    url = urlsplit(repository)
    given = inherited.get("GIT_CONFIG_COUNT", "")
    first = int(given) if given.isdecimal() else 0
    # An empty value removes the helpers of the configuration, which could store the token or give another one.
    settings = [("credential.helper", ""), (f"credential.{url.scheme}://{url.netloc}.helper", _HELPER)]
    found = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for position, (key, value) in enumerate(settings, first):
        found |= {f"GIT_CONFIG_KEY_{position}": key, f"GIT_CONFIG_VALUE_{position}": value}
    return found


def _ssh(credentials: SshKey, directory: Path) -> str:
    """Return the command of ssh, with its files in a directory.

    The user's own configuration, such as a proxy, applies, but neither the keys of an agent nor the known hosts in it.
    """
    key, hosts = directory / "key", directory / "known_hosts"
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        # ssh refuses a key without a line break at its end.
        file.write(credentials.private_key.strip() + "\n")
    hosts.write_text("".join(f"{line}\n" for line in credentials.known_hosts))
    options = {
        "BatchMode": "yes",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(hosts),
        "GlobalKnownHostsFile": os.devnull,
        "UpdateHostKeys": "no",
        "ControlPath": "none",
    }
    given = [argument for name, value in options.items() for argument in ("-o", f"{name}={value}")]
    return shlex.join(["ssh", "-i", str(key), *given])


def check_private_key(text: str) -> None:
    """Check that a text is a private key that ssh and Argo CD can use without asking for anything.

    Raises:
        ValueError: It is not. The message does not quote it.
    """
    # Imported here: most stacks have no key.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    load = load_ssh_private_key if "BEGIN OPENSSH" in text else load_pem_private_key
    try:
        load(f"{text.strip()}\n".encode(), password=None)
    except TypeError:
        raise ValueError(
            "is protected by a passphrase, which nobody could enter: create one without, with `ssh-keygen -t ed25519 "
            "-N ''`"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError(
            "is not a private key: must begin with -----BEGIN OPENSSH PRIVATE KEY----- or another PEM header, and be "
            "complete; `ssh-keygen -t ed25519 -N ''` creates one"
        ) from None
