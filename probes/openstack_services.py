"""The OpenStack services that a stack uses."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.dns import DesignateDns
from config.stack_config import StackConfig
from config.tls import Designate, LetsEncrypt


@dataclass(frozen=True, kw_only=True)
class Service:
    """An OpenStack service."""

    name: str
    type: str
    """Type in Keystone's catalog."""
    proxy: str
    """Attribute of an openstacksdk connection."""
    path: str
    """Path of a short list, a request for which reaches the service's database."""
    alternative: str = ""
    """How to do without the service; empty if that is not possible."""


_ALWAYS = (
    Service(name="Neutron", type="network", proxy="network", path="/networks?limit=1"),
    Service(name="Glance", type="image", proxy="image", path="/images?limit=1"),
    Service(name="Nova", type="compute", proxy="compute", path="/servers?limit=1"),
    Service(
        name="Magnum", type="container-infra", proxy="container_infrastructure_management", path="/clusters?limit=1"
    ),
    Service(name="Octavia", type="load-balancer", proxy="load_balancer", path="/lbaas/loadbalancers?limit=1"),
    Service(name="Cinder", type="block-storage", proxy="block_storage", path="/volumes?limit=1"),
)


def required(config: StackConfig) -> Iterator[Service]:
    """Yield the services that a stack requires.

    Args:
        config: The stack configuration.
    """
    yield from _ALWAYS
    if config.object_store.kind == "swift":
        yield Service(
            name="Swift",
            type="object-store",
            proxy="object_store",
            path="/?limit=1",
            alternative="to use an existing bucket instead set rsp:objectStore.kind to s3",
        )
    if config.shares:
        yield Service(
            name="Manila",
            type="sharev2",
            proxy="shared_file_system",
            path="/shares?limit=1",
            alternative="to use an NFS server instead of shares move the entries of rsp:shares to rsp:nfs.volumes",
        )
    if by_key := zones(config):
        keys = " and ".join(f"rsp:{key.rpartition('.')[0]}" for key in by_key)
        yield Service(
            name="Designate",
            type="dns",
            proxy="dns",
            path="/zones?limit=1",
            alternative=f"to use another service change {keys}",
        )


def zones(config: StackConfig) -> Mapping[str, str]:
    """Return the zones that must be in the project's Designate, with the trailing dot, by their key.

    Args:
        config: The stack configuration.
    """
    dns, tls = config.dns, config.tls
    found = {"dns.zone": f"{dns.zone}."} if isinstance(dns, DesignateDns) else {}
    if isinstance(tls, LetsEncrypt) and isinstance(tls.challenge, Designate) and tls.challenge.credential is None:
        found["tls.challenge.zone"] = f"{tls.challenge.zone}."
    return found
