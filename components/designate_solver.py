from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.core.v1 import Secret
from pulumi_kubernetes.helm.v3 import Release, RepositoryOptsArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_openstack import dns, identity

from config.tls import Designate

CHART = "designate-certmanager-webhook"
CHART_VERSION = "0.9.2"
_REPOSITORY = "https://syseleven.github.io/designate-certmanager-webhook"
_INIT_IMAGE_TAG = "3.22"
"""Of Alpine, where the chart says ``latest``."""


class DesignateSolver(pulumi.ComponentResource):
    """cert-manager's way to a zone of Designate: a webhook in the cluster, and what it may do there.

    The webhook is https://github.com/syseleven/designate-certmanager-webhook, from its published chart. Unless a
    credential is given it logs in with an application credential of ours that lists zones and writes recordsets of
    the one zone, and that Keystone lets do nothing else in any service.
    """

    webhook: Mapping[str, str]
    """Which webhook a solver of cert-manager calls."""

    def __init__(
        self,
        name: str,
        settings: Designate,
        namespace: str,
        region: str | None,
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("rsp:index:DesignateSolver", name, {}, opts)
        child = ResourceOptions(parent=self)
        scope = identity.get_auth_scope_output(name=name, region=region, opts=pulumi.InvokeOptions(parent=self))
        if settings.credential:
            credential_id = pulumi.Output.from_input(settings.credential.id)
            credential_secret = pulumi.Output.secret(settings.credential.secret.get_secret_value())
        else:
            zone = dns.get_dns_zone_output(name=f"{settings.zone}.", opts=pulumi.InvokeOptions(parent=self))
            made = identity.ApplicationCredential(
                f"{name}-credential",
                description=f"cert-manager of {pulumi.get_stack()} proves names in {settings.zone}, managed by Pulumi",
                access_rules=pulumi.Output.all(scope.service_catalogs, zone.id).apply(
                    lambda found: [
                        identity.ApplicationCredentialAccessRuleArgs(service="dns", method=method, path=path)
                        for method, path in requests(endpoint(found[0], "dns", region), found[1])
                    ],
                ),
                opts=ResourceOptions.merge(child, ResourceOptions(additional_secret_outputs=["secret"])),
            )
            credential_id, credential_secret = made.id, pulumi.Output.secret(made.secret)
        # A new credential has a Secret of another name, since the webhook reads it at its start only.
        secret_name = credential_id.apply(lambda each: f"designate-{each}")
        secret = Secret(
            f"{name}-credentials",
            metadata=ObjectMetaArgs(name=secret_name, namespace=namespace),
            immutable=True,
            data={
                "OS_AUTH_URL": _base64(
                    scope.service_catalogs.apply(lambda found: keystone_v3(endpoint(found, "identity", region)))
                ),
                "OS_REGION_NAME": _base64(pulumi.Output.from_input(region or "")),
                "OS_APPLICATION_CREDENTIAL_ID": _base64(credential_id),
                "OS_APPLICATION_CREDENTIAL_SECRET": _base64(credential_secret),
            },
            opts=child,
        )
        Release(
            f"{name}-webhook",
            name=CHART,
            namespace=namespace,
            chart=CHART,
            version=CHART_VERSION,
            repository_opts=RepositoryOptsArgs(repo=_REPOSITORY),
            values={
                "credentialsSecret": secret_name,
                "alpine": {"image": {"tag": _INIT_IMAGE_TAG}},
            },
            opts=ResourceOptions.merge(child, ResourceOptions(depends_on=[secret])),
        )
        # Kubernetes knows the solver `designateDNS` of its source by lower-case letters only.
        self.webhook = {"groupName": "acme.syseleven.de", "solverName": "designatedns"}
        self.register_outputs({"webhook": self.webhook})


def requests(endpoint_url: str, zone_id: str) -> list[tuple[str, str]]:
    """Method and path of what the webhook asks of Designate (https://docs.openstack.org/api-ref/dns/).

    Args:
        endpoint_url: Public endpoint of Designate. What is before ``/v2`` in its path may or may not reach the service,
            which compares the path with Keystone's access rules, so that each is given both ways.
        zone_id: Id of the zone.
    """
    recordsets = f"/v2/zones/{zone_id}/recordsets"
    asked = [("GET", "/v2/zones"), ("GET", recordsets), ("POST", recordsets), ("DELETE", f"{recordsets}/*")]
    prefixes = sorted({"", urlsplit(endpoint_url).path.rstrip("/").removesuffix("/v2")})
    return [(method, f"{prefix}{path}") for prefix in prefixes for method, path in asked]


def endpoint(catalog: Sequence[Any], service_type: str, region: str | None) -> str:
    """The public URL of a service in Keystone's catalogue.

    Args:
        catalog: ``service_catalogs`` of the provider's ``getAuthScope``.
        service_type: Such as ``dns``.
        region: Name of the region, None for any.

    Raises:
        ValueError: If the region has no such service.
    """
    for service in catalog:
        if service["type"] == service_type:
            found = _public(service["endpoints"], region)
            if found:
                return found
    where = f" in {region}" if region else ""
    raise ValueError(f"the cloud has no public endpoint of a service of type {service_type}{where}")


def keystone_v3(url: str) -> str:
    """The URL of Keystone's third version: the webhook takes any other for the second."""
    return f"{url.rstrip('/').removesuffix('/v3')}/v3"


def _public(endpoints: Iterable[Any], region: str | None) -> str | None:
    return next(
        (str(each["url"]) for each in endpoints if each["interface"] == "public" and region in (None, each["region"])),
        None,
    )


def _base64(value: pulumi.Output[str]) -> pulumi.Output[str]:
    return value.apply(lambda text: b64encode(text.encode()).decode())
