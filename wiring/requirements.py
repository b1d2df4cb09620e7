"""What a stack's configuration requires of the applications in the Phalanx repository."""

from collections.abc import Iterator, Mapping
from typing import Any

from config.dns import DesignateDns
from config.shares import exported
from config.stack_config import StackConfig
from config.tls import LetsEncrypt
from phalanx.application import Application
from phalanx.environment import Environment, nearest
from phalanx.source import Check
from wiring import argocd_repository, dns_records, lab_volumes, vault_authority, verification

_OPERATOR = vault_authority.OPERATOR


def checker(config: StackConfig, vault_namespace: str | None = None) -> Check:
    """Return a function that reports requirements which an environment's applications do not meet.

    Args:
        config: The stack configuration.
        vault_namespace: Namespace of the secrets in Vault, None if it has none.
    """

    def check(environment: Environment, applications: Mapping[str, Application]) -> list[str]:
        problems = [
            f"environments/values-{environment.name}.yaml: applications.{name}: is false or missing, but {reason}"
            if name in environment.applications
            else f"environments/values.yaml: applications: has no {name}, but {other}"
            for name, reason, other in _needed(config.tls)
            if name not in applications
        ]
        problems += [
            f"rsp:objectStore.buckets.{service}: the Phalanx environment {environment.name} does not enable {service}: "
            "remove the bucket, or enable the application"
            for service in config.object_store.buckets
            if service not in applications
        ]
        problems += _dns_problems(config, environment)
        problems += [
            f"rsp:applications.overrides.{name}: {_disabled(name, environment)}"
            for name in config.applications.overrides
            if name not in environment.enabled_applications
        ]
        if _OPERATOR in applications:
            problems += _namespace_problems(environment.name, applications[_OPERATOR], vault_namespace or "")
            if config.vault.ca_file:
                problems += vault_authority.problems(applications[_OPERATOR])
        if "nublado" in applications:
            exports = exported(config.nfs, config.shares)
            elsewhere = {f"/{name}": f"shares.{name}" for name in config.shares if f"/{name}" not in exports}
            problems += lab_volumes.problems(applications["nublado"], exports, elsewhere)
        if config.phalanx.credentials and "argocd" in applications:
            problems += argocd_repository.problems(config.phalanx.repository, applications["argocd"])
        return problems + verification.problems(config, applications)

    return check


def warnings(config: StackConfig, applications: Mapping[str, Application]) -> list[str]:
    """Report what will not work, although it can be deployed, and may have been done by hand.

    Args:
        config: The stack configuration.
        applications: The environment's applications, which meet the requirements.
    """
    if config.nfs is None or "nublado" not in applications:
        return []
    directories = {f"/{name}": volume.directories for name, volume in config.nfs.volumes.items()}
    return list(lab_volumes.absent(applications["nublado"], directories))


def _dns_problems(config: StackConfig, environment: Environment) -> Iterator[str]:
    """Yield a problem if the zone does not contain the platform's name."""
    if isinstance(config.dns, DesignateDns) and not dns_records.contains(config.dns.zone, environment.fqdn):
        yield (
            f"rsp:dns.zone: {config.dns.zone} does not contain {environment.fqdn}, the fqdn in "
            f"environments/values-{environment.name}.yaml: set it to a zone that does, or rsp:dns.kind to external"
        )


def _disabled(name: str, environment: Environment) -> str:
    """Return why an application cannot be overridden, and what to do."""
    file, enabled = f"environments/values-{environment.name}.yaml", environment.enabled_applications
    if name in environment.applications:
        return (
            f"the application is not enabled ({file}: applications.{name}: is false): set it to true there, or remove "
            "the override"
        )
    return (
        f"Phalanx has no such application{nearest(name, enabled)}; expected one of those that {file} enables: "
        f"{', '.join(enabled)}"
    )


def _namespace_problems(environment: str, operator: Application, wanted: str) -> Iterator[str]:
    """Report a namespace in Vault that the cluster's operator does not use.

    Source: ``VAULT_NAMESPACE`` in ``internal/vault/vault.go`` of https://github.com/ricoberger/vault-secrets-operator.
    """
    keys = (_OPERATOR, "environmentVars")
    names = {each.get("name"): each.get("value") for each in vault_authority.variables(operator.values)}
    found = str(names.get("VAULT_NAMESPACE") or "")
    if found != wanted:
        yield (
            f"applications/{_OPERATOR}/values-{environment}.yaml: {'.'.join(keys)}: VAULT_NAMESPACE is "
            f"{found or 'not set'}, but this program's is {wanted or 'not set'}: set both to the namespace in Vault "
            "(repeat the other entries of the list, which Helm does not merge)"
        )


def _needed(tls: Any) -> Iterator[tuple[str, str, str]]:
    """Yield the applications without which the platform cannot be reached, and the reason with the fix.

    There are two: for an application that is not enabled, and for a Phalanx that does not have it. Each is known by its
    name, as this program sets values of its chart.
    """
    without = "set rsp:phalanx.revision to a commit that has it, or use a release of this program for the newer Phalanx"
    if isinstance(tls, LetsEncrypt):
        yield (
            "cert-manager",
            "it obtains the certificate, as rsp:tls.kind is letsencrypt: set it to true, or change rsp:tls.kind",
            f"it obtains the certificate, as rsp:tls.kind is letsencrypt: change rsp:tls.kind, or {without}",
        )
    # Argo CD reports an Ingress as progressing until a controller gives it an address.
    yield (
        "ingress-nginx",
        "it answers at the platform's floating IP: set it to true, as the new cluster has no other ingress controller",
        f"this program gives the platform's floating IP to no other ingress controller or Gateway: {without}",
    )
