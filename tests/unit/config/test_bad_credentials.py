"""Credentials of the Phalanx repository that cannot work are refused."""

from typing import Any

import pytest

from phalanx.git_credentials import SshKey
from tests.unit.config.refusals import refusals
from tests.unit.sample import environment
from tests.unit.ssh import HOST, private_key

KNOWN = [HOST]


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"credentials": {"kind": "password"}}, ["rsp:phalanx.credentials.kind must be one of https, ssh."]),
        ({"credentials": {"kind": "https"}}, ["rsp:phalanx.credentials.token is missing. Expected: Access token that"]),
        (
            {"credentials": {"kind": "https", "token": "planted\ntoken"}},
            ["rsp:phalanx.credentials.token: contains a line break or begins or ends with a blank: must be text"],
        ),
        (
            {"credentials": {"kind": "https", "token": "planted", "username": "a:b"}},
            ["rsp:phalanx.credentials.username: is not valid: must be a user name without blanks and colons"],
        ),
        (
            {"credentials": {"kind": "ssh", "privateKey": "planted", "knownHosts": []}},
            [
                "rsp:phalanx.credentials.privateKey: is not a private key: must begin with -----BEGIN OPENSSH",
                "rsp:phalanx.credentials.knownHosts: must not be empty. Expected: Public keys of the Git server, as",
            ],
        ),
        (
            {
                "credentials": {
                    "kind": "ssh",
                    "privateKey": "planted",
                    "knownHosts": [*KNOWN, "# git.example.org:22 SSH-2.0"],
                }
            },
            [
                "rsp:phalanx.credentials.privateKey: is not a private key",
                "rsp:phalanx.credentials.knownHosts[1]: is not valid: must be a line as `ssh-keyscan` prints it",
            ],
        ),
        (
            {"repository": "git@git.example.org:phalanx", "credentials": {"kind": "https", "token": "planted"}},
            ["rsp:phalanx: credentials of kind https are for a repository like https://HOST/PATH: change repo"],
        ),
        (
            {"repository": "/srv/phalanx", "credentials": {"kind": "https", "token": "planted"}},
            ["rsp:phalanx: credentials of kind https are for a repository like https://HOST/PATH"],
        ),
        (
            {"repository": "https://robot:planted@git.example.org/phalanx"},
            ["rsp:phalanx.repository: contains a password or token: remove it, and set rsp:phalanx.credentials"],
        ),
    ],
)
def test_credentials_that_cannot_work_are_refused(changes: dict[str, Any], reasons: list[str]) -> None:
    found = refusals({f"phalanx__{key}": value for key, value in changes.items()})
    assert len(found) == len(reasons)
    assert all(line.startswith(f"Pulumi.test.yaml: {reason}") for line, reason in zip(found, reasons, strict=True))
    assert "planted" not in "".join(found)


def test_a_key_needs_a_repository_with_ssh() -> None:
    given: dict[str, Any] = {"kind": "ssh", "privateKey": private_key(), "knownHosts": KNOWN}
    (found,) = refusals({"phalanx__credentials": given})
    assert "credentials of kind ssh are for a repository like git@HOST:PATH or ssh://HOST/PATH" in found
    for address in ("git@git.example.org:phalanx", "ssh://git@git.example.org:2222/phalanx"):
        config = environment(phalanx__credentials=given, phalanx__repository=address)
        assert config.phalanx.git_credentials == SshKey(private_key=given["privateKey"], known_hosts=tuple(KNOWN))
