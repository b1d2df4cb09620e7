"""Whether an OpenStack project can take an environment, before anything is made in it."""

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
"""Seconds that a service may take for an answer."""

# What it logs about a Keystone that does not answer is told below, in one sentence.
logging.getLogger("keystoneauth").addHandler(logging.NullHandler())


def check(config: StackConfig, stack: str, executor: Executor) -> list[Problem]:
    """Look at the project with the credentials that the environment names, and change nothing.

    Args:
        config: The stack configuration.
        stack: Name of the stack, by which what it has already is told from what others have.
        executor: Runs the questions to the several services side by side.
    """
    connection = connect(config)
    if isinstance(connection, Problem):
        return [connection]
    project = _Project(config, stack, connection, executor)
    # Without a service every question to it would fail too.
    if missing := list(project.services()):
        return missing
    questions: dict[str, Callable[[], Iterable[Problem]]] = {
        "Keystone": project.credentials,
        "Neutron": project.network,
        "Glance": project.images,
        "Nova": project.compute,
        "Cinder": project.volume_types,
        "the quotas": project.quota,
    }
    if project.dns_zone is not None:
        questions["Designate"] = project.zones
    answers = executor.map(lambda service: _answer(service, questions[service]), questions)
    return [problem for found in answers for problem in found]


def connect(config: StackConfig) -> "Connection | Problem":
    """An authenticated connection, or why there is none."""
    import openstack  # noqa: PLC0415  # a second's work that no caller wants at import
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
            what=f"{_sentence(error)}: name an entry of clouds.yaml and one of its regions, "
            "or set OS_CLIENT_CONFIG_FILE to the file with them",
        )
    where = f"Keystone at {connection.config.get_auth_args().get('auth_url', 'an unknown address')}"
    try:
        connection.authorize()
    except (exceptions.SDKException, keystone.ClientException) as error:
        return _refusal(where, cloud.name, error)
    return connection


def _refusal(where: str, cloud: str, error: Exception) -> Problem:
    """Why Keystone gave no token, in the words of somebody who has to mend it."""
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
            what=f"has a certificate that is not trusted: name its CA as `cacert` of cloud `{cloud}` in clouds.yaml",
        )
    if any(isinstance(cause, keystone.ConnectFailure | keystone.DiscoveryFailure) for cause in causes):
        return Problem(where=where, what="does not answer: check auth_url in clouds.yaml and the network")
    return Problem(where=where, what=f"gives no token: {_sentence(error)}")


@dataclass(frozen=True)
class _Project:
    """The project, seen with its own credentials; each method asks one service."""

    config: StackConfig
    stack: str
    connection: "Connection"
    executor: Executor

    @functools.cached_property
    def flavors(self) -> Mapping[str, quota.Flavor]:
        """All flavors, by name."""
        return {each.name: quota.Flavor(vcpus=each.vcpus, ram=each.ram) for each in self.connection.compute.flavors()}

    def credentials(self) -> Iterator[Problem]:
        """Whether Keystone lets these credentials do what Magnum and S3 keys need."""
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
                what="is restricted: Keystone refuses it the trust that Magnum's cluster needs and EC2 credentials; "
                "use a user's password in clouds.yaml, or make it anew with --unrestricted",
            )
        else:
            yield Problem(
                where=where,
                what="may be refused: since OSSA-2026-015 Keystone gives application credentials no trust, which "
                "Magnum needs, and no EC2 credentials; if so, use a user's password in clouds.yaml",
                fatal=False,
            )

    def services(self) -> Iterator[Problem]:
        """Whether the region has every service that is needed."""
        from keystoneauth1.exceptions import EndpointNotFound  # noqa: PLC0415

        session, region = self.connection.session, self.connection.config.region_name
        wanted = {
            "network": "Neutron",
            "image": "Glance",
            "compute": "Nova",
            "container-infra": "Magnum",
            "load-balancer": "Octavia",
            "block-storage": "Cinder",
        }
        if self.config.object_store.kind == "swift":
            wanted["object-store"] = "Swift (else give S3 keys: rsp:objectStore.kind s3)"
        if self.dns_zone is not None:
            wanted["dns"] = "Designate (else choose another rsp:tls.challenge)"
        for service, name in wanted.items():
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
                    what=f"the cloud offers no {name} in {region}: check the region, here and in clouds.yaml",
                )

    def network(self) -> Iterator[Problem]:
        """Whether the networks that the environment names are there and are what it says."""
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
                what=f"{settings.cidr} is not that of subnet `{subnet.name}`, {subnet.cidr}: write that one",
            )

    @property
    def dns_zone(self) -> str | None:
        """The zone of this project in which the platform proves its name, with the dot at its end; None without one."""
        tls = self.config.tls
        if isinstance(tls, LetsEncrypt) and isinstance(tls.challenge, Designate) and tls.challenge.credential is None:
            return f"{tls.challenge.zone}."
        return None

    def zones(self) -> Iterator[Problem]:
        """Whether Designate has the zone."""
        zones = [each.name for each in self.connection.dns.zones()]
        if self.dns_zone not in zones:
            yield _absent("rsp:tls.challenge.zone", str(self.dns_zone), zones)

    def images(self) -> Iterator[Problem]:
        """Whether the images are there, and Magnum can tell its driver by that of the cluster."""
        images = {each.name: each for each in self.connection.image.images()}
        cluster = self.config.cluster
        wanted = {"rsp:nfs.image": self.config.nfs.image, "rsp:cluster.image": cluster.image}
        if deploy := self.config.vault.deploy:
            wanted["rsp:vault.deploy.image"] = deploy.image
        for path, name in wanted.items():
            if name not in images:
                yield _absent(path, name, images)
        image = images.get(cluster.image)
        if image is None:
            return
        if not image.os_distro:
            yield Problem(
                where="rsp:cluster.image",
                what=f"image `{image.name}` has no property os_distro, by which Magnum chooses its driver: "
                f"`openstack image set --os-distro fedora-coreos {image.name}`, or choose another image",
            )
        # Cluster API takes the release from the image, whatever the template says (magnum-capi-helm).
        built_for = (image.properties or {}).get("kube_version")
        if cluster.driver == "capi" and built_for != cluster.kubernetes_version:
            yield Problem(
                where="rsp:cluster.kubernetesVersion",
                what=f"{cluster.kubernetes_version} is not what image `{image.name}` is built for, "
                f"{built_for or 'which has no property kube_version'}: choose the image of that release",
            )

    def compute(self) -> Iterator[Problem]:
        """Whether flavors and keypair are there."""
        cluster, cloud = self.config.cluster, self.config.cloud
        wanted = {
            "rsp:nfs.flavor": self.config.nfs.flavor,
            "rsp:cluster.masters.flavor": cluster.masters.flavor,
            "rsp:cluster.workers.flavor": cluster.workers.flavor,
            **{f"rsp:cluster.nodeGroups.{name}.flavor": group.flavor for name, group in cluster.node_groups.items()},
        }
        if deploy := self.config.vault.deploy:
            wanted["rsp:vault.deploy.flavor"] = deploy.flavor
        for path, flavor in wanted.items():
            if flavor not in self.flavors:
                yield _absent(path, flavor, self.flavors)
        if cloud.keypair:
            keypairs = {each.name for each in self.connection.compute.keypairs()}
            if cloud.keypair not in keypairs:
                yield _absent("rsp:cloud.keypair", cloud.keypair, keypairs)

    def volume_types(self) -> Iterator[Problem]:
        """Whether Cinder has the types of all volumes."""
        boot, deploy = self.config.cluster.boot_volume, self.config.vault.deploy
        wanted = {
            **{f"rsp:nfs.volumes.{name}.type": volume.type for name, volume in self.config.nfs.volumes.items()},
            "rsp:cluster.bootVolume.type": boot.type if boot else None,
            "rsp:vault.deploy.volume.type": deploy.volume.type if deploy else None,
            **{
                f"rsp:applications.storageClasses.{name}.volumeType": storage_class.volume_type
                for name, storage_class in self.config.applications.storage_classes.items()
            },
        }
        types = {each.name for each in self.connection.block_storage.types()}
        for path, wanted_type in wanted.items():
            if wanted_type and wanted_type not in types:
                yield _absent(path, wanted_type, types)

    def quota(self) -> Iterator[Problem]:
        """Whether the project's quotas can take the environment."""
        storage, network = self.connection.block_storage, self.connection.network
        ask = self.executor.submit
        asked_servers = ask(lambda: self.connection.compute.get_limits().absolute)
        asked_volumes = ask(lambda: storage.get_limits().absolute)
        asked_networking = ask(network.get_quota, str(self.connection.current_project_id), details=True)
        asked_names = ask(lambda: [each.name for each in storage.volumes(details=False)])
        servers, volumes, networking = asked_servers.result(), asked_volumes.result(), asked_networking.result()
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
        first = not any(name.startswith(prefix) for name in asked_names.result())
        for shortage in quota.shortages(quota.needs(self.config, self.flavors), allowances, first=first):
            yield Problem(where=f"quota of project `{self.connection.current_project.name}`", what=shortage)


def _answer(service: str, question: Callable[[], Iterable[Problem]]) -> list[Problem]:
    """What a service says, or that it fails to say it."""
    from keystoneauth1 import exceptions as keystone  # noqa: PLC0415
    from openstack import exceptions  # noqa: PLC0415

    try:
        return list(question())
    except (exceptions.SDKException, keystone.ClientException) as error:
        what = f"does not answer as it should: {_sentence(error)}; is it running, and may the user ask it?"
        return [Problem(where=service, what=what)]


def _absent(path: str, name: str, present: Iterable[str]) -> Problem:
    """A name that the cloud does not know, with those that it does."""
    known = ", ".join(sorted(filter(None, present))) or "none"
    return Problem(where=path, what=f"the cloud has no `{name}`; it has: {known}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _sentence(error: Any) -> str:
    """The first line of an error's text, without its final full stop."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
