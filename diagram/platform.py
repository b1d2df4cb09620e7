"""What a diagram of a deployed platform shows, taken from the stack's state and its file."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from config.cluster import Cluster as Settings
from config.names import cluster_of
from config.resource_types import APPLICATION, CLUSTER, NODE_GROUP
from config.stack_config import StackConfig
from phalanx.errors import PhalanxError
from phalanx.values import get

_DRIVERS = {"capi": "Cluster API", "heat": "Heat"}
_TIMES = "\u00d7"
_SHOWN_ADDRESSES = 4
"""Maximum number of nodes' addresses in a box."""


class NothingDeployedError(PhalanxError):
    """The stack has no resources."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """A resource, or several that belong together."""

    title: str
    lines: tuple[str, ...] = ()
    """Addresses and properties; none is secret."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster and what is in it."""

    title: str
    nodes: tuple[Box, ...]
    """The control plane and the node groups."""
    argocd: Box
    storage: Box | None
    """The StorageClasses."""
    applications: Mapping[str, tuple[str, ...]]
    """Argo CD Applications by their Argo CD project, in alphabetical order."""


@dataclass(frozen=True, kw_only=True)
class Platform:
    """The boxes of the diagram, by their place in it."""

    title: str
    users: Box
    """Those who reach the platform, and the name by which they do."""
    phalanx: Box
    """The Phalanx repository."""
    vault: Box
    project: str
    """Name of the OpenStack project's area."""
    floating_ip: Box
    router: Box | None
    """The router; None if the network was there before."""
    object_store: Box
    network: str
    """Name of the network's area, with its CIDR."""
    load_balancers: tuple[Box, ...]
    """Load balancers: that of ingress-nginx first, that of the Kubernetes API last."""
    files: tuple[Box, ...]
    """Where the labs' directories are: shares in Manila, and the NFS server last."""
    volumes: Box | None
    """Data volumes of the NFS server."""
    clusters: tuple[Cluster, ...]
    """The clusters, the active one first."""


def read(stack: str, config: StackConfig, resources: Iterable[Mapping[str, Any]]) -> Platform:
    """Return what the diagram of a stack shows.

    Args:
        stack: Name of the stack.
        config: The stack's configuration.
        resources: Resources of the stack's state; their secrets may be encrypted, as none is read.

    Raises:
        NothingDeployedError: The stack has no cluster.
    """
    state = _State(resources, config.clusters)
    outputs = state.first("pulumi:pulumi:Stack")
    names = sorted(config.clusters, key=lambda name: name != config.active)
    clusters = [_cluster(name, state, config, outputs) for name in names if state.within(name).first(CLUSTER)]
    if not clusters:
        raise NothingDeployedError(f"the stack {stack} has no cluster in its state: run `pulumi up -s {stack}` first")
    subnet = state.first("openstack:networking/subnet:Subnet")
    fqdn = _text(outputs, "platformUrl").removeprefix("https://")
    secrets = len(state.all("vault:kv/secretV2:SecretV2"))
    records = outputs.get("dnsRecords")
    in_designate = state.all("openstack:dns/recordSet:RecordSet")
    region = f", region {config.cloud.region}" if config.cloud.region else ""
    return Platform(
        title=f"Rubin Science Platform {stack}",
        users=Box(
            title="Users",
            lines=_lines(
                _text(outputs, "platformUrl"),
                "DNS records in Designate" if in_designate and not records else "",
                _prefixed("certificate until ", _text(outputs, "certificateExpires").partition("T")[0]),
            ),
        ),
        phalanx=Box(
            title="Phalanx repository",
            lines=_lines(
                _text(outputs, "phalanxRepository"),
                _prefixed("environment ", _text(outputs, "phalanxEnvironment")),
                _prefixed("commit ", _text(outputs, "checkoutCommit")[:12]),
            ),
        ),
        vault=Box(
            title="Vault",
            lines=_lines(_text(outputs, "vaultUrl"), _text(outputs, "vaultPath"), f"{secrets} secrets"),
        ),
        project=f"OpenStack {config.cloud.name}{region}",
        floating_ip=Box(title="Floating IP", lines=_lines(_text(outputs, "ingressAddress"), fqdn)),
        router=_router(state, config),
        object_store=Box(
            title="Object store",
            lines=_lines(
                _text(outputs, "objectStoreUrl"),
                _prefixed("bucket ", _text(outputs, "bucket")),
                *(f"bucket {name} ({service})" for service, name in _mapping(outputs, "buckets").items()),
            ),
        ),
        network=f"Network {_network_name(state, config)}, {_text(subnet, 'cidr') or config.network.cidr}",
        load_balancers=_load_balancers(state, config, outputs),
        files=_files(state, outputs),
        volumes=_volumes(state),
        clusters=tuple(clusters),
    )


class _State:
    """Outputs of the resources in a state.

    Args:
        resources: The resources.
        clusters: Names of the stack's clusters.
    """

    def __init__(self, resources: Iterable[Mapping[str, Any]], clusters: Collection[str]) -> None:
        # A resource that is being replaced is there twice.
        self._resources = [each for each in resources if not each.get("delete")]
        self._clusters = clusters

    def within(self, cluster: str) -> "_State":
        """Return those in a cluster, as far as resources of their types are in one."""
        names = ((each["urn"].rpartition("::")[2], each) for each in self._resources)
        inside = [each for name, each in names if cluster_of(name, self._clusters) == cluster]
        return _State(inside, self._clusters)

    def all(self, type_token: str) -> list[Mapping[str, Any]]:
        found = (each for each in self._resources if each["type"] == type_token)
        return [outputs for each in found if isinstance(outputs := each.get("outputs"), Mapping)]

    def first(self, type_token: str) -> Mapping[str, Any]:
        return next(iter(self.all(type_token)), {})


def _text(outputs: Mapping[str, Any], key: str) -> str:
    """Return an output as text; empty if it is missing, or a secret, which is a mapping in the state."""
    value = outputs.get(key)
    return str(value) if isinstance(value, str | int | float) else ""


def _mapping(outputs: Mapping[str, Any], key: str) -> dict[str, str]:
    value = outputs.get(key)
    return {each: _text(value, each) for each in sorted(value)} if isinstance(value, Mapping) else {}


def _texts(outputs: Mapping[str, Any], key: str) -> list[str]:
    value = outputs.get(key)
    return [each for each in value if isinstance(each, str)] if isinstance(value, Sequence) else []


def _lines(*lines: str) -> tuple[str, ...]:
    return tuple(line for line in lines if line)


def _prefixed(prefix: str, text: str) -> str:
    return f"{prefix}{text}" if text else ""


def _network_name(state: _State, config: StackConfig) -> str:
    if config.network.adopt:
        return config.network.adopt.network
    return _text(state.first("openstack:networking/network:Network"), "name")


def _router(state: _State, config: StackConfig) -> Box | None:
    router = state.first("openstack:networking/router:Router")
    if not router:
        return None
    return Box(title="Router", lines=_lines(_text(router, "name"), f"to {config.network.external_network}"))


def _load_balancers(state: _State, config: StackConfig, outputs: Mapping[str, Any]) -> tuple[Box, ...]:
    provider = f"Octavia, provider {config.ingress.load_balancer_provider}"
    api = Box(title="Load balancer of the API", lines=_lines(_text(outputs, "clusterApi"), provider))
    own = [
        Box(title=_text(each, "name"), lines=_lines(_text(each, "vipAddress"), provider))
        for each in state.all("openstack:loadbalancer/loadBalancer:LoadBalancer")
    ]
    # By default the cluster's cloud controller creates it, so that the state has only the floating IP that it uses.
    by_controller = Box(
        title="Load balancer of ingress-nginx",
        lines=_lines(_text(state.first("openstack:networking/floatingIp:FloatingIp"), "fixedIp"), provider),
    )
    return (*(own or [by_controller]), api)


def _files(state: _State, outputs: Mapping[str, Any]) -> tuple[Box, ...]:
    shares = [
        f"{_text(each, 'name')}: {_text(each, 'size')} GiB {_text(each, 'shareProto')}"
        for each in state.all("openstack:sharedfilesystem/share:Share")
    ]
    found = [Box(title="Manila shares", lines=tuple(sorted(shares)))] if shares else []
    if instance := state.first("openstack:compute/instance:Instance"):
        size = " ".join(_lines(_text(instance, "flavorName"), _text(instance, "imageName")))
        lines = _lines(_text(outputs, "nfsAddress"), _text(instance, "name"), size)
        found.append(Box(title="NFS server", lines=lines))
    return tuple(found)


def _volumes(state: _State) -> Box | None:
    lines = [
        f"{_text(each, 'name')}: {_text(each, 'size')} GiB {_text(each, 'volumeType')}".rstrip()
        for each in state.all("openstack:blockstorage/volume:Volume")
    ]
    return Box(title="Cinder volumes", lines=tuple(sorted(lines))) if lines else None


def _cluster(name: str, state: _State, config: StackConfig, outputs: Mapping[str, Any]) -> Cluster:
    inside, settings = state.within(name), config.clusters[name]
    cluster = inside.first(CLUSTER)
    active = "" if len(config.clusters) == 1 else ", active" if name == config.active else ", not active"
    return Cluster(
        title=f"Cluster {_text(cluster, 'name')}, Kubernetes {settings.kubernetes_version} "
        f"({_DRIVERS[settings.driver]}){active}",
        nodes=_nodes(inside, settings, cluster, with_api=name != config.active),
        argocd=Box(title="Argo CD", lines=_lines(_text(outputs, "argocdUrl") if name == config.active else "")),
        storage=_storage(inside),
        applications=_applications(inside),
    )


def _nodes(state: _State, settings: Settings, cluster: Mapping[str, Any], *, with_api: bool) -> tuple[Box, ...]:
    shown = _texts(cluster, "nodeAddresses")[:_SHOWN_ADDRESSES]
    more = len(_texts(cluster, "nodeAddresses")) - len(shown)
    masters = Box(
        title="Control plane",
        lines=_lines(
            f"{_text(cluster, 'masterCount')} {_TIMES} {_text(cluster, 'masterFlavor')}",
            *_texts(cluster, "masterAddresses"),
            _text(cluster, "apiAddress") if with_api else "",
        ),
    )
    workers = Box(
        title="Node group default-worker",
        lines=_lines(
            f"{_text(cluster, 'nodeCount')} {_TIMES} {_text(cluster, 'flavor')}", _scaling(settings.workers.autoscaling)
        ),
    )
    groups = [
        Box(
            title=f"Node group {_text(each, 'name')}",
            lines=_lines(
                f"{_text(each, 'nodeCount')} {_TIMES} {known.flavor if known else _text(each, 'flavorId')}",
                _scaling(known.autoscaling if known else None),
            ),
        )
        for each in state.all(NODE_GROUP)
        for known in [settings.node_groups.get(_text(each, "name"))]
    ]
    addresses = Box(title="Nodes of all groups", lines=(*shown, *([f"and {more} more"] if more > 0 else [])))
    return (masters, workers, *groups, *([addresses] if shown else []))


def _scaling(limits: Any) -> str:
    return f"autoscaling {limits.minimum} to {limits.maximum}" if limits else ""


def _storage(state: _State) -> Box | None:
    names = [
        _text(metadata, "name") + (" (default)" if "true" in _mapping(metadata, "annotations").values() else "")
        for each in state.all("kubernetes:storage.k8s.io/v1:StorageClass")
        if isinstance(metadata := each.get("metadata"), Mapping)
    ]
    return Box(title="StorageClasses", lines=tuple(sorted(names))) if names else None


def _applications(state: _State) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for each in state.all(APPLICATION):
        project, name = get(each, ("spec", "project")), get(each, ("metadata", "name"))
        if isinstance(project, str) and isinstance(name, str):
            found.setdefault(project, []).append(name)
    return {project: tuple(sorted(found[project])) for project in sorted(found)}
