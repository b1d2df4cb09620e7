"""A Phalanx environment that consists of secret definitions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from phalanx.application import Application
from phalanx.checkout import Checkout
from phalanx.definitions import SecretDefinition
from phalanx.environment import Environment
from phalanx.manifests import Manifests
from phalanx.secrets import SecretKey, resolve
from phalanx.source import PhalanxSource


def source(
    definitions: Mapping[str, Mapping[str, Mapping[str, Any]]],
    undeclared: Mapping[SecretKey, tuple[str, ...]] | None = None,
) -> PhalanxSource:
    """Return an environment whose applications define these secrets as in ``secrets.yaml``."""
    applications = {
        name: Application(
            name=name,
            values={},
            secrets={
                key: SecretDefinition.model_validate({"description": f"What {key} is for.", **definition})
                for key, definition in secrets.items()
            },
        )
        for name, secrets in definitions.items()
    }
    environment = Environment.model_validate(
        {
            "name": "roe",
            "fqdn": "rsp.example.org",
            "appOfAppsName": "science-platform",
            "vaultUrl": "https://vault.example.org",
            "vaultPathPrefix": "kv-v2/k8s_operator/roe",
            "repoUrl": "",
            "targetRevision": "",
            "applications": dict.fromkeys(applications, True),
        },
    )
    return PhalanxSource(
        checkout=Checkout(repository="https://example.org/phalanx", revision="main", commit="0" * 40, path=Path()),
        environment=environment,
        applications=applications,
        configured={},
        manifests=Manifests(namespaces={}, projects={}, applications={}),
        charts={},
        secrets=resolve(applications),
        undeclared=undeclared or {},
    )
