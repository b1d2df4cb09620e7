"""The stack's outputs: the contract with every tool that reads them, and nothing else is exported."""

from collections.abc import Mapping

import pulumi

from components.applications import Applications
from components.argocd import ArgoCd
from components.ingress_address import IngressAddress
from components.magnum_cluster import MagnumCluster
from components.nfs_server import NfsServer
from components.object_store import ObjectStore
from components.secret_store import SecretStore
from phalanx.certificates import Certificate, rfc3339
from phalanx.source import PhalanxSource

DESCRIPTIONS: Mapping[str, str] = {
    "platformUrl": "Where users find the platform",
    "argocdUrl": "Where people find Argo CD",
    "certificateExpires": "When the platform's TLS certificate ends, in UTC (RFC 3339); empty until one is served",
    "ingressAddress": "IPv4 address for the platform's name in the DNS",
    "clusterId": "Magnum's id of the cluster",
    "clusterApi": "URL of the Kubernetes API",
    "nfsAddress": "IPv4 address of the NFS server in the cluster's subnet",
    "nfsExports": "Paths that the NFS server exports",
    "objectStoreUrl": "URL of the S3 service",
    "bucket": "Bucket for the results of TAP queries",
    "vaultUrl": "URL of the Vault that the applications read",
    "vaultPath": "Mount and path below which each application has a secret",
    "vaultWriteToken": "Token for `phalanx secrets sync` (secret)",
    "phalanxRepository": "Phalanx repository",
    "phalanxEnvironment": "Phalanx environment",
    "checkoutCommit": "Commit of the Phalanx repository that this stack was deployed from",
    "applications": "Revision that each Argo CD Application is deployed from, by its name",
}
"""Every output and what it says."""


def export(  # noqa: PLR0913, PLR0917  # whatever has something to say
    source: PhalanxSource,
    certificate: Certificate | None,
    ingress: IngressAddress,
    nfs: NfsServer,
    store: ObjectStore,
    cluster: MagnumCluster,
    secrets: SecretStore,
    argocd: ArgoCd,
    applications: Applications,
) -> None:
    """Export every output of ``DESCRIPTIONS``."""
    values: Mapping[str, pulumi.Input[object]] = {
        "platformUrl": f"https://{source.environment.fqdn}",
        "argocdUrl": argocd.url,
        "certificateExpires": rfc3339(certificate.expires) if certificate else "",
        "ingressAddress": ingress.address,
        "clusterId": cluster.cluster_id,
        "clusterApi": cluster.api_address,
        "nfsAddress": nfs.address,
        "nfsExports": nfs.exports,
        "objectStoreUrl": store.endpoint,
        "bucket": store.bucket,
        "vaultUrl": source.environment.vault_url.rstrip("/"),
        "vaultPath": secrets.path,
        "vaultWriteToken": secrets.write_token,
        "phalanxRepository": source.checkout.repository,
        "phalanxEnvironment": source.environment.name,
        "checkoutCommit": source.checkout.commit,
        "applications": applications.revisions,
    }
    for name in DESCRIPTIONS:
        pulumi.export(name, values[name])
