"""Registrations, representations and error messages contain no secret in plaintext."""

import json
from pathlib import Path
from typing import Any

import pytest

from components.argocd import RepositoryArgs
from components.object_store import S3Keys
from components.vault_secrets_operator import VaultSecretsOperatorArgs
from config.loader import ConfigError, load_file, parse
from config.stack_config import StackConfig
from phalanx import static_secrets
from phalanx.errors import PhalanxError
from phalanx.git_credentials import SshKey
from phalanx.secrets import SecretKey
from phalanx.source import BootstrapChart
from program.secret_gathering import gather
from program.vault_arguments import openbao
from tests.unit.given_phalanx import source
from tests.unit.program.conftest import UKIDACPROD_STATIC, StackRunner
from tests.unit.sample import environment, environment_data, vault_stack

PLANTED = "planted-5f1c9d"
"""Part of every secret value."""

GIVEN: dict[str, dict[str, Any]] = {
    "secrets": {
        "applications": {"argocd": {"dex.clientSecret": f"{PLANTED}-static"}},
        "registries": {"ghcr.io": {"username": "robot", "password": f"{PLANTED}-registry"}},
        "oidcClients": {"one": {"id": "one", "secret": f"{PLANTED}-client", "returnUri": "https://one.test"}},
    },
    "objectStore": {
        "kind": "s3",
        "endpoint": "https://s3.test",
        "bucket": "async",
        "accessKey": f"{PLANTED}-access",
        "secretKey": f"{PLANTED}-key",
    },
    "phalanx": {
        "repository": "https://git.test/phalanx",
        "environment": "ukidacprod",
        "credentials": {"kind": "https", "token": f"{PLANTED}-git"},
    },
}

PLANTED_IN_VAULT = {
    "server__tls": {"kind": "given", "certificate": f"{PLANTED}-certificate", "key": f"{PLANTED}-tls-key"},
    "server__backupPassword": f"{PLANTED}-backup",
    "server__adminPassword": f"{PLANTED}-admin",
    "server__seal": {
        "kind": "transit",
        "address": "https://v.test",
        "keyName": "rsp",
        "token": f"{PLANTED}-token",
    },
}

FILE = f"""\
applications:
  argocd:
    dex.clientSecret: {{value: {PLANTED}-static}}
oidc-clients:
  one: {{id: one, secret: {PLANTED}-client, return_uri: "https://one.test"}}
pull-secret:
  registries:
    ghcr.io: {{username: robot, password: {PLANTED}-registry}}
vault-write-token: {PLANTED}-token
"""


@pytest.mark.parametrize("preview", [True, False])
def test_given_values_are_secret_in_every_request(run_stack: StackRunner, preview: bool) -> None:
    existing = {**UKIDACPROD_STATIC, "nublado": {"crypto_key": f"{PLANTED}-existing", "kept": f"{PLANTED}-kept"}}
    rotation = {"vault": {"rotation": {"argocd/admin.plaintext_password": "again", "gafaelfawr": "again"}}}
    recording = run_stack("ukidacprod", preview=preview, existing=existing, changes={**GIVEN, **rotation})
    stored = json.dumps([each.inputs for each in recording.resources])
    kinds = ("static", "registry", "client", "access", "key", "git", "existing", "kept")
    assert [kind for kind in kinds if f"{PLANTED}-{kind}" not in stored] == []
    shown = json.dumps([[each.veiled_request for each in recording.resources], recording.veiled_exports])
    assert PLANTED not in shown
    assert "planted-" not in shown, "a secret that exists in Vault"


def test_no_representation_shows_a_secret(tmp_path: Path) -> None:
    configured, vault = environment(**GIVEN), vault_stack(**PLANTED_IN_VAULT)
    definitions: dict[str, Any] = {
        "argocd": {"dex.clientSecret": {}, "hook": {"value": PLANTED}},
        "gafaelfawr": {"oidc-server-secrets": {"generate": {"type": "oidc-clients"}}},
    }
    inputs = gather(environment(**GIVEN), source(definitions), {SecretKey("argocd", "kept"): PLANTED})
    assert f"{PLANTED}-static" in inputs.static.values()
    file = tmp_path / "secrets.yaml"
    file.touch(mode=0o600)
    file.write_text(FILE)
    holders = [
        *(configured, configured.secrets, configured.object_store, configured.phalanx),
        *(configured.phalanx.git_credentials, SshKey(private_key=PLANTED, known_hosts=())),
        RepositoryArgs(url="", credentials={"password": PLANTED}),
        *(vault, vault.server, openbao(vault)),
        *(inputs, inputs.plan, *inputs.plan.values(), static_secrets.load(file)),
        S3Keys(access_key=PLANTED, secret_key=PLANTED),
        _operator(PLANTED),
    ]
    for holder in holders:
        for text in (repr(holder), str(holder), f"{holder}"):
            assert PLANTED not in text, type(holder)
    assert PLANTED not in configured.model_dump_json() + vault.model_dump_json()


def _operator(secret: str) -> VaultSecretsOperatorArgs:
    chart = BootstrapChart(path="", values={})
    return VaultSecretsOperatorArgs(chart=chart, namespace={}, role_id=secret, secret_id=secret, timeout=1)


@pytest.mark.parametrize(
    "secrets",
    [
        PLANTED,
        {"applications": PLANTED},
        {"applications": {"argocd": PLANTED}},
        {"applications": {"argocd": {"dex.clientSecret": [PLANTED]}}},
        {"applications": {"argocd": {"dex.clientSecret": {"value": PLANTED}}}},
        {"registries": {"ghcr.io": PLANTED}},
        {"registries": {"ghcr.io": {"username": "robot", "pasword": PLANTED}}},
        {"oidcClients": {"one": {"id": "one", "secret": PLANTED, "returnUri": PLANTED}}},
        {"file": [PLANTED]},
    ],
)
def test_errors_of_the_configuration_do_not_contain_its_values(secrets: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(environment_data(secrets=secrets), "Pulumi.test.yaml", StackConfig)
    _assert_without(caught.value)


def test_syntax_errors_of_a_stack_file_do_not_contain_its_text(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(f"config:\n  rsp:secrets: {PLANTED}\n  a: *{PLANTED}\n")
    with pytest.raises(ConfigError, match=r"not valid YAML") as caught:
        load_file(file, StackConfig)
    _assert_without(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        f"applications: {PLANTED}",
        f"applications: {{argocd: {{dex.clientSecret: {PLANTED}}}}}",
        f"applications: {{argocd: {{dex.clientSecret: {{value: [{PLANTED}]}}}}}}",
        f"pull-secret: {{registries: {{ghcr.io: {{username: robot, password: {{deep: {PLANTED}}}}}}}}}",
        f"oidc-clients: {{one: {{id: one, secret: {PLANTED}}}}}",
        f"vault-write-token: [{PLANTED}]",
        f"vault-write-token: *{PLANTED}",
        PLANTED,
    ],
)
def test_errors_of_a_file_of_secrets_do_not_contain_its_values(content: str, tmp_path: Path) -> None:
    file = tmp_path / "secrets.yaml"
    file.touch(mode=0o600)
    file.write_text(content)
    with pytest.raises(PhalanxError, match=r"secrets\.yaml") as caught:
        static_secrets.load(file)
    _assert_without(caught.value)


def _assert_without(error: BaseException) -> None:
    """Assert that neither the message nor a chained exception in its traceback contains a secret."""
    assert PLANTED not in f"{error} {error!r} {error.args}"
    shown = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    assert shown is None, "a traceback would show the original error, too"
