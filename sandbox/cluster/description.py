"""What Magnum says of a cluster: the content of `cluster.json`, which the Magnum driver writes."""

from ipaddress import IPv4Address
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from sandbox.errors import SandboxError


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Node(_Model):
    """A Nova server of the cluster, which becomes a Kubernetes node."""

    name: str
    server_id: str
    address: IPv4Address
    """Fixed address of its Neutron port."""
    role: str
    """`master`, `worker`, or another role that a node group was given."""
    node_group: str
    zone: str
    """Nova's availability zone."""
    flavor: str
    vcpus: int
    memory_mib: int
    disk_gib: int

    @property
    def is_master(self) -> bool:
        """Whether it belongs to the control plane."""
        return self.role == "master"


class Network(_Model):
    """Neutron ids of where the nodes are."""

    id: str
    name: str
    subnet_id: str
    external_id: str
    """The external network, which floating IPs come from."""


class Trust(_Model):
    """The Keystone trustee whom the cluster's cloud controller acts as."""

    auth_url: str
    region: str
    user_id: str
    password: SecretStr
    trust_id: str


class Description(_Model):
    """A cluster as Magnum has it."""

    uuid: str
    name: str
    project_id: str
    kube_tag: str | None
    """Kubernetes version with its leading `v`; None where neither cluster nor template name one."""
    network_driver: Literal["calico", "flannel"] | None
    labels: dict[str, str]
    network: Network
    trust: Trust | None
    """None where the cloud hands its clusters no trust, so that they have no cloud controller."""
    nodes: tuple[Node, ...]

    @classmethod
    def load(cls, directory: Path) -> "Description":
        """Read `cluster.json` of a cluster's directory.

        Raises:
            SandboxError: It is missing or not of this shape.
        """
        path = directory / "cluster.json"
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise SandboxError(
                f"cannot read {path} ({error.strerror}): it is Magnum's driver that writes it"
            ) from error
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            raise SandboxError(f"{path}: {problems}") from error
