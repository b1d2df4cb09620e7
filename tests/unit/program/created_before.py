"""OpenStack and Vault with what a configuration created, which the checks compare a changed one with."""

import functools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import hvac.exceptions
import pytest

from config.names import cloud_name, vault_description
from config.network import NetworkSettings
from config.stack_config import StackConfig
from config.vault_stack import VaultStackConfig
from phalanx import environment as phalanx_environment
from probes import existing_vault, openstack_preflight
from probes.openstack_connection import connect_as_provider
from tests.unit.probes import recorded_magnum
from tests.unit.probes.fake_project import FakeProject, named, networks
from tests.unit.program.conftest import CHECKOUTS
from tests.unit.recording import STACK
from tests.unit.sample import environment


def openstack_refusals(before: StackConfig, after: StackConfig, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Yield the messages of the preflight with what a configuration created."""
    project = _project_of(before)
    monkeypatch.setattr("openstack.connect", lambda **_: project)
    connect = functools.partial(connect_as_provider, after.cloud)
    with ThreadPoolExecutor(8) as pool:
        for problem in openstack_preflight.check(after, STACK, connect, pool)(()):
            if problem.fatal:
                yield str(problem)


def _project_of(config: StackConfig) -> FakeProject:
    project = FakeProject()
    project.images += [
        *named("debian-13", os_distro="debian", properties={}, min_disk=0),
        *named("ubuntu-2404-kube-v1.36.3-2", os_distro="ubuntu", properties={"kube_version": "v1.36.3"}),
        *named("ubuntu-2404-kube-v1.37.0", os_distro="ubuntu", properties={"kube_version": "v1.37.0"}),
        *named("fedora-coreos-39", os_distro="fedora-coreos", properties={}),
    ]
    project.keypairs += named("others")
    project.cores = 200
    for resource in ("security_groups", "security_group_rules", "ports"):
        project.networking_quota[resource] = {"limit": 200, "used": 0}
    project.load_balancer_quota = dict.fromkeys(project.load_balancer_quota, -1)
    project.volume_zones += named("az-1", "az-2", state={"available": True})
    project.external += named("external-2")
    project.zones += named("lsst.ac.uk.", "ac.uk.", project_id="project-id", type="PRIMARY", status="ACTIVE")
    project.network.ips = lambda **_: [
        SimpleNamespace(
            floating_ip_address=f"203.0.113.{number}",
            floating_network_id="id-of-external",
            port_id=None,
            description="",
        )
        for number in (8, 9)
    ]
    _place(project, config.network, config.project, "nfs")
    project.volumes = [
        SimpleNamespace(
            name=cloud_name(STACK, f"nfs-{name}"),
            size=volume.size,
            volume_type=volume.type,
            availability_zone=volume.availability_zone or "nova",
        )
        for name, volume in (config.nfs.volumes if config.nfs else {}).items()
    ]
    project.shares = [
        SimpleNamespace(
            name=cloud_name(STACK, f"share-{name}"),
            size=share.size,
            share_protocol=share.protocol,
            share_type=share.type,
            share_network_id=None,
        )
        for name, share in config.shares.items()
    ]
    for name, cluster in config.clusters.items():
        project.clusters[cloud_name(STACK, name)] = recorded_magnum.cluster(
            config, flavor_id=f"id-of-{cluster.workers.flavor}"
        )
    project.templates["template-uuid"] = recorded_magnum.template(config)
    return project


def _place(project: FakeProject, settings: NetworkSettings, name: str, server: str) -> None:
    """Put a server's port into the network that a configuration creates or adopts."""
    own = cloud_name(STACK, "network", name)
    network, subnet = (settings.adopt.network, settings.adopt.subnet) if settings.adopt else (own, own)
    project.networks = networks("shared", "other" if settings.adopt else own)
    subnets = named("shared-v4", "other-v4", own, cidr=str(settings.cidr))
    project.network.subnets = lambda **_: subnets
    project.ports[cloud_name(STACK, server, name)] = SimpleNamespace(
        network_id=f"id-of-{network}", fixed_ips=[{"subnet_id": f"id-of-{subnet}"}]
    )


def vault_refusals(before: StackConfig, after: StackConfig, stack: str) -> Iterator[str]:
    """Yield the messages of the checks with a Vault in which a configuration created its mount and auth method."""
    phalanx = phalanx_environment.load(CHECKOUTS[stack], stack)
    ours = {"description": vault_description(STACK)}
    mounts = {
        "secret": {f"{phalanx.vault_mount}/": {"type": "kv", "options": {"version": "2"}, **ours}},
        "auth": {f"{before.vault.approle.path}/": {"type": "approle", **ours}},
    }

    def get(path: str) -> dict[str, Any]:
        if path != "/v1/sys/internal/ui/mounts":
            raise hvac.exceptions.InvalidPath
        return {"data": mounts}

    client: Any = SimpleNamespace(adapter=SimpleNamespace(get=get))
    for problem in existing_vault.check(client, phalanx, after.vault, STACK):
        if problem.fatal:
            yield str(problem)


def vault_project_of(config: VaultStackConfig) -> FakeProject:
    """Return an OpenStack project with what a configuration of the Vault project created."""
    project = _project_of(environment())
    _place(project, config.network, config.project, "vault")
    volume = config.server.volume
    project.volumes = [
        SimpleNamespace(
            name=cloud_name(STACK, "vault-data", config.project),
            size=volume.size,
            volume_type=volume.type,
            availability_zone=volume.availability_zone or "nova",
        )
    ]
    return project
