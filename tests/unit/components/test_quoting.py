"""Values that configuration and clouds provide do not change the meaning of a server's files."""

import json
import shlex
import subprocess
from ipaddress import IPv4Network
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from components import cloud_init, nfs_cloud_init, vault_cloud_init
from components.cloud_init import Mount
from components.nfs_cloud_init import Export, ExportOptions
from components.openbao import AcmeArgs, OpenBaoArgs, TransitSealArgs
from components.quoting import octal, systemd_path, tmpfiles_path, udev_value
from phalanx import policies

HOSTILE = """a'; reboot; ' "$(reboot)" `reboot` \\ %n #{x}\n- reboot: ${y} {{ z }}"""


def decoded(field: str) -> str:
    """Return a field as fstab(5) and exports(5) define it."""
    return field.encode("latin-1").decode("unicode_escape").encode("latin-1").decode()


@given(st.text())
def test_a_field_of_fstab_and_exports_is_one_word_with_the_same_text(text: str) -> None:
    assert decoded(octal(text)) == text
    assert octal(text).split() == ([octal(text)] if text else [])
    assert "#" not in octal(text)


def test_a_path_of_systemd_is_one_word() -> None:
    assert systemd_path("/srv/nfs/data") == "/srv/nfs/data"
    assert systemd_path("/a b\n%n\"'\\") == "/a\\x20b\\x0a%%n\\x22\\x27\\x5c"


@pytest.mark.parametrize("text", ['a"', "a*", "a b", "a\\", "a\n", "$env{x}", "[a]", "a|b", "é"])
def test_a_value_that_udev_cannot_quote_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="letters, digits"):
        udev_value(text)


@pytest.mark.parametrize("path", ["", "a", "/a b", "/%n", '/a"', "/a\\x20b", "/a\nd /etc 0777", "/a/", "/é"])
def test_a_path_that_tmpfiles_may_read_otherwise_is_refused(path: str) -> None:
    assert tmpfiles_path("/srv/nfs/data/butler-1.x_y") == '"/srv/nfs/data/butler-1.x_y"'
    with pytest.raises(ValueError, match="letters, digits"):
        tmpfiles_path(path)


HOSTILE_VAULT = OpenBaoArgs(
    host=HOSTILE,
    package_url=HOSTILE,
    package_sha256=HOSTILE,
    tls=AcmeArgs(directory=HOSTILE, email=HOSTILE),
    seal=TransitSealArgs(address=HOSTILE, mount=HOSTILE, key_name=HOSTILE, token=HOSTILE),
    backup_password=HOSTILE,
    admin_password=HOSTILE,
    backups=14,
)
"""Values that no validation has seen, as a change of a type might let them through."""


def hostile_files() -> dict[str, str]:
    document: dict[str, Any] = yaml.safe_load(vault_cloud_init.render(HOSTILE_VAULT, "5b1f3a52"))
    assert set(document) <= {
        *("disable_root", "ssh_pwauth", "package_update", "package_upgrade", "write_files"),
        *("runcmd", "users"),
    }
    return {each["path"]: each["content"] for each in document["write_files"]}


def test_hostile_values_stay_values_in_json_and_yaml() -> None:
    files = hostile_files()
    assert files["/etc/openbao/rsp-backup.password"] == HOSTILE
    found = json.loads(files["/etc/openbao/server.json"])
    assert found["listener"][0]["tcp"]["tls_acme_email"] == HOSTILE
    assert found["listener"][0]["tcp"]["tls_acme_domains"] == [HOSTILE]
    assert found["seal"] == [
        {"transit": {"address": HOSTILE, "token": HOSTILE, "key_name": HOSTILE, "mount_path": HOSTILE}}
    ]


def test_hostile_values_stay_words_in_a_shell() -> None:
    script = hostile_files()["/usr/local/sbin/rsp-vault-install"]
    # A shell in which every command prints its arguments, with no file of the system in reach.
    commands = ("curl", "sha256sum", "apt-get", "rm", "systemctl")
    shown = "".join(f"{each.replace('-', '_')}() {{ printf '%s\\0' {each} \"$@\"; }}\n" for each in commands)
    text = script.replace("apt-get install", "apt_get install")
    done = subprocess.run(
        ["/bin/sh", "-c", f"{shown}reboot() {{ echo REBOOTED; }}\n{text}"],
        capture_output=True,
        check=True,
        env={"PATH": "/nonexistent"},
    )
    words = done.stdout.decode().split("\0")
    assert HOSTILE in words
    assert "REBOOTED" not in done.stdout.decode()
    assert f"echo {shlex.quote(f'{HOSTILE}  /var/cache/rsp-openbao.deb')} |" in script


def test_hostile_names_stay_one_field_of_an_nfs_server() -> None:
    mount = Mount(name="data", volume_id="5b1f3a52", path="/srv/a b\n*(rw)")
    document = yaml.safe_load(cloud_init.document(packages=[], files={}, mounts=[mount], commands=[]))
    (fstab,) = [each["content"] for each in document["write_files"] if each["path"] == "/etc/fstab"]
    assert len(fstab.splitlines()) == 1
    assert decoded(fstab.split()[1]) == mount.path
    assert cloud_init.after_mounts([mount]).count("\n") == 2
    options = ExportOptions(root_squash=True, read_only=False, owner=None, mode=None, directories=())
    for volume_id, name in (('x", RUN+="/bin/sh', "data"), ("5b1f3a52", 'x", RUN+="/bin/sh')):
        with pytest.raises(ValueError, match="udev rule"):
            nfs_cloud_init.render(
                [Export(name=name, volume_id=volume_id, options=options)], IPv4Network("10.20.0.0/24")
            )


def test_hostile_paths_stay_strings_in_a_policy() -> None:
    policy = policies.read_policy('a" { capabilities = ["sudo"] }\n', "b")
    assert policy.count('path "') == 2
    assert '"a\\" { capabilities = [\\"sudo\\"] }\\n/data/b/+"' in policy
