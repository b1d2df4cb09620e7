"""All services of the cloud, in the order in which they start."""

from sandbox.cloud import database, messaging, openstack_services, ovn, swift
from sandbox.cloud.service import Service


def backends() -> list[Service]:
    """Return the services that OpenStack depends on."""
    return [database.service(), *messaging.services(), *ovn.databases()]


def openstack() -> list[Service]:
    """Return the services that depend on the backends and Keystone."""
    return [*ovn.controllers(), *openstack_services.control_plane(), *swift.services()]


def every() -> list[Service]:
    """Return all services, in the order in which they start."""
    return [*backends(), openstack_services.identity(), *openstack()]
