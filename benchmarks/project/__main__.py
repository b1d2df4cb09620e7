"""A stack that consists of SecretStore, for a given number of Phalanx's applications."""

import os
from dataclasses import replace
from pathlib import Path

from pulumi import ResourceOptions

from components.secret_access import AppRoleArgs, WriteTokenArgs
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
found = vault_secrets.contents(address, target, Vault())
static = {key: f"static value of {key}" for key, planned in plan.items() if isinstance(planned.origin, Static)}
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
        mount=target.vault_mount,
        create_mount=True,
        mount_exists=found.has_mount,
        path=target.vault_path,
        approle=AppRoleArgs(
            name=target.vault_role,
            exists=found.has_role,
            policy=target.vault_read_policy,
            path=approle.path,
            create_auth_method=True,
            auth_method_exists=found.has_auth_method,
            token_ttl=approle.token_ttl,
            token_max_ttl=approle.token_max_ttl,
            secret_id_rotation=approle.secret_id_rotation,
        ),
        write_token=WriteTokenArgs(
            display_name=target.vault_role, policy=target.vault_write_policy, ttl=Vault().write_token_ttl
        ),
        secrets=inputs,
        read_at=found.read_at,
        object_store_keys={},
        protect=False,
    ),
    ResourceOptions(providers=[vault_provider(address)]),
)
