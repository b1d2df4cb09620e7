"""Check, before anything is created, whether the site's own Vault can be deployed."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from config.names import cloud_name
from config.vault_server import GivenCertificate
from config.vault_stack import VaultStackConfig
from phalanx import certificates
from phalanx.certificates import CertificateError
from probes import adopted_network, allowances, existing_network, existing_volumes, quota, root_disk
from probes.needs import Flavor
from probes.openstack_connection import LoginError, connect_as_provider
from probes.openstack_names import Names, run
from probes.problem import Problem


def check(config: VaultStackConfig, stack: str) -> list[Problem]:
    """Return all problems of the certificate, of names of OpenStack resources, of quotas, and of what exists.

    Args:
        config: The stack configuration.
        stack: Name of the stack, which identifies its existing resources.
    """
    problems = [*_check_certificate(config)]
    try:
        connection = connect_as_provider(config.cloud, config.project)
    except LoginError as error:
        return [*problems, error.problem]
    server = config.server
    names = Names(
        connection=connection,
        project=config.project,
        cloud=config.cloud,
        settings=config.network,
        images={"server.image": server.image},
        flavors={"server.flavor": server.flavor},
        volume_types={
            "server.volume.type": server.volume.type,
            "server.bootVolume.type": server.boot_volume.type if server.boot_volume else None,
        },
        volume_zones={"server.volume.availabilityZone": server.volume.availability_zone},
        server_zones={"server.availabilityZone": server.availability_zone},
    )

    def network() -> Iterator[Problem]:
        yield from names.check_network()
        fixed = adopted_network.FixedAddress("vault", "server.address", server.address)
        yield from adopted_network.problems(config.network, config.project, stack, fixed, connection)
        yield from existing_network.problems(config.network, config.project, stack, "vault", connection.network)

    def images() -> Iterator[Problem]:
        yield from names.check_images()
        if connection.compute.find_server(cloud_name(stack, "vault", config.project)) is None:
            flavor, image = names.known_flavors.get(server.flavor), names.known_images.get(server.image)
            yield from root_disk.problems(f"{config.project}:server", flavor, image, server.boot_volume)

    def storage() -> Iterator[Problem]:
        yield from names.check_volumes()
        wanted = existing_volumes.Wanted(
            name=cloud_name(stack, "vault-data", config.project),
            size=server.volume.size,
            type=server.volume.type,
            availability_zone=server.volume.availability_zone,
        )
        existing = connection.block_storage.volumes()
        yield from existing_volumes.problems({f"{config.project}:server.volume": wanted}, existing)

    def quotas() -> Iterator[Problem]:
        # A flavor that does not exist is another problem.
        sizes = {name: Flavor(vcpus=each.vcpus, ram=each.ram) for name, each in names.known_flavors.items()}
        rows = allowances.compare_vault(config, stack, connection, sizes, executor)
        project = allowances.project_of(connection)
        if refusal := quota.refusal(rows, project, stack, "site's Vault"):
            yield Problem(where=f"quota of project `{project.name}`", what=refusal)

    checks: dict[str, Callable[[], Iterable[Problem]]] = {
        "Neutron": network,
        "Glance": images,
        "Nova": names.check_compute,
        "Cinder": storage,
        "the quotas": quotas,
    }
    with ThreadPoolExecutor() as executor:
        results = executor.map(run, checks.keys(), checks.values())
        return problems + [problem for found in results for problem in found]


def _check_certificate(config: VaultStackConfig) -> Iterator[Problem]:
    """Check that a given certificate matches its key and the server's name."""
    tls = config.server.tls
    if isinstance(tls, GivenCertificate):
        pem, key = tls.certificate.get_secret_value(), tls.key.get_secret_value()
        try:
            certificates.check(pem, key, config.host, datetime.now(UTC))
        except CertificateError as error:
            for problem in error.problems:
                yield Problem(
                    where=f"{config.project}:server.tls",
                    what=f"{problem} ({config.project}:host is {config.host})",
                )
