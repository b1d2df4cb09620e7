"""Check whether a stack can be deployed in an OpenStack project."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from config.cluster import Cluster
from config.names import cloud_name
from config.stack_config import StackConfig
from phalanx.claims import Claim, by_name
from probes import (
    active_cluster,
    adopted_network,
    allowances,
    api_address,
    application_credential,
    designate_preflight,
    driver_classes,
    existing_cluster,
    existing_data,
    existing_network,
    existing_node_groups,
    existing_shares,
    existing_volumes,
    floating_ip,
    magnum_api,
    magnum_driver,
    monitoring_preflight,
    needs,
    octavia_preflight,
    openstack_services,
    quota,
    root_disk,
)
from probes.needs import Flavor, servers
from probes.openstack_connection import LoginError, private_ca
from probes.openstack_names import Names, absent, run
from probes.problem import Problem

if TYPE_CHECKING:
    from openstack.connection import Connection


def check(
    config: StackConfig, stack: str, connect: Callable[[], "Connection"], executor: Executor, *, preview: bool = False
) -> Callable[[Sequence[Claim]], list[Problem]]:
    """Check the project with requests that change nothing in it.

    With `rsp:monitoring.namespace`, Magnum signs an administrator's certificate in each run, to read what the cluster
    has.

    Args:
        config: The stack configuration.
        stack: Name of the stack, which identifies its existing resources.
        connect: Returns the connection to the project; may raise a LoginError, which is then the only problem.
        executor: Runs the requests to the services concurrently.
        preview: Whether nothing will be changed, so that read-only credentials cause only a warning.

    Returns:
        Function that returns all problems, for claims that are known once the charts have been rendered. It sends no
        requests.
    """
    try:
        connection = connect()
    except LoginError as error:
        refusal = error.problem
        return lambda _: [refusal]
    project = _Project(config, stack, connection, executor, preview)
    # All requests to a missing service would fail, too.
    if missing := list(project.services()):
        return lambda _: missing
    checks: list[tuple[str, Callable[[], Iterable[Problem]]]] = [
        ("Keystone", project.credentials),
        ("Neutron", project.network),
        ("Neutron", project.existing_network),
        ("Octavia", project.load_balancers),
        ("Glance", project.images),
        ("Glance", project.root_disk),
        ("Nova", project.compute),
        ("Magnum", project.clusters),
        ("the active cluster", project.active_cluster),
        ("Cinder", project.storage),
        ("the quotas", project.quotas),
    ]
    if openstack_services.zones(config):
        checks.append(("Designate", project.zones))
    if config.shares:
        checks.append(("Manila", project.shares))
    results = executor.map(lambda each: run(*each), checks)
    found = list(dict.fromkeys(problem for each in results for problem in each))
    return lambda claims: [*found, *(problem for each in project.of_claims for problem in each(claims))]


@dataclass(frozen=True)
class _Project:
    """The checks of the project, one method per service."""

    config: StackConfig
    stack: str
    connection: "Connection"
    executor: Executor
    preview: bool
    of_claims: list[Callable[[Sequence[Claim]], Iterable[Problem]]] = field(default_factory=list)
    """Checks that need the claims, and what services have answered before."""

    @functools.cached_property
    def names(self) -> Names:
        """The names in the configuration."""
        config, nfs = self.config, self.config.nfs
        volumes = nfs.volumes if nfs else {}
        clusters = {f"clusters.{name}": cluster for name, cluster in config.clusters.items()}
        classes = config.applications.storage_classes
        return Names(
            connection=self.connection,
            project=config.project,
            cloud=config.cloud,
            settings=config.network,
            images={
                **({"nfs.image": nfs.image} if nfs else {}),
                **{f"{key}.image": each.image for key, each in clusters.items()},
            },
            flavors={
                **({"nfs.flavor": nfs.flavor} if nfs else {}),
                **{
                    path: name
                    for key, each in clusters.items()
                    for path, name in magnum_driver.flavors_of(key, each).items()
                },
            },
            volume_types={
                "nfs.bootVolume.type": nfs.boot_volume.type if nfs and nfs.boot_volume else None,
                **{f"nfs.volumes.{name}.type": volume.type for name, volume in volumes.items()},
                **{
                    f"{key}.bootVolume.type": each.boot_volume.type
                    for key, each in clusters.items()
                    if each.boot_volume
                },
                **{
                    f"applications.storageClasses.{name}.volumeType": each.volume_type for name, each in classes.items()
                },
            },
            server_zones={
                "nfs.availabilityZone": nfs.availability_zone if nfs else None,
                **{path: zone for key, each in clusters.items() for path, zone in _zones(key, each).items()},
            },
            volume_zones={
                **{
                    f"nfs.volumes.{name}.availabilityZone": volume.availability_zone for name, volume in volumes.items()
                },
                **{
                    path: zone
                    for key, each in clusters.items()
                    for path, zone in _zones(key, each, groups=each.boot_volume is not None).items()
                },
                **{
                    f"applications.storageClasses.{name}.availabilityZone": each.availability_zone
                    for name, each in classes.items()
                },
                **{
                    f"{key}.labels.{driver_classes.ZONE}": each.labels.get(driver_classes.ZONE)
                    for key, each in clusters.items()
                },
            },
        )

    @functools.cached_property
    def flavors(self) -> Mapping[str, Flavor]:
        """Sizes of all flavors, by name."""
        known = self.names.known_flavors
        return {name: Flavor(vcpus=each.vcpus, ram=each.ram) for name, each in known.items()}

    def credentials(self) -> Iterator[Problem]:
        """Check that Keystone does not restrict the credentials in a way that Magnum or S3 keys do not allow."""
        return application_credential.problems(self.connection, preview=self.preview)

    def services(self) -> Iterator[Problem]:
        """Check that the region has all required services."""
        from keystoneauth1.exceptions import EndpointNotFound

        session, region = self.connection.session, self.connection.config.region_name
        for service in openstack_services.required(self.config):
            try:
                session.get_endpoint(
                    service_type=service.type,
                    interface="public",
                    region_name=region,
                    skip_discovery=True,
                )
            except EndpointNotFound:
                alternative = f" ({service.alternative})" if service.alternative else ""
                yield Problem(
                    where="rsp:cloud.region",
                    what=f"the cloud has no {service.name}{alternative} in {region}: check the region, here and in "
                    "clouds.yaml",
                )

    @property
    def _magnum(self) -> Any:
        return self.connection.container_infrastructure_management

    def zones(self) -> Iterator[Problem]:
        """Check that Designate has the zones, and that the program may write its records in them."""
        return designate_preflight.problems(openstack_services.zones(self.config), self.connection)

    @functools.cached_property
    def _existing_clusters(self) -> Mapping[str, Any]:
        """The stack's clusters in Magnum by name in the configuration; None for one that does not exist."""
        return {name: self._magnum.find_cluster(cloud_name(self.stack, name)) for name in self.config.clusters}

    @functools.cached_property
    def _templates(self) -> Mapping[str, Any]:
        """The templates of the stack's clusters, as `_existing_clusters`."""
        return {
            name: cluster and self._magnum.get_cluster_template(cluster.cluster_template_id)
            for name, cluster in self._existing_clusters.items()
        }

    def network(self) -> Iterator[Problem]:
        """Check that the networks and a given floating IP exist, and that an adopted network can be used."""
        nfs, settings, project = self.config.nfs, self.config.network, self.config.project
        fixed = adopted_network.FixedAddress("nfs", "nfs.address", nfs.address) if nfs else None
        yield from self.names.check_network()
        yield from adopted_network.problems(settings, project, self.stack, fixed, self.connection)
        if address := self.config.ingress.floating_ip:
            yield from floating_ip.problems(self.connection, address, settings.external_network, self.stack)
        api = self.connection.network
        for name, cluster in self.config.clusters.items():
            for network, label in cluster.extra_networks.items():
                if api.find_network(network) is None:
                    yield absent(f"rsp:clusters.{name}.labels.{label}", network, (each.name for each in api.networks()))

    def existing_network(self) -> Iterator[Problem]:
        """Compare the network with the configuration."""
        server = "nfs" if self.config.nfs else None
        return existing_network.problems(
            self.config.network, self.config.project, self.stack, server, self.connection.network
        )

    def load_balancers(self) -> Iterator[Problem]:
        """Check that the user may use Octavia, and that it has the configured provider."""
        return octavia_preflight.problems(self.config.ingress.load_balancer_provider, self.connection.load_balancer)

    def images(self) -> Iterator[Problem]:
        """Check that the images exist, and that servers and Magnum can use them."""
        for problem in self.names.check_images():
            yield self._tolerated(problem)
        for name, cluster in self.config.clusters.items():
            known, template = self.names.known_images, self._templates[name]
            kept, images = self._kept_image(name), magnum_driver.images_named(cluster.image, known)
            if kept not in images:
                yield from magnum_driver.ambiguous(f"clusters.{name}", cluster, images)
            if image := known.get(kept if kept in images else cluster.image):
                yield from magnum_driver.image_problems(f"clusters.{name}", cluster, image)
            if template is not None and cluster.driver == "capi":
                yield from magnum_driver.lost_image(f"clusters.{name}", template.image_id, known, self.connection.image)

    def root_disk(self) -> Iterator[Problem]:
        """Check that a new NFS server has a disk with room for its image."""
        nfs = self.config.nfs
        if nfs and self.connection.compute.find_server(cloud_name(self.stack, "nfs")) is None:
            flavor, image = self.names.known_flavors.get(nfs.flavor), self.names.known_images.get(nfs.image)
            yield from root_disk.problems("rsp:nfs", flavor, image, nfs.boot_volume)

    def _kept_image(self, name: str) -> str | None:
        """Return what the cluster's template has as the image, if the cluster exists and its release is configured."""
        cluster, template = self._existing_clusters[name], self._templates[name]
        if template is None or cluster.coe_version != self.config.clusters[name].kubernetes_version:
            return None
        return str(template.image_id)

    def _tolerated(self, problem: Problem) -> Problem:
        """Return the problem of a missing image as a warning if this run does not need the image."""
        if problem.where == "rsp:nfs.image":
            needed = self.connection.compute.find_server(cloud_name(self.stack, "nfs")) is None
        else:
            kept = self._kept_image(problem.where.split(".")[1])
            # If the cloud still has the image of the cluster, another one was configured.
            needed = kept is None or kept in self.names.known_images
        if needed:
            return problem
        return replace(problem, what=f"{problem.what}; what exists keeps running, but cannot be replaced", fatal=False)

    def compute(self) -> Iterator[Problem]:
        """Check that the flavors and the keypair exist, and that the nodes are large enough."""
        yield from self.names.check_compute()
        for name, cluster in self.config.clusters.items():
            yield from magnum_driver.flavor_warnings(f"clusters.{name}", cluster, self.flavors)

    def clusters(self) -> Iterator[Problem]:
        """Compare the clusters that exist, if any, with the configuration."""
        for name, settings in self.config.clusters.items():
            yield from magnum_driver.cluster_warnings(f"clusters.{name}", settings)
            cluster = self._existing_clusters[name]
            if cluster is None:
                yield from magnum_driver.creation_warnings(f"clusters.{name}", settings)
                yield from self._nodes_trust(name)
                continue
            known = [*self.names.known_flavors.values(), *self.names.known_images.values()]
            names = {str(each.id): each.name for each in known}
            public = api_address.is_public(self.connection, cluster.api_address, self.config.network.cidr)
            template = self._templates[name]
            yield from existing_cluster.problems(self.config, name, cluster, template, names, public=public)
            if cluster.status not in existing_cluster.REPLACED:
                groups = magnum_api.node_groups(self.connection, cluster.name)
                key = f"clusters.{name}.nodeGroups"
                yield from existing_node_groups.problems(key, settings.node_groups, cluster.name, groups, names)

    def active_cluster(self) -> Iterator[Problem]:
        """Check that users can be moved to the active cluster, and that it has what monitoring needs."""
        yield from active_cluster.problems(self.connection, self.config, self.stack, self._existing_clusters)
        if namespace := self.config.monitoring.namespace:
            active = self.config.active
            exists = self._existing_clusters[active] is not None
            yield from monitoring_preflight.problems(self.connection, cloud_name(self.stack, active), exists, namespace)

    def _nodes_trust(self, name: str) -> Iterator[Problem]:
        """Warn if the nodes of a new cluster must trust a private CA, which only the cloud's administrators can set."""
        if ca_file := private_ca(self.connection):
            yield Problem(
                where=f"rsp:clusters.{name}",
                what=f"its nodes must trust the CA in {ca_file} as well, or its creation times out: ask the cloud's "
                "administrators whether openstack_ca_file in magnum.conf names it (docs/howto/private-ca.md)",
                fatal=False,
            )

    @functools.cached_property
    def volumes(self) -> Sequence[Any]:
        """All volumes of the project."""
        return list(self.connection.block_storage.volumes())

    @functools.cached_property
    def deployed(self) -> bool:
        """Whether the stack has something in the project."""
        clusters = filter(None, self._existing_clusters.values())
        return existing_data.exists(self.config, self.stack, self.connection, self.volumes, clusters)

    def storage(self) -> Iterator[Problem]:
        """Check volume types and the names of StorageClasses, and compare the data volumes with the configuration."""
        yield from self.names.check_volumes()
        # After the loss of a cluster, its claims are restored with their class.
        yield from driver_classes.problems(self.config, self.names.known_volume_types, first=not self.deployed)
        wanted = {
            f"rsp:nfs.volumes.{name}": existing_volumes.Wanted(
                name=cloud_name(self.stack, f"nfs-{name}"),
                size=volume.size,
                type=volume.type,
                availability_zone=volume.availability_zone,
            )
            for name, volume in self.config.nfs_volumes.items()
        }
        yield from existing_volumes.problems(wanted, self.volumes)
        claimed = {
            f"rsp:clusters.{name}.claims.{claim}": (claim, volume)
            for name, cluster in self.config.clusters.items()
            for claim, volume in cluster.claims.items()
        }

        def of_claims(claims: Sequence[Claim]) -> Iterator[Problem]:
            sizes = {name: each.size for name, each in by_name(claims)}
            return existing_volumes.claimed_problems(claimed, sizes, self.volumes)

        if claimed:
            self.of_claims.append(of_claims)

    def shares(self) -> Iterator[Problem]:
        """Check that the shares can be created, and compare those that exist with the configuration."""
        yield from existing_shares.problems(self.config, self.stack, self.connection.shared_file_system)

    def quotas(self) -> Iterable[Problem]:
        """Read the project's quotas, and check that they are sufficient once the claims are known."""
        # A flavor that does not exist is another problem; this one should be reported with it.
        flavors = {**dict.fromkeys(servers(self.config), Flavor(vcpus=0, ram=0)), **self.flavors}
        quotas = allowances.read(self.config, self.stack, self.connection, self.executor, lambda: self.deployed)
        project = allowances.project_of(self.connection)

        def of_claims(claims: Sequence[Claim]) -> Iterator[Problem]:
            rows = quotas.compare(self.config, flavors, needs.of_claims(self.config, claims))
            if refusal := quota.refusal(rows, project, self.stack):
                yield Problem(where=f"quota of project `{project.name}`", what=refusal)

        self.of_claims.append(of_claims)
        return ()


def _zones(key: str, cluster: Cluster, *, groups: bool = True) -> dict[str, str | None]:
    """Return the availability zones of a cluster, and of its node groups if they are asked for, by key path."""
    found = {f"{key}.availabilityZone": cluster.availability_zone}
    if groups:
        found |= {
            f"{key}.nodeGroups.{name}.availabilityZone": each.availability_zone
            for name, each in cluster.node_groups.items()
        }
    return found
