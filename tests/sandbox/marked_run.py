"""Runs of the program with marked secrets from all sources, and all observable output."""

import json
import secrets as random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hvac
import yaml
from kubernetes import client
from pydantic import SecretStr

from config import loader
from config.stack_config import StackConfig
from phalanx import processes
from sandbox import environment, paths
from tests.sandbox import marks, places
from tests.sandbox.branches import branch, replace
from tests.sandbox.configuration import vary
from tests.sandbox.failing_vault import sealed_at_the_first_write
from tests.sandbox.marks import Evidence, Mark
from tests.sandbox.objects import Objects
from tests.sandbox.program import sandbox_command

NO_SECRETS = {
    "argocd/admin.passwordMtime": "a time",
    "ingress-nginx/tls.crt": "a certificate is public",
    "tap/AWS_ACCESS_KEY_ID": "an identifier, which is part of URLs and the id of a Pulumi resource",
}
"""Values in Vault that are not secret, with the reason."""

ABSENT = "missing-secret"


@dataclass
class Gathered:
    """Everything observed during the run."""

    planted: list[Mark] = field(default_factory=list)
    marks: dict[str, Mark] = field(default_factory=dict)
    """Marks to search for, by value."""
    stored: list[Mark] = field(default_factory=list)
    """Values found in Vault."""
    terminal: list[Evidence] = field(default_factory=list)
    state: list[Evidence] = field(default_factory=list)
    cluster: list[Evidence] = field(default_factory=list)
    openstack: list[Evidence] = field(default_factory=list)
    repositories: list[Evidence] = field(default_factory=list)
    logs: list[Evidence] = field(default_factory=list)
    temporary: Path = Path()

    def know(self, more: Iterator[Mark]) -> None:
        """Add marks to search for."""
        self.marks |= {mark.value: mark for mark in more if mark.name not in NO_SECRETS}

    def plant(self, at: str) -> SecretStr:
        """Return a new value for a secret, and add it to the marks."""
        mark = Mark(at, f"planted-{at.replace('/', '-')}-{random.token_hex(8)}")
        self.planted.append(mark)
        self.marks[mark.value] = mark
        return SecretStr(mark.value)

    def leaks(self, evidence: list[Evidence]) -> list[tuple[str, str]]:
        """Return the name of each leaked secret and where it was found."""
        return marks.found(evidence, self.marks.values())


@dataclass(frozen=True)
class Sandbox:
    """The running sandbox, with what is observed."""

    vault: hvac.Client
    kubernetes: client.ApiClient
    directory: Path
    gathered: Gathered

    def run(self, command: str, *arguments: str, config: Path, well: bool = True) -> str:
        """Run a command, record its output, and return it."""
        began = time.time()
        varied = () if command == "outputs" else (f"--config-file={config}",)
        done = sandbox_command(command, *varied, *arguments, TMPDIR=str(self.gathered.temporary))
        name = " ".join((command, *arguments))
        self.gathered.terminal.append(Evidence(f"output of `{name}`", done.stdout.encode()))
        assert (done.returncode == 0) is well, f"{name} ended with {done.returncode}"
        self.gathered.state += places.state(began)
        return done.stdout

    def operate(self, *arguments: str) -> None:
        """Run a day-two command, and record its output and what Vault then contains."""
        done = subprocess.run(
            (sys.executable, "-m", "operations", *arguments, "--stack", "sandbox"),
            cwd=paths.CHECKOUT,
            env={**processes.environment(), **environment.variables()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        name = " ".join(arguments)
        self.gathered.terminal.append(Evidence(f"output of `operations {name}`", done.stdout))
        assert done.returncode == 0, f"{name} ended with {done.returncode}"

    def secrets(self) -> dict[str, dict[str, str]]:
        """Return the environment's secrets in Vault, by application and key."""
        listed = self.vault.secrets.kv.v2.list_secrets("phalanx/sandbox", mount_point="secret")["data"]["keys"]
        return {name: self._read(name) for name in listed}

    def write(self, application: str, values: Mapping[str, str], *, whole: bool = False) -> None:
        """Write secrets to Vault directly, as a user would."""
        kept = {} if whole else self._read(application)
        self.vault.secrets.kv.v2.create_or_update_secret(
            f"phalanx/sandbox/{application}", {**kept, **values}, mount_point="secret"
        )

    def learn(self) -> None:
        """Add all generated secrets to the marks, from Vault and from the cluster."""
        stored = list(marks.of_vault(self.secrets()))
        self.gathered.stored += stored
        self.gathered.know(iter(stored))
        credentials = Objects(self.kubernetes).one("v1", "Secret", "vault-credentials", "vault-secrets-operator")
        for key, value in credentials["data"].items():
            self.gathered.know(marks.of_value(key, places.decoded(value)))
        shown = sandbox_command("outputs", "--json", "--show-secrets").stdout
        self.gathered.know(marks.of_value("vaultWriteToken", json.loads(shown)["vaultWriteToken"]))

    def _read(self, application: str) -> dict[str, str]:
        read = self.vault.secrets.kv.v2.read_secret_version(
            f"phalanx/sandbox/{application}", mount_point="secret", raise_on_deleted_version=True
        )
        values: dict[str, str] = read["data"]["data"]
        return values


def credentials() -> Iterator[Mark]:
    """Yield marks for the program's credentials and for any private key."""
    yield marks.PRIVATE_KEY
    yield from marks.of_value("VAULT_TOKEN", environment.variables()["VAULT_TOKEN"])
    clouds = yaml.safe_load(paths.CLOUDS_YAML.read_text())["clouds"]
    for name, cloud in clouds.items():
        yield Mark(f"the password of {name}", cloud["auth"]["password"])


def live(sandbox: Sandbox) -> None:
    """Set secrets in all ways, change and rotate them, and run all commands."""
    sandbox.write("argocd", {"kept-by-people": sandbox.gathered.plant("argocd/kept-by-people").get_secret_value()})
    first = _given(sandbox, "first", {})
    sandbox.run("preview", "--debug", config=first)
    sandbox.run("preview", "--json", config=first)
    sandbox.run("up", "--debug", config=first)
    sandbox.learn()

    rotation = dict.fromkeys(("argocd/admin.plaintext_password", "gafaelfawr", "nublado/proxy_token"), "again")
    second = _given(sandbox, "second", {"rotation": rotation, "approle": {"secretIdRotation": "again"}})
    sandbox.run("preview", config=second)
    sandbox.run("up", "--json", config=second)
    sandbox.learn()
    sandbox.run("up", config=second)
    sandbox.run("refresh", "--debug", config=second)
    sandbox.run("outputs", config=second)
    sandbox.run("outputs", "--json", config=second)
    for command in ("preflight", "secrets status", "secrets template"):
        sandbox.operate(*command.split())
    sandbox.operate("secrets", "status", "--json")


def _given(sandbox: Sandbox, name: str, settings: Mapping[str, Any]) -> Path:
    """Return a configuration with new secrets: in the stack's file, in a file of static secrets, and in Vault."""
    plant = sandbox.gathered.plant
    sandbox.write("mobu", {"app-alert-webhook": plant("mobu/app-alert-webhook").get_secret_value()})
    usual = loader.load_file(paths.CHECKOUT / "Pulumi.sandbox.yaml", StackConfig).secrets.file
    assert usual
    in_file = {
        "applications": {
            **yaml.safe_load(usual.read_text())["applications"],
            "gafaelfawr": {"github-client-secret": {"value": plant("gafaelfawr/github-client-secret")}},
            "squareone": {"sentry-dsn": {"value": plant("squareone/sentry-dsn")}},
            "tap": {"google_creds.json": {"value": plant("tap/google_creds.json")}},
        },
        "oidc-clients": {"one": {"id": "one", "secret": plant("a client in the file"), "return_uri": "https://a.test"}},
        "pull-secret": {"registries": {"a.test": {"username": "reader", "password": plant("a registry in the file")}}},
        "vault-write-token": plant("the file's write token"),
    }
    given: dict[str, Any] = {
        "file": str(_file(sandbox.directory / f"{name}-secrets.yaml", in_file)),
        "applications": {
            "argocd": {"dex.clientSecret": plant("argocd/dex.clientSecret")},
            "mobu": {
                "ALERT_HOOK": plant("mobu/ALERT_HOOK"),
                "sentry-dsn": plant("mobu/sentry-dsn"),
                "app-alert-webhook": None,
            },
            "gafaelfawr": None,
            "squareone": None,
            "tap": None,
        },
        "registries": {"b.test": {"username": "reader", "password": plant("a registry")}},
        "oidcClients": {"two": {"id": "two", "secret": plant("a client"), "returnUri": "https://b.test"}},
    }
    return vary(sandbox.directory / f"{name}.yaml", {"secrets": given, "vault": settings})


def _file(path: Path, content: object) -> Path:
    path.touch(mode=0o600)
    path.write_text(content if isinstance(content, str) else json.dumps(content, default=SecretStr.get_secret_value))
    return path


def fail(sandbox: Sandbox) -> None:
    """Run commands that fail: before the first resource, in the middle, and at the end."""
    _refuse_what_is_given(sandbox)
    with sealed_at_the_first_write() as address:
        config = _given(sandbox, "sealed", {"address": address})
        assert "sealed" in sandbox.run("up", "--debug", config=config, well=False)
    unhealthy = replace("applications/squareone/templates/deployment.yaml", "name: squareone-secret", f"name: {ABSENT}")
    with branch(sandbox.directory, "never-healthy", unhealthy, "Require a Secret that does not exist") as revision:
        config = _given(sandbox, "unhealthy", {})
        changes: dict[str, dict[str, Any]] = {"phalanx": {"revision": revision}, "applications": {"timeout": 30}}
        varied = vary(sandbox.directory / "unhealthy-branch.yaml", changes, config)
        assert f'secret "{ABSENT}" not found' in sandbox.run("up", "--debug", config=varied, well=False)
    sandbox.learn()


def _refuse_what_is_given(sandbox: Sandbox) -> None:
    plant, directory = sandbox.gathered.plant, sandbox.directory
    misfits = {
        "applications": {"argocd": {"dex.clientSecret": {"deep": plant("a mapping for a text")}}},
        "registries": {"a.test": plant("a text for a mapping"), "b.test": {"user": "x", "password": plant("half")}},
        "oidcClients": {"one": {"id": "one", "secret": plant("a third"), "returnUri": plant("no URI")}},
    }
    shown = sandbox.run("preview", "--debug", config=vary(directory / "misfits.yaml", {"secrets": misfits}), well=False)
    assert 'rsp:secrets.registries["a.test"]' in shown
    broken = f"vault-write-token: {plant('a broken file').get_secret_value()}: ["
    given = {"secrets": {"file": str(_file(directory / "broken.yaml", broken))}}
    shown = sandbox.run("preview", "--debug", config=vary(directory / "no-yaml.yaml", given), well=False)
    assert "broken.yaml:1: not valid YAML" in shown
    assert "Traceback" not in shown
