import functools
import gc
import json
import pickle
import runpy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pulumi
import pytest

from phalanx import charts, checkout, documents, environment, generators, pins, render, resource_uses
from phalanx.certificates import Certificate, CertificateError
from phalanx.checkout import Checkout
from phalanx.git_credentials import Credentials
from phalanx.resource_uses import Uses
from phalanx.secrets import SecretKey
from phalanx.static_secrets import StaticSecrets
from probes import (
    openstack_connection,
    openstack_preflight,
    preflight,
    served_certificate,
    vault_preflight,
    vault_secrets,
)
from probes.openstack_connection import Location
from probes.problem import Problem
from probes.vault_secrets import Contents
from program import address_switch, kept_claims, platform_answer, secret_gathering
from sandbox.site_certificate import issue
from tests import stack_config
from tests.unit.conftest import COMPUTED
from tests.unit.program import rendered
from tests.unit.recording import InvokeAnswer, ProgramRunner, Recording

ROOT = Path(__file__).parents[3]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
COMMIT_OF_BRANCH = "fedcba9876543210fedcba9876543210fedcba98"
"""Commit of the revision `branch`."""

CHECKOUTS = {
    "roe": ROOT / "tests/conformance/data/lsst-uk",
    "sandbox": ROOT / "sandbox/phalanx",
    "ukidacprod": ROOT / "tests/conformance/data/upstream",
}
"""Phalanx repositories by stack."""

READ_AT = datetime(2026, 11, 26, tzinfo=UTC)
"""Time at which Vault was read."""

EXPIRES = (datetime.now(UTC) + timedelta(days=60)).replace(microsecond=0)
"""Expiry of the certificates."""


def certificate(host: str, expires: datetime = EXPIRES) -> dict[str, str]:
    """Return a certificate with its key, as stored in Vault."""
    return dict(zip(("tls.crt", "tls.key"), issue(host, expires - timedelta(days=90), expires), strict=True))


ROE_STATIC = {
    "argocd": {"dex.clientSecret": "planted-dex"},
    "gafaelfawr": {"github-client-secret": "planted-github", "oidc-server-secrets": "planted-oidc"},
    "ingress-nginx": certificate("rsp.lsst.ac.uk"),
    "mobu": {"ALERT_HOOK": "planted-hook", "app-alert-webhook": "planted-webhook", "sentry-dsn": "planted-sentry"},
    "squareone": {"sentry-dsn": "planted-sentry-2"},
    "ssotap": {"google_creds.json": "planted-creds", "pgpassword": "planted-pgpassword"},
    "tap": {"google_creds.json": "planted-creds-2"},
}
"""Static secrets of the environment ``roe``."""

UKIDACPROD_STATIC = {
    "argocd": {"dex.clientSecret": "planted-dex"},
    "cert-manager": {"aws-secret-access-key": "planted-aws"},
    "gafaelfawr": {"github-client-secret": "planted-github"},
    "mobu": {"ALERT_HOOK": "planted-hook", "app-alert-webhook": "planted-webhook", "sentry-dsn": "planted-sentry"},
    "squareone": {"sentry-dsn": "planted-sentry-2"},
    "ssotap": {"pgpassword": "planted-pgpassword"},
}
"""Static secrets of the environment ``ukidacprod``."""

STATIC = {"roe": ROE_STATIC, "ukidacprod": UKIDACPROD_STATIC}
"""Static secrets by stack."""

ExistingSecrets = Mapping[str, Mapping[str, str]]
"""Secrets in Vault, by application and key."""

OPENSTACK_COMPUTED = {
    "openstack:identity/applicationCredential:ApplicationCredential": {"secret": "application-credential-secret"},
}
VAULT_COMPUTED = {
    "vault:appRole/authBackendRole:AuthBackendRole": {"roleId": "computed-role-id"},
    "vault:appRole/authBackendRoleSecretId:AuthBackendRoleSecretId": {
        "secretId": "computed-secret-id",
        "accessor": "computed-accessor",
    },
    "vault:index/token:Token": {"clientToken": "computed-write-token"},
}


@dataclass(frozen=True)
class StackRunner:
    """Runs the program with a stack file, without network and Helm."""

    directory: Path
    """Working directory, for the link to the checkout."""

    def __call__(  # noqa: PLR0913  # all inputs of the program
        self,
        stack: str,
        *,
        preview: bool = False,
        existing: ExistingSecrets | None = None,
        changes: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        stashed: Mapping[str, Any] | None = None,
        problems: Sequence[Problem] = (),
        served: Certificate | None = None,
        vault: str | None = None,
        root: Path | None = None,
        recording: Recording | None = None,
    ) -> Recording:
        """Run the program.

        Args:
            stack: Stack whose file to load.
            preview: Whether it is a preview.
            existing: Secrets in Vault; by default the static secrets of the stack.
            changes: Keys that replace those of the stack file, by section.
            config: The whole configuration, instead of the stack file.
            outputs: Stack outputs of the last complete run; none by default.
            stashed: Values that stashes have kept from an earlier run, by logical name.
            problems: Results of the preflight.
            served: Certificate that the platform serves; None if it does not answer.
            vault: URL of a real Vault, which is used instead of `existing` and `problems`.
            root: Phalanx repository, instead of the stack's.
            recording: Where to record, for tests of what a program does before it fails.
        """
        held = STATIC.get(stack, {}) if existing is None else existing
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.directory)
            # The program's choice for a process that runs it once; objects of a frozen run would never be freed.
            for name in ("disable", "freeze", "set_threshold"):
                patch.setattr(gc, name, lambda *_: None)
            # Phalanx's number of rounds takes seconds by design, and its keys a fifth of the duration of a run.
            patch.setattr(generators, "_BCRYPT_ROUNDS", 4)
            patch.setattr(generators, "_RSA_BITS", 1024)
            _replace_checkout(root or CHECKOUTS[stack], stack, patch)
            _replace_served_certificate(served, patch)
            patch.setattr(platform_answer, "_ask", lambda *_: None)
            patch.setattr(address_switch, "_wait", lambda *_: None)
            patch.setattr(kept_claims, "_annotate", lambda *_: [])
            if stack == "sandbox":
                patch.setattr(secret_gathering, "load", lambda _: STATIC_SECRETS_FILE)
            patch.setattr(openstack_preflight, "check", lambda *_, **__: lambda _: [])
            patch.setattr(openstack_connection, "connect_as_provider", lambda *_: None)
            patch.setattr(preflight.Queries, "location", _location)
            if not vault:
                patch.setattr(preflight.Queries, "problems", lambda *_: list(problems))
                patch.setattr(vault_preflight, "check", lambda *_, **__: [])
                held_keys = {SecretKey(name, key): value for name, keys in held.items() for key, value in keys.items()}
                empty = Contents(
                    secrets=held_keys, read_at=READ_AT, has_mount=False, has_auth_method=False, has_role=False
                )
                patch.setattr(vault_secrets, "contents", lambda *_: empty)
            runner = ProgramRunner(
                computed={**COMPUTED, **OPENSTACK_COMPUTED, **VAULT_COMPUTED},
                invokes={**OPENSTACK_ANSWERS, "pulumi:pulumi:readStackOutputs": {"outputs": outputs or {}}},
                config=stack_config.as_texts(config, "rsp") if config else _config(stack, changes or {}),
                stashed=stashed or {},
                preview=preview,
            )
            return runner(_program, recording)


def _program() -> None:
    runpy.run_path(str(ROOT / "__main__.py"))


@pytest.fixture(scope="session")
def run_stack(tmp_path_factory: pytest.TempPathFactory) -> StackRunner:
    """Return a runner of the program: ``run_stack("roe", preview=True)``."""
    return StackRunner(tmp_path_factory.mktemp("project"))


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of warnings of the program."""
    found: list[str] = []
    monkeypatch.setattr(pulumi, "warn", found.append)
    return found


@pytest.fixture(scope="session", params=sorted(CHECKOUTS))
def graph(request: pytest.FixtureRequest, run_stack: StackRunner) -> Recording:
    """Return all resources of each stack, as a first ``up`` registers them."""
    return run_stack(request.param)


@pytest.fixture(scope="session")
def roe(run_stack: StackRunner) -> Recording:
    """Return all resources of the stack ``roe``, as a first ``up`` registers them."""
    return run_stack("roe")


def _location(queries: preflight.Queries) -> Location:
    return Location("project-id", queries._config.cloud.region or "RegionOne")  # noqa: SLF001


def _config(stack: str, changes: Mapping[str, Any]) -> dict[str, str]:
    values = stack_config.load(ROOT, stack)
    for section, keys in changes.items():
        current = json.loads(values.get(f"rsp:{section}", "{}"))
        values[f"rsp:{section}"] = json.dumps({**current, **keys} if isinstance(keys, Mapping) else keys)
    return values


STATIC_SECRETS_FILE = StaticSecrets.model_validate(
    {"applications": {"ingress-nginx": {key: {"value": pem} for key, pem in certificate("rsp.sandbox.test").items()}}},
)
"""Content of the sandbox's file of static secrets."""


def _replace_served_certificate(served: Certificate | None, patch: pytest.MonkeyPatch) -> None:
    def fetch(host: str) -> Certificate:
        if served is None:
            raise CertificateError(f"{host} does not answer")
        return served

    patch.setattr(served_certificate, "fetch", fetch)


_parse_mapping = documents.parse_mapping


@functools.cache
def _parsed(text: str | bytes, where: str) -> bytes:
    """Parse each file of a checkout once: they take a tenth of the duration of a run, which may change the result."""
    return pickle.dumps(_parse_mapping(text, where))


def _replace_checkout(path: Path, name: str, patch: pytest.MonkeyPatch) -> None:
    def resolve(repository: str, revision: str, *_: object, credentials: Credentials | None) -> Checkout:
        commit = COMMIT_OF_BRANCH if revision == "branch" else COMMIT
        return Checkout(repository=repository, revision=revision, commit=commit, path=path, credentials=credentials)

    def find_all(root: Path, manifests: list[dict[str, Any]], _values: object, _roots: object) -> list[Uses]:
        assert manifests
        return rendered.undeclared_readers(environment.load(root, name))

    patch.setattr(documents, "parse_mapping", lambda text, where: pickle.loads(_parsed(text, where)))  # noqa: S301
    patch.setattr(checkout, "resolve", resolve)
    patch.setattr(pins, "_last_changes", lambda tree, manifests: dict.fromkeys(manifests, tree.commit))
    patch.setattr(render, "applications", rendered.applications)
    patch.setattr(resource_uses, "find_all", find_all)
    patch.setattr(charts, "vendor", lambda root, name: root / "applications" / name)


OPENSTACK_ANSWERS: Mapping[str, InvokeAnswer] = {
    "openstack:networking/getNetwork:getNetwork": lambda arguments: {"id": f"{arguments['name']}-id"},
    "openstack:networking/getSubnet:getSubnet": lambda arguments: {"id": f"{arguments['name']}-id"},
    "openstack:dns/getDnsZone:getDnsZone": lambda arguments: {"id": f"{arguments['name']}-id"},
    "openstack:sharedfilesystem/getShareNetwork:getShareNetwork": lambda arguments: {"id": f"{arguments['name']}-id"},
    "openstack:images/getImageIds:getImageIds": {"ids": ["image-id"]},
    "openstack:identity/getAuthScope:getAuthScope": {
        "serviceCatalogs": [
            {"type": kind, "endpoints": [{"interface": "public", "region": "RegionOne", "url": url}]}
            for kind, url in (("dns", "https://dns.example.org"), ("identity", "https://keystone.example.org:5000"))
        ],
    },
}
