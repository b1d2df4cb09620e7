from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.core.v1 import Secret
from pulumi_kubernetes.helm.v3 import Release, RepositoryOptsArgs
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_openstack import dns, identity

CHART = "designate-certmanager-webhook"
CHART_VERSION = "0.9.2"
_REPOSITORY = "https://syseleven.github.io/designate-certmanager-webhook"
_INIT_IMAGE_TAG = "3.22"
"""Tag of the Alpine image; the chart's default is ``latest``."""


@dataclass(frozen=True, kw_only=True)
class ApplicationCredential:
    """An application credential of Keystone."""

    id: str
    """Its ID."""
    secret: str = field(repr=False)
    """Its secret."""


@dataclass(frozen=True, kw_only=True)
class DesignateSolverArgs:
    """Arguments of a `DesignateSolver`."""

    zone: str
    """Name of the zone, without the final dot."""
    credential: ApplicationCredential | None
    """Credential that may write the zone; None to create one."""
    namespace: str
    """Namespace of cert-manager."""
    region: str | None
    """OpenStack region of Designate; None if the cloud has a single region."""


class DesignateSolver(pulumi.ComponentResource):
    """A webhook that lets cert-manager solve DNS-01 challenges in a zone of Designate.

    The webhook is https://github.com/syseleven/designate-certmanager-webhook, from its published chart. Unless a
    credential is given, it uses an application credential that Keystone restricts to listing zones and writing
    recordsets of this zone.
    """

    webhook: Mapping[str, str]
    """Reference to the webhook in a solver of cert-manager."""

    def __init__(self, name: str, args: DesignateSolverArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:DesignateSolver", name, None, opts)
        child, region = ResourceOptions(parent=self), args.region
        look_up = pulumi.InvokeOptions(parent=self)
        catalog = identity.get_auth_scope_output(name=name, region=region, opts=look_up).service_catalogs
        if args.credential:
            credential_id = pulumi.Output.from_input(args.credential.id)
            credential_secret = pulumi.Output.secret(args.credential.secret)
        else:
            zone = dns.get_dns_zone_output(name=f"{args.zone}.", opts=look_up)
            # It belongs to the user: to any other one, Keystone forbids a refresh and the deletion.
            created = identity.ApplicationCredential(
                f"{name}-credential",
                description=f"cert-manager of {pulumi.get_stack()} proves names in {args.zone}, managed by Pulumi",
                access_rules=pulumi.Output.all(catalog, zone.id).apply(
                    lambda known: [
                        identity.ApplicationCredentialAccessRuleArgs(service="dns", method=method, path=path)
                        for method, path in requests(endpoint(known[0], "dns", region), known[1])
                    ],
                ),
                opts=ResourceOptions.merge(child, ResourceOptions(additional_secret_outputs=["secret"])),
            )
            credential_id, credential_secret = created.id, pulumi.Output.secret(created.secret)
        # The webhook reads the Secret at its start only, so a new credential gets a Secret with another name.
        secret_name = credential_id.apply(lambda each: f"designate-{each}")
        secret = Secret(
            f"{name}-credentials",
            metadata=ObjectMetaArgs(name=secret_name, namespace=args.namespace),
            immutable=True,
            string_data={
                "OS_AUTH_URL": catalog.apply(lambda known: keystone_v3(endpoint(known, "identity", region))),
                "OS_REGION_NAME": region or "",
                "OS_APPLICATION_CREDENTIAL_ID": credential_id,
                "OS_APPLICATION_CREDENTIAL_SECRET": credential_secret,
            },
            opts=child,
        )
        Release(
            f"{name}-webhook",
            name=CHART,
            namespace=args.namespace,
            chart=CHART,
            version=CHART_VERSION,
            repository_opts=RepositoryOptsArgs(repo=_REPOSITORY),
            values={
                "credentialsSecret": secret_name,
                "alpine": {"image": {"tag": _INIT_IMAGE_TAG}},
            },
            opts=ResourceOptions.merge(child, ResourceOptions(depends_on=[secret])),
        )
        # The name of the solver is `designateDNS` in its source; Kubernetes API resources are in lower case.
        self.webhook = {"groupName": "acme.syseleven.de", "solverName": "designatedns"}
        self.register_outputs({"webhook": self.webhook})


def requests(endpoint_url: str, zone_id: str) -> list[tuple[str, str]]:
    """Return method and path of each request that the webhook sends (https://docs.openstack.org/api-ref/dns/).

    Args:
        endpoint_url: Public endpoint of Designate. It depends on the proxy whether the service sees the part of the
            path before ``/v2`` when it compares a path with Keystone's access rules: each path is returned with and
            without that part.
        zone_id: ID of the zone.
    """
    recordsets = f"/v2/zones/{zone_id}/recordsets"
    called = [("GET", "/v2/zones"), ("GET", recordsets), ("POST", recordsets), ("DELETE", f"{recordsets}/*")]
    prefixes = sorted({"", urlsplit(endpoint_url).path.rstrip("/").removesuffix("/v2")})
    return [(method, f"{prefix}{path}") for prefix in prefixes for method, path in called]


def endpoint(catalog: Sequence[Any], service_type: str, region: str | None) -> str:
    """Return the public URL of a service in Keystone's catalog.

    Args:
        catalog: ``service_catalogs`` of the provider's ``getAuthScope``.
        service_type: Service type, such as ``dns``.
        region: Region, or None for any.

    Raises:
        pulumi.RunError: The region has no such service.
    """
    for service in catalog:
        if service["type"] == service_type:
            found = _public(service["endpoints"], region)
            if found:
                return found
    where = f" in {region}" if region else ""
    raise pulumi.RunError(
        f"rsp:cloud.region: the cloud has no public endpoint of a service of type {service_type}{where}"
    )


def keystone_v3(url: str) -> str:
    """Return the URL of version 3 of Keystone's API: the webhook treats all other URLs as version 2."""
    return f"{url.rstrip('/').removesuffix('/v3')}/v3"


def _public(endpoints: Iterable[Any], region: str | None) -> str | None:
    return next(
        (str(each["url"]) for each in endpoints if each["interface"] == "public" and region in (None, each["region"])),
        None,
    )
