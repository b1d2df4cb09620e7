"""Stack outputs, the interface to all tools that read them."""

from collections.abc import Mapping
from typing import NamedTuple

import pulumi

from components.ingress_address import IngressAddress
from components.nfs_server import NfsServer
from components.object_store import ObjectStore
from components.secret_store import SecretStore
from config.dns import DesignateDns
from phalanx.certificates import rfc3339
from program.checks import Checked
from program.cluster_contents import DeployedCluster
from wiring import dns_records

DESCRIPTIONS: Mapping[str, str] = {
    "platformUrl": "URL of the platform",
    "argocdUrl": "URL of Argo CD",
    "certificateExpires": "Expiry of the platform's TLS certificate in UTC (RFC 3339); empty until one is served",
    "ingressAddress": "IPv4 address for the platform's DNS record",
    "dnsRecords": "DNS records that the site has to create, as in a zone file; empty if Designate has them",
    "activeCluster": "Name of the cluster that serves the platform",
    "clusterId": "ID of the active cluster in Magnum",
    "clusterApi": "URL of the Kubernetes API of the active cluster",
    "clusters": "ID in Magnum and URL of the Kubernetes API of each cluster, by name",
    "nfsAddress": "IPv4 address of the NFS server in the cluster's subnet",
    "nfsExports": "Paths that the NFS server exports",
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
    nfs: NfsServer
    store: ObjectStore
    secrets: SecretStore
    clusters: Mapping[str, DeployedCluster]


def export(checked: Checked, platform: Platform) -> None:
    """Export all outputs in `DESCRIPTIONS`."""
    source, active = checked.source, platform.clusters[checked.config.active]
    values: Mapping[str, pulumi.Input[object]] = {
        "platformUrl": f"https://{source.environment.fqdn}",
        "argocdUrl": active.argocd.url,
        "certificateExpires": rfc3339(checked.certificate.expires) if checked.certificate else "",
        "ingressAddress": platform.ingress.address,
        "dnsRecords": _dns_records(checked, platform.ingress),
        "activeCluster": checked.config.active,
        "clusterId": active.cluster.cluster_id,
        "clusterApi": active.cluster.api_address,
        "clusters": {
            name: {"id": each.cluster.cluster_id, "api": each.cluster.api_address}
            for name, each in platform.clusters.items()
        },
        "nfsAddress": platform.nfs.address,
        "nfsExports": platform.nfs.exports,
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


def _dns_records(checked: Checked, ingress: IngressAddress) -> pulumi.Input[list[str]]:
    if isinstance(checked.config.dns, DesignateDns):
        return []
    host = checked.source.environment.fqdn
    alias = dns_records.challenge_alias(host, checked.config)
    return ingress.address.apply(lambda address: dns_records.lines(host, address, alias))
