import json
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from phalanx import static_secrets
from phalanx.errors import PhalanxError, SecretsError
from phalanx.secrets import SecretKey, required
from phalanx.static_secrets import RegistryLogin
from tests.unit.phalanx.repository import applications, copied, generated, static

FILLED = """\
applications:
  mobu:
    ALERT_HOOK:
      description: Where to complain
      value: https://hooks.example.org/1
    sentry-dsn:
      value: ''
  tap:
    google_creds.json:
      warning: Encode it
      value: null
oidc-clients:
  chronograf:
    id: chronograf
    secret: client-secret
    return_uri: https://rsp.example.org/oauth
pull-secret:
  description: Logins
  registries:
    ghcr.io:
      username: robot
      password: token
vault-write-token: null
"""

LONG = "A key that has a long description" + " of many words" * 8


def written(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "secrets.yaml"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_empty_values_are_left_out(tmp_path: Path) -> None:
    loaded = static_secrets.load(written(tmp_path, FILLED))
    assert loaded.given() == {SecretKey("mobu", "ALERT_HOOK"): SecretStr("https://hooks.example.org/1")}
    assert loaded.oidc_clients["chronograf"].return_uri == "https://rsp.example.org/oauth"
    assert loaded.pull_secret is not None
    assert loaded.pull_secret.registries["ghcr.io"].username == "robot"
    assert "hooks" not in repr(loaded)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_an_unencrypted_file_that_other_users_can_read_is_rejected(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SecretsError, match=r"other users can read it: run chmod 600, or encrypt it with sops"):
        static_secrets.load(written(tmp_path, FILLED, mode))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("applications: {mobu: {hook: hunter2}}", "applications.mobu.hook: must be a mapping"),
        (
            "applications: {mobu: {hook: {value: [hunter2]}}}",
            "applications.mobu.hook.value: must be text",
        ),
        ("pull_secret: {}", "pull_secret: is not a known key"),
        ("pull-secret: {registries: {ghcr.io: {}}}", "pull-secret.registries.ghcr.io.username: is missing"),
    ],
)
def test_an_error_in_the_file_is_reported_without_the_value(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(PhalanxError) as caught:
        static_secrets.load(written(tmp_path, text))
    assert f"secrets.yaml: {problem}" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_an_encrypted_file_is_decrypted_with_sops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # This replacement follows the documented interface of sops: it prints the decrypted file.
    (tmp_path / "clear").write_text(FILLED)
    program = tmp_path / "bin" / "sops"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\n[ "$1 $2 $3" = "--decrypt --output-type yaml" ] && cat {tmp_path}/clear\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    encrypted = written(tmp_path, "applications: ENC[...]\nsops: {version: 3.9.0}\n", mode=0o644)
    assert set(static_secrets.load(encrypted).given()) == {("mobu", "ALERT_HOOK")}

    program.write_text("#!/bin/sh\necho 'MAC mismatch' >&2; exit 51\n")
    with pytest.raises(SecretsError, match=r"^rsp:secrets\.file: .*: sops cannot decrypt it: MAC mismatch$"):
        static_secrets.load(encrypted)

    program.write_text("#!/bin/sh\necho 'Group 0: FAILED' >&2; exit 128\n")
    with pytest.raises(SecretsError, match=r"none of its keys is available; .* with SOPS_AGE_KEY_FILE.*\nGroup 0"):
        static_secrets.load(encrypted)


def test_an_encrypted_file_requires_sops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SecretsError, match=r"is encrypted with SOPS: install sops"):
        static_secrets.load(written(tmp_path, "sops: {version: 3.9.0}\n"))


def test_a_template_has_static_secrets_only(tmp_path: Path) -> None:
    needed = required(
        applications(
            {
                "tap": {
                    "a.key": static(description=LONG, onepassword={"encoded": True}),
                    "made": generated("password"),
                    "fixed": static(value="admin"),
                },
                "mobu": {"copy": copied("tap", "a.key")},
            }
        )
    )
    text = static_secrets.template(needed.values())
    content = yaml.safe_load(text)
    assert content["applications"] == {
        "tap": {
            "a.key": {
                "description": LONG,
                "value": None,
                "warning": "If you store this secret in a 1Password item, encode it with base64 first.",
            }
        },
    }
    assert (content["oidc-clients"], content["pull-secret"]["registries"]) == ({}, {})
    assert max(map(len, text.splitlines())) < 90
    # The unchanged template is a valid file without values.
    assert static_secrets.load(written(tmp_path, text)).given() == {}


def test_the_pull_secret_has_the_format_of_container_runtimes() -> None:
    value = static_secrets.dockerconfigjson({"ghcr.io": RegistryLogin(username="robot", password=SecretStr("token"))})
    assert json.loads(value) == {
        "auths": {"ghcr.io": {"auth": "cm9ib3Q6dG9rZW4=", "username": "robot", "password": "token"}}
    }
    assert static_secrets.dockerconfigjson({}) == '{"auths": {}}'
