from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.core.v1 import Namespace, Secret
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.bootstrap_release import bootstrap_release
from phalanx.source import BootstrapChart

OPERATOR = "vault-secrets-operator"
"""Name of the application, its release and its namespace."""


@dataclass(frozen=True, kw_only=True)
class VaultSecretsOperatorArgs:
    """Arguments of a `VaultSecretsOperator`."""

    chart: BootstrapChart
    """Phalanx's chart of the operator."""
    namespace: Mapping[str, Any]
    """Metadata of its namespace, as rendered by Phalanx."""
    role_id: pulumi.Input[str] = field(repr=False)
    """Role ID of the AppRole with which the operator reads Vault (secret)."""
    secret_id: pulumi.Input[str] = field(repr=False)
    """Secret ID of the AppRole (secret)."""
    timeout: int
    """Seconds to wait until the operator is ready."""


class VaultSecretsOperator(pulumi.ComponentResource):
    """The operator that creates Secrets of the applications from Vault, with its credentials."""

    def __init__(self, name: str, args: VaultSecretsOperatorArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:VaultSecretsOperator", name, None, opts)
        namespace = Namespace(
            f"{name}-namespace",
            metadata=ObjectMetaArgs(**args.namespace),
            opts=ResourceOptions(parent=self),
        )
        credentials = Secret(
            f"{name}-credentials",
            metadata=ObjectMetaArgs(name="vault-credentials", namespace=OPERATOR),
            type="Opaque",
            string_data={
                "VAULT_ROLE_ID": pulumi.Output.secret(args.role_id),
                "VAULT_SECRET_ID": pulumi.Output.secret(args.secret_id),
            },
            opts=ResourceOptions(parent=self, depends_on=[namespace]),
        )
        bootstrap_release(
            f"{name}-release",
            OPERATOR,
            args.chart,
            timeout=args.timeout,
            opts=ResourceOptions(parent=self, depends_on=[credentials]),
        )
        self.register_outputs({})
