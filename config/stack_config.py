from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from config.applications import ApplicationsSettings
from config.backups import BACKUPS, Backups, existing_volumes, named_claims, something_to_back_up
from config.changes import in_place, refused, this_run
from config.cloud import Cloud
from config.cluster import Cluster
from config.clusters import ClusterName, Clusters, different_values, different_volumes, one_active
from config.dns import Dns, ExternalDns
from config.ingress import Ingress, fixed_nodes
from config.monitoring import Monitoring
from config.names import PROJECT
from config.network import NetworkSettings
from config.network_rules import allowed_clients, fixed_address, overlaps, room_for_nodes, room_for_pods
from config.nfs import Nfs, NfsVolume
from config.node_groups import supported_by_driver
from config.object_store import ObjectStoreSettings
from config.phalanx import Phalanx
from config.shares import Shares, locations_in_no_repository, storage
from config.stack_file import Rule, StackFile
from config.tls import PhalanxCertificate, Tls
from config.vault import Secrets, Vault


class StackConfig(StackFile):
    """Configuration of one Rubin Science Platform."""

    project: ClassVar[str] = PROJECT
    rules: ClassVar[Sequence[Rule]] = (
        fixed_address,
        overlaps,
        allowed_clients,
        room_for_nodes,
        room_for_pods,
        supported_by_driver,
        fixed_nodes,
        existing_volumes,
        something_to_back_up,
        named_claims,
        storage,
        locations_in_no_repository,
        one_active,
        different_values,
        different_volumes,
    )

    cloud: Cloud = Field(description="OpenStack project to deploy into")
    network: NetworkSettings = Field(description="Private network of the cluster and the NFS server")
    nfs: Annotated[
        Nfs | None,
        # The default in Pulumi.yaml, which cannot be null.
        BeforeValidator(lambda given: None if given == {} else given),
        in_place("creates the server with its volumes. The removal is refused, as it would delete protected volumes"),
    ] = Field(default=None, description="NFS server and its volumes; none if all directories are shares")
    shares: Shares = Field(
        default={},
        max_length=20,
        description="Manila shares by name: applications mount the NFS share `jhome` where Phalanx has /jhome",
        examples=[{"jhome": {"size": 1000, "type": "cephfs-nfs"}}],
    )
    backups: Annotated[Backups, BACKUPS] = Field(default=Backups(), description="Backups of the volumes")
    clusters: Annotated[
        Clusters,
        in_place(
            "creates a cluster with all applications, or deletes one that is not the active one "
            "(docs/runbooks/blue-green.md)"
        ),
    ] = Field(
        min_length=1,
        max_length=2,
        description=(
            "Kubernetes clusters, by names that you choose: one, or two while one replaces the other. A cluster keeps "
            "its name"
        ),
        examples=[
            {
                "blue": {
                    "image": "ubuntu-2404-kube-v1.36.3",
                    "masters": {"flavor": "m1.medium", "count": 3},
                    "workers": {"flavor": "m1.large", "count": 3},
                }
            }
        ],
    )
    active_cluster: Annotated[
        ClusterName | None,
        in_place(
            "moves the platform's address to the other cluster, and the users with it (docs/runbooks/blue-green.md)"
        ),
    ] = Field(
        default=None,
        description="Name of the cluster that serves the platform; required with two clusters",
        examples=["blue"],
    )
    ingress: Ingress = Field(default=Ingress(), description="Load balancer of ingress-nginx")
    dns: Annotated[Dns, in_place("creates or deletes the records of the platform's name")] = Field(
        default=ExternalDns(kind="external"), description="DNS records of the platform's name"
    )
    object_store: Annotated[
        ObjectStoreSettings,
        refused(
            "from swift to s3, as the protected containers would be deleted; unprotect them (`pulumi state "
            "unprotect`): they are kept with their objects. From s3 to swift, containers and keys are created"
        ),
    ] = Field(description="Object store for the results of TAP queries")
    vault: Vault = Field(default=Vault(), description="Vault for the secrets of the applications")
    secrets: Secrets = Field(default=Secrets(), description="Static secrets, which the operator provides")
    tls: Annotated[
        Tls,
        in_place("updates the Applications of ingress-nginx, cert-manager and argocd; creates or deletes the issuer"),
    ] = Field(
        default=PhalanxCertificate(kind="phalanx"),
        description="Source of the platform's TLS certificate",
    )
    phalanx: Phalanx = Field(description="Phalanx repository, revision and environment to deploy")
    applications: ApplicationsSettings = Field(description="Deployment and storage of the applications")
    monitoring: Monitoring = Field(
        default=Monitoring(), description="Alerts and a dashboard, in a cluster with a Prometheus operator and Grafana"
    )
    protect: Annotated[
        bool, this_run("marks resources in the state before an operation that would delete them; updates none")
    ] = Field(
        default=True,
        description=(
            "Protect resources with data or with addresses that others use against deletion; "
            "set to false only to destroy the platform"
        ),
    )
    enforce_preflight: Annotated[bool, this_run("decides whether the checks stop the run")] = Field(
        default=True,
        description=(
            "Stop before the first resource if OpenStack or Vault would refuse the deployment; set to false to deploy "
            "in spite of such a problem, which is then logged as a warning"
        ),
    )

    @property
    def nfs_volumes(self) -> Mapping[str, NfsVolume]:
        """Volumes of the NFS server by the name of their export; empty without a server."""
        return self.nfs.volumes if self.nfs else {}

    @property
    def cluster(self) -> Cluster:
        """The cluster that serves the platform."""
        return self.clusters[self.active]

    @property
    def active(self) -> str:
        """Name of the cluster that serves the platform."""
        return self.active_cluster or next(iter(self.clusters))

    @property
    def kubernetes_versions(self) -> frozenset[str]:
        """Kubernetes releases of all clusters."""
        return frozenset(each.kubernetes_version for each in self.clusters.values())
