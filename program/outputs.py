"""Stack outputs: the interface to other tools."""

from collections.abc import Mapping
from typing import NamedTuple

import pulumi

from components.argocd import ARGOCD
from components.ingress_address import IngressAddress
from components.nfs_server import NfsServer
from components.object_store import ObjectStore
from components.secret_store import SecretStore
from components.shared_filesystem import SharedFilesystem
from config.dns import DesignateDns
from phalanx import argocd_access
from phalanx.certificates import rfc3339
from program.cluster_contents import DeployedCluster
from program.preparation import Prepared
from wiring import dns_records

DESCRIPTIONS: Mapping[str, str] = {
    "platformUrl": "URL of the platform",
    "argocdUrl": "URL of Argo CD",
    "argocdLogin": "Command that logs in to Argo CD with its CLI",
    "certificateExpires": "Expiry of the platform's TLS certificate in UTC (RFC 3339); empty until one is served",
    "ingressAddress": "IPv4 address for the platform's DNS record",
    "dnsRecords": "DNS records that the site has to create, as in a zone file; empty if Designate has them",
    "activeCluster": "Name of the cluster that serves the platform",
    "clusterId": "ID of the active cluster in Magnum",
    "clusterApi": "URL of the Kubernetes API of the active cluster",
    "clusters": "ID in Magnum, URL of the Kubernetes API, and installed applications of each cluster, by name",
    "nfsAddress": "IPv4 address of the NFS server in the cluster's subnet; empty if there is none",
    "nfsExports": "Paths that the NFS server exports",
    "shares": "What clients of Manila's shares mount (`SERVER:PATH`), by name",
    "cephxKeys": "Keys of the shares' cephx identities by the name of the identity (secret)",
    "objectStoreUrl": "URL of the S3 service",
    "bucket": "Bucket for the results of TAP queries",
    "buckets": "Buckets of those TAP services that have their own, by application",
    "vaultUrl": "URL of the Vault that the applications read",
    "vaultPath": "Mount and path of the applications' secrets",
    "vaultWriteToken": "Token for `phalanx secrets sync` (secret)",
    "phalanxRepository": "Phalanx repository",
    "phalanxEnvironment": "Phalanx environment",
    "checkoutCommit": "Deployed commit of the Phalanx repository",
    "applications": "Deployed revision of each Argo CD Application of the active cluster, by name",
}
"""Descriptions of all outputs, by name."""


class Platform(NamedTuple):
    """Components with values that are exported."""

    ingress: IngressAddress
    nfs: NfsServer | None
    shares: Mapping[str, SharedFilesystem]
    store: ObjectStore
    secrets: SecretStore
    clusters: Mapping[str, DeployedCluster]


def export(prepared: Prepared, platform: Platform) -> None:
    """Export all outputs in `DESCRIPTIONS`."""
    source, active = prepared.source, platform.clusters[prepared.config.active]
    values: Mapping[str, pulumi.Input[object]] = {
        "platformUrl": f"https://{source.environment.fqdn}",
        "argocdUrl": active.argocd.url,
        "argocdLogin": argocd_access.login_command(source.environment.fqdn, source.applications[ARGOCD].values),
        "certificateExpires": rfc3339(prepared.certificate.expires) if prepared.certificate else "",
        "ingressAddress": platform.ingress.address,
        "dnsRecords": _dns_records(prepared, platform.ingress),
        "activeCluster": prepared.config.active,
        "clusterId": active.cluster.cluster_id,
        "clusterApi": active.cluster.api_address,
        "clusters": {name: _complete(each, prepared) for name, each in platform.clusters.items()},
        "nfsAddress": platform.nfs.address if platform.nfs else "",
        "nfsExports": platform.nfs.exports if platform.nfs else [],
        "shares": {name: share.location for name, share in platform.shares.items()},
        "cephxKeys": pulumi.Output.secret(
            {share.identity: share.access_key for share in platform.shares.values() if share.identity}
        ),
        "objectStoreUrl": platform.store.endpoint,
        "bucket": platform.store.bucket,
        "buckets": platform.store.buckets,
        "vaultUrl": source.environment.vault_url.rstrip("/"),
        "vaultPath": platform.secrets.path,
        "vaultWriteToken": platform.secrets.write_token,
        "phalanxRepository": source.checkout.repository,
        "phalanxEnvironment": source.environment.name,
        "checkoutCommit": source.checkout.commit,
        "applications": active.applications.revisions,
    }
    for name in DESCRIPTIONS:
        pulumi.export(name, values[name])


def _complete(deployed: DeployedCluster, prepared: Prepared) -> pulumi.Output[Mapping[str, object]]:
    """Return the facts of a cluster once all of its applications are deployed."""
    applications = prepared.source.manifests.applications.keys()
    awaited = applications - prepared.config.applications.not_awaited
    found = pulumi.Output.all(
        deployed.cluster.cluster_id, deployed.cluster.api_address, deployed.applications.revisions
    )
    return found.apply(
        lambda known: {
            "id": known[0],
            "api": known[1],
            "installed": prepared.deployed.with_installed(known[0], applications, awaited),
        }
    )


def _dns_records(prepared: Prepared, ingress: IngressAddress) -> pulumi.Input[list[str]]:
    if isinstance(prepared.config.dns, DesignateDns):
        return []
    host = prepared.source.environment.fqdn
    alias = dns_records.challenge_alias(host, prepared.config)
    return ingress.address.apply(lambda address: dns_records.lines(host, address, alias))
