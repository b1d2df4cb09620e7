"""Missing or invalid secrets stop the program before any resource is registered; Vault is a real OpenBao."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import openbao
from tests.openbao import OpenBao
from tests.unit.program.conftest import CHECKOUTS, ROE_STATIC, StackRunner
from tests.unit.program.refusals import refused, reset, settings, token

Definitions = dict[str, Any]
CREDENTIALS = ROE_STATIC["ingress-nginx"]["tls.key"]
Refuse = Callable[..., str]


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBao]:
    with openbao.server(tmp_path_factory.mktemp("openbao")) as bao:
        reset(bao)
        yield bao


@pytest.fixture
def refuse(run_stack: StackRunner, bao: OpenBao) -> Iterator[Refuse]:
    """Return a function that runs the stack ``roe`` with changed sections, and returns the error message."""

    def run(root: Path | None = None, **sections: Any) -> str:
        arguments = settings(bao.url)
        arguments["changes"] = {**arguments["changes"], **sections}
        return refused(run_stack, root=root, **arguments)

    with token(bao.root_token):
        yield run


@pytest.fixture
def definitions(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that copies the Phalanx repository with additional secret definitions of applications."""

    def change(**applications: Definitions) -> Path:
        root = Path(shutil.copytree(CHECKOUTS["roe"], tmp_path / "phalanx"))
        for name, secrets in applications.items():
            described = {key: {"description": "For the test", **secret} for key, secret in secrets.items()}
            (root / "applications" / name / "secrets-roe.yaml").write_text(yaml.safe_dump(described))
        return root

    return change


def copied(application: str, key: str) -> Definitions:
    return {"copy": {"application": application, "key": key}}


def test_all_missing_secrets_are_reported_together(refuse: Refuse, bao: OpenBao) -> None:
    for application in ("mobu", "tap"):
        bao.root.secrets.kv.v2.delete_metadata_and_all_versions(f"k8s_operator/roe/{application}", mount_point="kv-v2")
    try:
        first, *lines = refuse().splitlines()
    finally:
        reset(bao)
    assert first.startswith("Missing static secrets: 3. Set each with the command below it, or write it to Vault")
    assert "vault kv patch -mount=kv-v2 k8s_operator/roe/APPLICATION" in first
    assert [line.partition(":")[0].strip() for line in lines[::2]] == [
        *("mobu/ALERT_HOOK", "mobu/app-alert-webhook", "mobu/sentry-dsn"),
    ]
    command = "    pulumi config set --secret --path 'rsp:secrets.applications"
    assert all(line.startswith(command) for line in lines[1::2])


def test_an_unknown_generator(refuse: Refuse, definitions: Callable[..., Path]) -> None:
    assert refuse(definitions(mobu={"token": {"generate": {"type": "passwort"}}})) == (
        "applications/mobu/secrets-roe.yaml: token: generate.type: unknown generator 'passwort', expected one of "
        "password, gafaelfawr-token, fernet-key, rsa-private-key, bcrypt-password-hash, mtime, oidc-clients"
    )


def test_a_copy_from_an_application_that_is_not_enabled(refuse: Refuse, definitions: Callable[..., Path]) -> None:
    assert refuse(definitions(mobu={"token": copied("times-square", "redis")})) == (
        "applications/mobu/secrets-roe.yaml: token: is copied from times-square/redis, but the application "
        "times-square is not enabled: enable it, or disable the feature of mobu that needs the secret"
    )


def test_copies_that_have_no_source(refuse: Refuse, definitions: Callable[..., Path]) -> None:
    conditional = {"description": "For the test", "if": "config.never", "generate": {"type": "password"}}
    root = definitions(mobu={"a": copied("tap", "no-such-key"), "b": copied("tap", "sometimes")})
    (root / "applications/tap/secrets-roe.yaml").write_text(yaml.safe_dump({"sometimes": conditional}))
    assert refuse(root).splitlines() == [
        f"applications/mobu/secrets-roe.yaml: {problem}"
        for problem in (
            "a: depends on tap/no-such-key, which the application tap does not define",
            "b: depends on tap/sometimes, which does not exist because config.never is false in tap",
        )
    ]


def test_a_cyclic_dependency(refuse: Refuse, definitions: Callable[..., Path]) -> None:
    root = definitions(mobu={"a": copied("tap", "b")}, tap={"b": copied("mobu", "a")})
    assert ": secrets depend on each other in a cycle: " in refuse(root)
    assert {"mobu/a", "tap/b"} <= set(refuse(root).split())


@pytest.mark.parametrize(
    ("value", "wrong"),
    [("", "must not be empty"), (12345, "must be text: put it in quotes"), (["planted"], "must be text")],
)
def test_an_invalid_value(refuse: Refuse, value: object, wrong: str) -> None:
    message = refuse(secrets={"applications": {"tap": {"google_creds.json": value}}})
    assert message.startswith('Pulumi.test.yaml: rsp:secrets.applications.tap["google_creds.json"]: ')
    assert wrong in message
    assert "12345" not in message


def test_a_key_without_line_breaks(refuse: Refuse) -> None:
    one_line = CREDENTIALS.replace("\n", " ")
    assert refuse(secrets={"applications": {"tap": {"google_creds.json": one_line}}}).startswith(
        "rsp:secrets.applications: tap/google_creds.json: is PEM that has lost its line breaks: set it from its file",
    )


def test_a_password_that_is_too_long_to_be_hashed(refuse: Refuse, definitions: Callable[..., Path]) -> None:
    hashed = {"generate": {"type": "bcrypt-password-hash", "source": "password"}}
    root = definitions(tap={"password": {"description": "x"}, "hash": {"description": "x", **hashed}})
    assert refuse(root, secrets={"applications": {"tap": {"password": "planted-" * 10}}}) == (
        "rsp:secrets.applications: tap/password: has 80 bytes, more than the 72 that bcrypt can hash: must be a "
        "shorter password, such as the output of `openssl rand -hex 24`"
    )


def test_a_secret_that_no_application_reads(refuse: Refuse) -> None:
    message = refuse(secrets={"applications": {"tap": {"google_cred.json": "planted-creds"}}})
    assert (
        "no application of this environment reads tap/google_cred.json; did you mean tap/google_creds.json?" in message
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return an empty file of static secrets."""
    path = tmp_path / "static.yaml"
    path.touch(mode=0o600)
    return path


def test_a_file_of_secrets_that_other_users_can_read(refuse: Refuse, file: Path) -> None:
    file.chmod(0o640)
    assert refuse(secrets={"file": str(file)}) == (
        f"rsp:secrets.file: {file}: contains unencrypted secrets and other users can read it: run chmod 600, "
        "or encrypt it with sops"
    )


def test_a_file_of_secrets_with_a_number(refuse: Refuse, file: Path) -> None:
    file.write_text("applications: {tap: {google_creds.json: {value: 12345}}}")
    message = refuse(secrets={"file": str(file)})
    assert message.startswith(
        f"rsp:secrets.file: {file}: applications.tap.google_creds.json.value: must be text: put it in quotes"
    )
    assert "12345" not in message


def test_a_missing_file_of_secrets(refuse: Refuse) -> None:
    message = refuse(secrets={"file": "nowhere.yaml"})
    assert "rsp:secrets.file: nowhere.yaml: cannot be read: No such file or directory" in message


def test_a_file_of_secrets_that_cannot_be_decrypted(
    refuse: Refuse, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sops = tmp_path / "bin/sops"
    sops.parent.mkdir()
    sops.write_text("#!/bin/sh\necho 'Failed to get the data key: no key could decrypt it' >&2; exit 128\n")
    sops.chmod(0o755)
    file.write_text("{applications: {}, sops: {version: 3.9.0}}")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert "is encrypted with SOPS: install sops" in refuse(secrets={"file": str(file)})
    monkeypatch.setenv("PATH", f"{sops.parent}:/usr/bin:/bin")
    assert refuse(secrets={"file": str(file)}) == (
        f"rsp:secrets.file: {file}: sops cannot decrypt it: none of its keys is available; provide one, for "
        "example with SOPS_AGE_KEY_FILE. Output of sops:\nFailed to get the data key: no key could decrypt it"
    )
