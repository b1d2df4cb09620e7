"""All services of the cloud, in the order in which they start."""

from sandbox.cloud import database, messaging, openstack_services, ovn, swift
from sandbox.cloud.service import Service


def backends() -> list[Service]:
    """What the services of OpenStack stand on."""
    return [database.service(), *messaging.services(), *ovn.databases()]


def openstack() -> list[Service]:
    """What needs the backends and Keystone."""
    return [*ovn.controllers(), *openstack_services.control_plane(), *swift.services()]


def every() -> list[Service]:
    """All of them, in the order in which they start."""
    return [*backends(), openstack_services.identity(), *openstack()]
