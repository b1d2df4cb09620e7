"""Checks whether a stack can be deployed in an OpenStack project."""

import functools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from config.names import cloud_name
from config.stack_config import StackConfig
from config.tls import Designate, LetsEncrypt
from probes import quota
from probes.problem import Problem

if TYPE_CHECKING:
    from openstack.connection import Connection

TIMEOUT = 10
"""Timeout of a request in seconds."""

# It logs that Keystone is unreachable, which is reported below.
logging.getLogger("keystoneauth").addHandler(logging.NullHandler())


def check(config: StackConfig, stack: str, executor: Executor) -> list[Problem]:
    """Check the project with read-only requests.

    Args:
        config: The stack configuration.
        stack: Name of the stack, which identifies its existing resources.
        executor: Runs the requests to the services concurrently.
    """
    connection = connect(config)
    if isinstance(connection, Problem):
        return [connection]
    project = _Project(config, stack, connection, executor)
    # All requests to a missing service would fail, too.
    if missing := list(project.services()):
        return missing
    checks: dict[str, Callable[[], Iterable[Problem]]] = {
        "Keystone": project.credentials,
        "Neutron": project.network,
        "Glance": project.images,
        "Nova": project.compute,
        "Cinder": project.volume_types,
        "the quotas": project.quota,
    }
    if project.dns_zone is not None:
        checks["Designate"] = project.zones
    results = executor.map(lambda service: _run(service, checks[service]), checks)
    return [problem for found in results for problem in found]


def connect(config: StackConfig) -> "Connection | Problem":
    """Return an authenticated connection, or the reason why the login fails."""
    import openstack  # noqa: PLC0415  # takes a second to import
    from keystoneauth1 import exceptions as keystone  # noqa: PLC0415
    from openstack import exceptions  # noqa: PLC0415

    cloud = config.cloud
    try:
        connection = openstack.connect(
            cloud=cloud.name,
            region_name=cloud.region,
            api_timeout=TIMEOUT,
            app_name="rsp-preflight",
        )
    except exceptions.ConfigException as error:
        return Problem(
            where="rsp:cloud",
            what=f"{_sentence(error)}: set it to an entry of clouds.yaml and one of its regions, "
            "or set OS_CLIENT_CONFIG_FILE to the path of the right clouds.yaml",
        )
    where = f"Keystone at {connection.config.get_auth_args().get('auth_url', 'an unknown address')}"
    try:
        connection.authorize()
    except (exceptions.SDKException, keystone.ClientException) as error:
        return _refusal(where, cloud.name, error)
    return connection


def _refusal(where: str, cloud: str, error: Exception) -> Problem:
    """Explain why Keystone refuses to issue a token."""
    from keystoneauth1 import exceptions as keystone  # noqa: PLC0415

    causes = list(_causes(error))
    if any(isinstance(cause, keystone.Unauthorized) for cause in causes):
        return Problem(
            where=where,
            what=f"refuses the credentials of cloud `{cloud}`: check user, password and project in clouds.yaml",
        )
    if any(isinstance(cause, keystone.SSLError) for cause in causes):
        return Problem(
            where=where,
            what=f"has an untrusted certificate: set `cacert` of cloud `{cloud}` in clouds.yaml to the file of its CA",
        )
    if any(isinstance(cause, keystone.ConnectFailure | keystone.DiscoveryFailure) for cause in causes):
        return Problem(where=where, what="does not answer: check auth_url in clouds.yaml and the network")
    return Problem(where=where, what=f"does not issue a token: {_sentence(error)}")


@dataclass(frozen=True)
class _Project:
    """The checks of the project, one method per service."""

    config: StackConfig
    stack: str
    connection: "Connection"
    executor: Executor

    @functools.cached_property
    def flavors(self) -> Mapping[str, quota.Flavor]:
        """All flavors, by name."""
        return {each.name: quota.Flavor(vcpus=each.vcpus, ram=each.ram) for each in self.connection.compute.flavors()}

    def credentials(self) -> Iterator[Problem]:
        """Check that Keystone does not restrict the credentials in a way that Magnum or S3 keys do not allow."""
        auth: Any = self.connection.session.auth
        access = auth.get_access(self.connection.session)
        token = access._data["token"]  # noqa: SLF001  # keystoneauth has no accessor for this part of the token
        application = token.get("application_credential")
        if application is None:
            return
        where = f"application credential `{application.get('name', application['id'])}`"
        if application.get("restricted", True):
            yield Problem(
                where=where,
                what="is restricted: with it Keystone creates neither the trust that Magnum requires nor EC2 "
                "credentials; use a user's password in clouds.yaml, or create it again with --unrestricted",
            )
        else:
            yield Problem(
                where=where,
                what="may be refused: since OSSA-2026-015 Keystone creates neither the trust that Magnum requires nor "
                "EC2 credentials with application credentials; if so, use a user's password in clouds.yaml",
                fatal=False,
            )

    def services(self) -> Iterator[Problem]:
        """Check that the region has all required services."""
        from keystoneauth1.exceptions import EndpointNotFound  # noqa: PLC0415

        session, region = self.connection.session, self.connection.config.region_name
        required = {
            "network": "Neutron",
            "image": "Glance",
            "compute": "Nova",
            "container-infra": "Magnum",
            "load-balancer": "Octavia",
            "block-storage": "Cinder",
        }
        if self.config.object_store.kind == "swift":
            required["object-store"] = "Swift (to use an existing bucket instead set rsp:objectStore.kind to s3)"
        if self.dns_zone is not None:
            required["dns"] = "Designate (to use another service change rsp:tls.challenge)"
        for service, name in required.items():
            try:
                session.get_endpoint(
                    service_type=service,
                    interface="public",
                    region_name=region,
                    skip_discovery=True,
                )
            except EndpointNotFound:
                yield Problem(
                    where="rsp:cloud.region",
                    what=f"the cloud has no {name} in {region}: check the region, here and in clouds.yaml",
                )

    def network(self) -> Iterator[Problem]:
        """Check that the configured networks exist, and that their CIDRs match."""
        settings, api = self.config.network, self.connection.network
        external = list(api.networks(is_router_external=True))
        if settings.external_network not in {network.name for network in external}:
            yield _absent("rsp:network.externalNetwork", settings.external_network, (each.name for each in external))
        if settings.adopt is None:
            return
        network = api.find_network(settings.adopt.network)
        if network is None:
            yield _absent("rsp:network.adopt.network", settings.adopt.network, (each.name for each in api.networks()))
            return
        subnets = {each.name: each for each in api.subnets(network_id=network.id)}
        subnet = subnets.get(settings.adopt.subnet)
        if subnet is None:
            yield _absent("rsp:network.adopt.subnet", settings.adopt.subnet, subnets)
        elif subnet.cidr != str(settings.cidr):
            yield Problem(
                where="rsp:network.cidr",
                what=f"{settings.cidr} is not the CIDR of subnet `{subnet.name}`: set it to {subnet.cidr}",
            )

    @property
    def dns_zone(self) -> str | None:
        """Zone of the ACME challenge in this project, with the trailing dot; None if it is not required."""
        tls = self.config.tls
        if isinstance(tls, LetsEncrypt) and isinstance(tls.challenge, Designate) and tls.challenge.credential is None:
            return f"{tls.challenge.zone}."
        return None

    def zones(self) -> Iterator[Problem]:
        """Check that Designate has the zone."""
        zones = [each.name for each in self.connection.dns.zones()]
        if self.dns_zone not in zones:
            yield _absent("rsp:tls.challenge.zone", str(self.dns_zone), zones)

    def images(self) -> Iterator[Problem]:
        """Check that the images exist, and that Magnum can use the one of the cluster."""
        images = {each.name: each for each in self.connection.image.images()}
        cluster = self.config.cluster
        configured = {"rsp:nfs.image": self.config.nfs.image, "rsp:cluster.image": cluster.image}
        if deploy := self.config.vault.deploy:
            configured["rsp:vault.deploy.image"] = deploy.image
        for path, name in configured.items():
            if name not in images:
                yield _absent(path, name, images)
        image = images.get(cluster.image)
        if image is None:
            return
        if not image.os_distro:
            yield Problem(
                where="rsp:cluster.image",
                what=f"image `{image.name}` has no property os_distro, by which Magnum selects its driver: set it with "
                f"`openstack image set --os-distro fedora-coreos {image.name}`, or choose another image",
            )
        # With Cluster API the image determines the release; the template's label is ignored (magnum-capi-helm).
        built_for = (image.properties or {}).get("kube_version")
        if cluster.driver == "capi" and built_for != cluster.kubernetes_version:
            yield Problem(
                where="rsp:cluster.kubernetesVersion",
                what=f"{cluster.kubernetes_version} is not the release of image `{image.name}` (property kube_version: "
                f"{built_for or 'none'}): change rsp:cluster.image or rsp:cluster.kubernetesVersion",
            )

    def compute(self) -> Iterator[Problem]:
        """Check that the flavors and the keypair exist."""
        cluster, cloud = self.config.cluster, self.config.cloud
        configured = {
            "rsp:nfs.flavor": self.config.nfs.flavor,
            "rsp:cluster.masters.flavor": cluster.masters.flavor,
            "rsp:cluster.workers.flavor": cluster.workers.flavor,
            **{f"rsp:cluster.nodeGroups.{name}.flavor": group.flavor for name, group in cluster.node_groups.items()},
        }
        if deploy := self.config.vault.deploy:
            configured["rsp:vault.deploy.flavor"] = deploy.flavor
        for path, flavor in configured.items():
            if flavor not in self.flavors:
                yield _absent(path, flavor, self.flavors)
        if cloud.keypair:
            keypairs = {each.name for each in self.connection.compute.keypairs()}
            if cloud.keypair not in keypairs:
                yield _absent("rsp:cloud.keypair", cloud.keypair, keypairs)

    def volume_types(self) -> Iterator[Problem]:
        """Check that the volume types exist."""
        boot, deploy = self.config.cluster.boot_volume, self.config.vault.deploy
        configured = {
            **{f"rsp:nfs.volumes.{name}.type": volume.type for name, volume in self.config.nfs.volumes.items()},
            "rsp:cluster.bootVolume.type": boot.type if boot else None,
            "rsp:vault.deploy.volume.type": deploy.volume.type if deploy else None,
            **{
                f"rsp:applications.storageClasses.{name}.volumeType": storage_class.volume_type
                for name, storage_class in self.config.applications.storage_classes.items()
            },
        }
        types = {each.name for each in self.connection.block_storage.types()}
        for path, volume_type in configured.items():
            if volume_type and volume_type not in types:
                yield _absent(path, volume_type, types)

    def quota(self) -> Iterator[Problem]:
        """Check that the project's quotas are sufficient."""
        storage, network = self.connection.block_storage, self.connection.network
        submit = self.executor.submit
        compute_limits = submit(lambda: self.connection.compute.get_limits().absolute)
        volume_limits = submit(lambda: storage.get_limits().absolute)
        network_quota = submit(network.get_quota, str(self.connection.current_project_id), details=True)
        volume_names = submit(lambda: [each.name for each in storage.volumes(details=False)])
        servers, volumes, networking = compute_limits.result(), volume_limits.result(), network_quota.result()
        allowances = {
            "instances": quota.Allowance(limit=servers.instances, used=servers.instances_used),
            "cores": quota.Allowance(limit=servers.total_cores, used=servers.total_cores_used),
            "ram": quota.Allowance(limit=servers.total_ram, used=servers.total_ram_used),
            "volumes": quota.Allowance(limit=volumes.max_total_volumes, used=volumes.total_volumes_used),
            "gigabytes": quota.Allowance(limit=volumes.max_total_volume_gigabytes, used=volumes.total_gigabytes_used),
            **{
                resource: quota.Allowance(limit=networking[resource]["limit"], used=networking[resource]["used"])
                for resource in ("networks", "subnets", "routers", "security_groups", "floating_ips")
            },
        }
        prefix = cloud_name(self.stack, "")
        first = not any(name.startswith(prefix) for name in volume_names.result())
        for shortage in quota.shortages(quota.needs(self.config, self.flavors), allowances, first=first):
            yield Problem(where=f"quota of project `{self.connection.current_project.name}`", what=shortage)


def _run(service: str, check: Callable[[], Iterable[Problem]]) -> list[Problem]:
    """Run a check; if the service fails, return that as its problem."""
    from keystoneauth1 import exceptions as keystone  # noqa: PLC0415
    from openstack import exceptions  # noqa: PLC0415

    try:
        return list(check())
    except (exceptions.SDKException, keystone.ClientException) as error:
        what = f"request failed: {_sentence(error)}: check that the service is running and the user has access to it"
        return [Problem(where=service, what=what)]


def _absent(path: str, name: str, present: Iterable[str]) -> Problem:
    existing = ", ".join(sorted(filter(None, present))) or "none"
    return Problem(where=path, what=f"the cloud has no `{name}`; it has: {existing}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and the chain of its causes."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _sentence(error: Any) -> str:
    """Return the first line of an error's text without the final full stop."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
