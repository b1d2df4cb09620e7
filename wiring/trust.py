"""Helm values with which applications trust the servers that the configuration names.

Unlike those in wiring/application_values.py, they extend values of the repository, and the installation of Argo CD and
vault-secrets-operator needs them in every mode.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from config.applications import WiringMode
from config.stack_config import StackConfig
from phalanx.source import PhalanxSource
from phalanx.values import merge
from wiring import argocd_repository, vault_authority


def helm_values(config: StackConfig, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Helm values with which an application trusts the stack's servers; none is secret.

    Args:
        config: The stack configuration.
        name: Name of the application.
        values: Its merged Helm values.

    Returns:
        Helm values that override those of the application; empty if it needs none.
    """
    match name:
        case argocd_repository.ARGOCD:
            return argocd_repository.helm_values(config.phalanx.repository, config.phalanx.git_credentials, values)
        case vault_authority.OPERATOR:
            return vault_authority.helm_values(config.vault.ca_certificates, values)
        case _:
            return {}


def trusted(source: PhalanxSource, config: StackConfig) -> PhalanxSource:
    """Return an environment in which the applications trust the stack's servers, from their installation on.

    Args:
        source: The environment.
        config: The stack configuration. In mode ``verify``, the Applications override no values of the repository.
    """
    configured, charts = dict(source.configured), dict(source.charts)
    for name, chart in source.charts.items():
        if values := helm_values(config, name, source.values(name)):
            charts[name] = replace(chart, values=merge(chart.values, values))
            if config.applications.wiring is WiringMode.APPLY:
                configured[name] = merge(configured.get(name, {}), values)
    return replace(source, configured=configured, charts=charts)
