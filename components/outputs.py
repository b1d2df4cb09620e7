"""The stack's outputs: the contract with every tool that reads them, and nothing else is exported."""

from collections.abc import Mapping

import pulumi

DESCRIPTIONS: Mapping[str, str] = {
    "platformUrl": "Where users find the platform",
    "argocdUrl": "Where people find Argo CD",
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


def export(outputs: Mapping[str, pulumi.Input[object]]) -> None:
    """Export the stack's outputs.

    Args:
        outputs: A value for each output of ``DESCRIPTIONS``, no more and no fewer.

    Raises:
        ValueError: If one is missing or not known.
    """
    if differing := outputs.keys() ^ DESCRIPTIONS.keys():
        raise ValueError(f"outputs that are missing or not documented: {', '.join(sorted(differing))}")
    for name, value in outputs.items():
        pulumi.export(name, value)
