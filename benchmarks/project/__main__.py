"""A stack that consists of SecretStore, for a given number of Phalanx's applications."""

import os
from dataclasses import replace
from functools import partial
from pathlib import Path

from pulumi import ResourceOptions

from components.secret_access import AppRoleArgs
from components.secret_store import SecretStore, SecretStoreArgs
from config.vault import Vault
from phalanx import application, environment, secrets
from phalanx.secret_inputs import SecretInputs
from phalanx.secrets import Plan, Static
from probes import vault_secrets
from program.providers import vault_provider

ROOT = Path(os.environ["BENCHMARK_PHALANX"])

base = environment.load(ROOT, "ukidacprod")
names = sorted(path.name for path in (ROOT / "applications").iterdir())[: int(os.environ["BENCHMARK_APPLICATIONS"])]
everything = dict.fromkeys(names, True)
target = base.model_copy(update={"applications": everything, "vault_path_prefix": "benchmark/phalanx/everything"})
address = os.environ["VAULT_ADDR"]
needed = secrets.required(application.load_enabled(ROOT, target))
# Some copy secrets that an environment with all applications does not have; treat those as static.
plan = Plan(
    replace(each, origin=Static()) if each.source and each.source not in needed else each for each in needed.values()
)
approle = Vault().approle
found = vault_secrets.contents(address, target, approle)
static = {at: f"static value of {at}" for at, planned in plan.items() if isinstance(planned.origin, Static)}
inputs = SecretInputs(
    plan=plan,
    static=static,
    configured=frozenset(static),
    existing=found.secrets,
    oidc_clients="[]",
)

SecretStore(
    "secrets",
    SecretStoreArgs(
        environment=target,
        create_mount=True,
        approle=AppRoleArgs(
            path=approle.path,
            create_auth_method=True,
            exists=found.has_role,
            token_ttl=approle.token_ttl,
            token_max_ttl=approle.token_max_ttl,
            secret_id_rotation=approle.secret_id_rotation,
        ),
        write_token_ttl=Vault().write_token_ttl,
        inputs=inputs,
        mount_exists=found.has_mount,
        read_application=partial(vault_secrets.read_application, address, target),
        object_store_keys={},
        protect=False,
    ),
    ResourceOptions(providers=[vault_provider(address)]),
)
