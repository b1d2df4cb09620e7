"""Whether the Kubernetes API of a cluster is public, which its label does not say.

magnum-capi-helm before 1.3.0 does not read the label ``master_lb_floating_ip_enabled``: each API has a floating IP, the
default of capi-helm-charts (``associateFloatingIP`` in ``magnum_capi_helm/driver.py``).
"""

from ipaddress import IPv4Network, ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from openstack.connection import Connection


def is_public(connection: "Connection", url: str | None, network: IPv4Network) -> bool | None:
    """Return whether an API has a floating IP; None if that does not follow from its address.

    Args:
        connection: Connection to the project of the cluster.
        url: URL of the API in Magnum.
        network: Network of the nodes.
    """
    host = urlsplit(url or "").hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        return None
    found = connection.network.ips(floating_ip_address=host)
    if any(each.floating_ip_address == host for each in found):
        return True
    return False if address in network else None
