"""A cluster as described by the Magnum driver in `cluster.json`."""

from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from sandbox.errors import SandboxError

DESCRIPTION: Final = "cluster.json"
"""Name of the file in a cluster's directory."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Node(_Model):
    """A Nova server of the cluster, which becomes a Kubernetes node."""

    name: str
    server_id: str
    address: IPv4Address
    """Fixed address of its Neutron port."""
    role: str
    """`master`, `worker`, or another role of a node group."""
    node_group: str
    zone: str
    """Nova's availability zone."""
    flavor: str
    vcpus: int
    memory_mib: int
    disk_gib: int

    @property
    def is_master(self) -> bool:
        """True if it is a node of the control plane."""
        return self.role == "master"


class Network(_Model):
    """The nodes' network, with Neutron ids."""

    id: str
    name: str
    subnet_id: str
    external_id: str
    """External network, for floating IPs."""


class LoadBalancers(_Model):
    """Octavia's options for the load balancers of Services."""

    provider: str
    algorithm: str
    health_monitors: bool


class StorageClass(_Model):
    """A StorageClass that the driver makes for a Cinder volume type."""

    name: str
    volume_type: str
    availability_zone: str
    reclaim_policy: str
    default: bool


class Trust(_Model):
    """Keystone trust of the cluster's cloud controller and Cinder CSI."""

    auth_url: str
    region: str
    user_id: str
    password: SecretStr
    trust_id: str


class Description(_Model):
    """A Magnum cluster."""

    uuid: str
    name: str
    cluster_api_name: str = ""
    """Name in Cluster API, which the metadata of volumes contain; empty if an older sandbox wrote this."""
    project_id: str
    kubernetes_version: str
    """Kubernetes version with a leading `v`."""
    load_balancers: LoadBalancers
    storage_classes: tuple[StorageClass, ...] = ()
    """Empty in a description of an older sandbox."""
    network: Network
    trust: Trust | None
    """None if Magnum gives clusters no trust, so that they have no cloud controller and no Cinder CSI."""
    nodes: tuple[Node, ...]

    @classmethod
    def load(cls, directory: Path) -> "Description":
        """Read `cluster.json` in a cluster's directory.

        Raises:
            SandboxError: The file is missing or invalid.
        """
        path = directory / DESCRIPTION
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise SandboxError(f"cannot read {path} ({error.strerror}): Magnum's driver writes it") from error
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            raise SandboxError(f"{path}: {problems}") from error
