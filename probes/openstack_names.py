"""Check that OpenStack has the resources that a stack's file refers to by name."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from config.cloud import Cloud
from config.names import is_id
from config.network import NetworkSettings
from probes.openstack_connection import first_line, openstack_errors
from probes.problem import Problem

if TYPE_CHECKING:
    from openstack.connection import Connection


@dataclass(frozen=True, kw_only=True)
class Names:
    """Checks of the names in a stack's file, one method per service."""

    connection: "Connection"
    project: str
    """Name of the Pulumi project whose configuration a problem names."""
    cloud: Cloud
    settings: NetworkSettings
    images: Mapping[str, str]
    """Names or IDs of Glance images by key path."""
    flavors: Mapping[str, str]
    """Names of Nova flavors by key path."""
    volume_types: Mapping[str, str | None]
    """Names of Cinder volume types by key path; None for the cloud's default type."""
    volume_zones: Mapping[str, str | None]
    """Names of Cinder availability zones by key path; None for the cloud's default zone."""
    server_zones: Mapping[str, str | None]
    """Names of Nova availability zones by key path, which may differ from Cinder's; None for any zone."""

    @functools.cached_property
    def known_images(self) -> Mapping[str, Any]:
        """All images, by name and by ID; one of those with the same name.

        Glance lists neither hidden images, nor those of the community, nor shared ones that the project has not
        accepted. They are included if the configuration has their ID.
        """
        api = self.connection.image
        found = list(api.images())
        by_id = {each.id: each for each in found}
        unlisted = {each: api.find_image(each) for each in self.images.values() if is_id(each) and each not in by_id}
        return {**{each.name: each for each in found}, **by_id, **{key: each for key, each in unlisted.items() if each}}

    @functools.cached_property
    def known_flavors(self) -> Mapping[str, Any]:
        """All flavors, by name."""
        return {each.name: each for each in self.connection.compute.flavors()}

    @functools.cached_property
    def known_volume_types(self) -> Sequence[str]:
        """Names of all volume types."""
        api: Any = self.connection.block_storage
        return [each.name for each in api.types()]

    def path(self, key: str) -> str:
        """Return a key path with its namespace."""
        return f"{self.project}:{key}"

    def check_network(self) -> Iterator[Problem]:
        """Check that the external network exists."""
        settings, api = self.settings, self.connection.network
        external = list(api.networks(is_router_external=True))
        if settings.external_network not in {network.name for network in external}:
            yield absent(
                self.path("network.externalNetwork"), settings.external_network, (each.name for each in external)
            )

    def check_images(self) -> Iterator[Problem]:
        """Check that the images exist."""
        for key, image in self.images.items():
            if image not in self.known_images:
                problem = absent(self.path(key), image, {each.name for each in self.known_images.values()})
                way = "" if is_id(image) else "; one that Glance does not list can be set by its ID"
                yield replace(problem, what=problem.what + way)

    def check_compute(self) -> Iterator[Problem]:
        """Check that the flavors, the availability zones of servers and the keypair exist."""
        api: Any = self.connection.compute
        yield from self._check(self.flavors, self.known_flavors)
        if any(self.server_zones.values()):
            yield from self._check(self.server_zones, _available(api.availability_zones()), "Nova availability zone")
        if self.cloud.keypair:
            known = {each.name for each in self.connection.compute.keypairs()}
            yield from self._check({"cloud.keypair": self.cloud.keypair}, known)

    def check_volumes(self) -> Iterator[Problem]:
        """Check that the volume types and availability zones exist."""
        api: Any = self.connection.block_storage
        yield from self._check(self.volume_types, self.known_volume_types)
        if any(self.volume_zones.values()):
            zones = _available(api.availability_zones())
            yield from self._check(self.volume_zones, zones, "Cinder availability zone")

    def _check(self, wanted: Mapping[str, str | None], known: Iterable[str], kind: str = "") -> Iterator[Problem]:
        for key, name in wanted.items():
            if name and name not in known:
                yield absent(self.path(key), name, known, kind)


def _available(zones: Iterable[Any]) -> set[str]:
    """Return the names of zones in which something can be created."""
    return {each.name for each in zones if (each.state or {}).get("available", True)}


def absent(path: str, name: str, present: Iterable[str], kind: str = "") -> Problem:
    """Return the problem of a name that does not exist, with the existing ones."""
    existing = ", ".join(sorted(filter(None, present))) or "none"
    return Problem(where=path, what=f"the cloud has no {f'{kind} ' if kind else ''}`{name}`; it has: {existing}")


def run(service: str, check: Callable[[], Iterable[Problem]]) -> list[Problem]:
    """Run a check; if the service fails, return that as its problem."""
    try:
        return list(check())
    except openstack_errors() as error:
        what = f"request failed: {first_line(error)}: check that the service is running and the user has access to it"
        return [Problem(where=service, what=what)]
