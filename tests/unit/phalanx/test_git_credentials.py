"""Private repositories, read over HTTPS from a Git server, and over SSH with a program in place of ssh."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phalanx import checkout, git_credentials, processes
from phalanx.errors import CheckoutError
from phalanx.git_credentials import Anonymous, SshKey, Token
from phalanx.history import History
from tests.unit.phalanx.git_server import GitServer, git_server
from tests.unit.phalanx.phalanx_git import git, init

PLANTED = "planted-token"
TOKEN = Token(username="robot", token=PLANTED)
HOSTS = ("git.example.org ssh-ed25519 AAAAC3Nz",)


@pytest.fixture(autouse=True)
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Isolate cache, temporary files and Git's settings; return the arguments of all processes that are started."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    commands: list[str] = []

    def run(command: Sequence[str | Path], **more: Any) -> subprocess.CompletedProcess[str]:
        commands.extend(map(str, command))
        return original(command, **more)

    original = processes.run
    monkeypatch.setattr(processes, "run", run)
    return commands


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Create a repository with one commit on its branch main."""
    return init(tmp_path / "served" / "phalanx", {"environments/values.yaml": "private"})


@pytest.fixture
def server(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitServer]:
    with git_server(repository.parent, f"robot:{PLANTED}", tmp_path / "tls", monkeypatch) as serving:
        yield serving


def files_with(text: str, root: Path) -> list[str]:
    return [path.name for path in root.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_a_private_repository_is_read_with_a_token(server: GitServer, tmp_path: Path, started: list[str]) -> None:
    found = checkout.resolve(f"{server.url}/phalanx", "main", credentials=TOKEN)
    assert (found.path / "environments" / "values.yaml").read_text() == "private"
    assert found.credentials == TOKEN
    assert server.expected in server.seen
    assert "fetch" in started
    assert PLANTED not in " ".join(started)
    assert files_with(PLANTED, tmp_path) == []
    assert PLANTED not in repr(found)
    history = History(found.repository, found.credentials)
    assert history.last_changes(found.commit, {"all": ["environments"]}) == {"all": found.commit}
    assert files_with(PLANTED, tmp_path) == []


def test_a_private_authority_is_trusted_where_it_is_configured(
    server: GitServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{server.url}/phalanx"
    monkeypatch.delenv("GIT_SSL_CAINFO")
    with pytest.raises(CheckoutError, match=r"cannot be read: .*: set rsp:phalanx\.caFile to the file with the"):
        checkout.resolve(url, "main", credentials=TOKEN)
    monkeypatch.chdir(tmp_path)
    ca_file = Path("tls/crt")  # a relative path, which Git must find from the directory of a checkout, too
    assert checkout.resolve(url, "main", credentials=replace(TOKEN, ca_file=ca_file)).commit
    # It is trusted, so that only a login is missing.
    with pytest.raises(CheckoutError, match=r"cannot be read: could not read Username"):
        checkout.resolve(url, "main", credentials=Anonymous(ca_file=ca_file))


def test_no_other_user_can_read_what_was_fetched(server: GitServer) -> None:
    found = checkout.resolve(f"{server.url}/phalanx", "main", credentials=TOKEN)
    assert found.path.parent.stat().st_mode & 0o077 == 0


def test_only_commands_that_connect_get_the_token(server: GitServer, tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "post-checkout").write_text(f'#!/bin/sh\nenv > "{tmp_path}/of-the-hook"\n')
    (hooks / "post-checkout").chmod(0o700)
    (tmp_path / "gitconfig").write_text(f"[core]\n\thooksPath = {hooks}\n")
    checkout.resolve(f"{server.url}/phalanx", "main", credentials=TOKEN)
    assert "GIT_ALLOW_PROTOCOL" in (tmp_path / "of-the-hook").read_text()
    assert PLANTED not in (tmp_path / "of-the-hook").read_text()


def test_a_wrong_token_is_reported_without_it(server: GitServer) -> None:
    with pytest.raises(CheckoutError, match=r"^rsp:phalanx\.repository: .* cannot be read: Authentication") as caught:
        checkout.resolve(f"{server.url}/phalanx", "main", credentials=Token(username="robot", token="planted-wrong"))
    assert "planted" not in str(caught.value)


def test_the_helpers_of_the_user_neither_replace_nor_store_the_token(server: GitServer, tmp_path: Path) -> None:
    (tmp_path / "gitconfig").write_text(
        f'[credential]\n\thelper = "!cat >> {tmp_path}/stored; echo password=planted-other; echo username=other; :"\n'
    )
    checkout.resolve(f"{server.url}/phalanx", "main", credentials=TOKEN)
    assert not (tmp_path / "stored").exists()


def test_settings_in_the_environment_remain(
    server: GitServer, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: Mapping[str, str] = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{server.url}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://git.example.org/",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    # The token is for git.example.org: another host does not get it, whatever Git is configured to read instead.
    with pytest.raises(CheckoutError, match=r"cannot be read: could not read Username for"):
        checkout.resolve("https://git.example.org/phalanx", "main", credentials=TOKEN)
    assert set(server.seen) == {""}
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"{server.url}/short/")
    found = checkout.resolve(f"{server.url}/short/phalanx", "main", credentials=TOKEN)
    assert found.commit == git(repository, "rev-parse", "HEAD")


def test_another_host_does_not_get_the_token(
    server: GitServer, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with git_server(repository.parent, f"robot:{PLANTED}", tmp_path / "other", monkeypatch) as other:
        monkeypatch.setenv("GIT_SSL_NO_VERIFY", "1")
        server.redirect = other.url
        with pytest.raises(CheckoutError, match=r"cannot be read"):
            checkout.resolve(f"{server.url}/phalanx", "main", credentials=TOKEN)
        assert other.seen
        assert other.expected not in other.seen


def test_without_credentials_a_private_repository_cannot_be_read(server: GitServer) -> None:
    with pytest.raises(CheckoutError, match=r"^rsp:phalanx\.repository: .* cannot be read: could not read Username"):
        checkout.resolve(f"{server.url}/phalanx", "main")


SSH = """\
#!/bin/sh
printf '%s\\n' "$@" > "{log}"
while [ "$1" != git.example.org ] && [ "$1" != git@git.example.org ]; do
  case "$1" in
    -i) cp -p "$2" "{log}.key" ;;
    UserKnownHostsFile=*) cp "${{1#*=}}" "{log}.hosts" ;;
  esac
  shift
done
exec sh -c "$2"
"""


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a program in place of ssh that runs the command on this machine, and return the path of its log."""
    program, log = tmp_path / "bin" / "ssh", tmp_path / "log"
    program.parent.mkdir()
    program.write_text(SSH.format(log=log))
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setenv("GIT_SSH_COMMAND", "false")
    return log


@pytest.mark.parametrize("address", ["git@git.example.org:{path}", "ssh://git.example.org{path}"])
def test_a_private_repository_is_read_with_a_key(
    address: str, ssh: Path, repository: Path, tmp_path: Path, started: list[str]
) -> None:
    key = SshKey(private_key="planted-key\n-----END OPENSSH PRIVATE KEY-----", known_hosts=HOSTS)
    found = checkout.resolve(address.format(path=repository), "main", credentials=key)
    assert (found.path / "environments" / "values.yaml").read_text() == "private"
    copied = ssh.with_suffix(".key")
    assert copied.read_text() == f"{key.private_key}\n"
    assert copied.stat().st_mode & 0o777 == 0o600
    copied.unlink()
    assert ssh.with_suffix(".hosts").read_text() == f"{HOSTS[0]}\n"
    given = ssh.read_text().splitlines()
    assert {"StrictHostKeyChecking=yes", "BatchMode=yes", "IdentitiesOnly=yes"} <= set(given)
    assert "GlobalKnownHostsFile=/dev/null" in given
    assert not (set(given) | set(started)) & {"planted-key"}
    assert files_with("planted-key", tmp_path) == []
    assert list((tmp_path / "tmp").iterdir()) == []


def test_ssh_itself_accepts_the_options(repository: Path) -> None:
    key = SshKey(private_key="planted-key", known_hosts=HOSTS)
    # No server listens on the port: an option that ssh does not know would fail earlier, with another message.
    with pytest.raises(CheckoutError, match=r"cannot be read: ssh: connect to host 127\.0\.0\.1 port 1: ") as caught:
        checkout.resolve(f"ssh://127.0.0.1:1{repository}", "main", credentials=key)
    assert "planted" not in str(caught.value)


def test_a_key_that_cannot_be_written_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent")
    key = SshKey(private_key="planted-key", known_hosts=HOSTS)
    with pytest.raises(CheckoutError, match=r"^rsp:phalanx\.credentials: ssh needs the key in a file, .* set TMPDIR"):
        checkout.resolve("git@git.example.org:phalanx", "main", credentials=key)


def generate(tmp_path: Path, *arguments: str) -> str:
    subprocess.run(("ssh-keygen", "-q", *arguments, "-f", str(tmp_path / "key")), check=True)
    return (tmp_path / "key").read_text()


@pytest.mark.parametrize("kind", [("-t", "ed25519"), ("-t", "ecdsa", "-m", "PEM"), ("-t", "ecdsa", "-m", "PKCS8")])
def test_keys_of_ssh_keygen_are_accepted(kind: tuple[str, ...], tmp_path: Path) -> None:
    git_credentials.check_private_key(generate(tmp_path, *kind, "-N", ""))


@pytest.mark.parametrize("kind", [("-t", "ed25519"), ("-t", "ecdsa", "-m", "PEM")])
def test_a_key_with_a_passphrase_is_refused(kind: tuple[str, ...], tmp_path: Path) -> None:
    text = generate(tmp_path, *kind, "-N", "planted")
    with pytest.raises(ValueError, match=r"is protected by a passphrase, which nobody could enter"):
        git_credentials.check_private_key(text)


def test_what_is_no_key_is_refused_without_quoting_it(tmp_path: Path) -> None:
    whole = generate(tmp_path, "-t", "ed25519", "-N", "")
    for text in (PLANTED, whole[:120], (tmp_path / "key.pub").read_text()):
        with pytest.raises(ValueError, match=r"is not a private key") as caught:
            git_credentials.check_private_key(text)
        assert text not in str(caught.value)
