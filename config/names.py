"""Names of resources in namespaces that other stacks and users share."""

import uuid
from collections.abc import Collection

PROJECT = "rsp"
"""Name of the platform's Pulumi project, and namespace of its configuration keys."""

VAULT_PROJECT = "rsp-vault"
"""Name of the Pulumi project of the site's own Vault, and namespace of its configuration keys."""


LOAD_BALANCER = "load-balancer"
"""Name within the stack of the load balancer of ingress-nginx in mode octavia."""


def cloud_name(stack: str, name: str, project: str = PROJECT) -> str:
    """Return the name of a stack's resource in OpenStack, which is unique among the stacks of an OpenStack project.

    Args:
        stack: Name of the stack.
        name: Name within the stack; empty for the common prefix of all names.
        project: Name of the Pulumi project.
    """
    return f"{project}-{stack}-{name}"


def cluster_of(name: str, clusters: Collection[str]) -> str | None:
    """Return the cluster that a resource is in, by the resource's logical name; None if it is not in any of them.

    Args:
        name: The logical name. In a cluster, it begins with the cluster's name and a hyphen.
        clusters: Names of the clusters in the configuration.
    """
    first = name.partition("-")[0]
    return first if first in clusters else None


def vault_description(stack: str) -> str:
    """Return the description of a stack's mounts and auth methods in Vault, which identifies them as the stack's.

    Args:
        stack: Name of the stack.
    """
    return f"Made by the Pulumi stack {PROJECT}/{stack}"


def ingress_description(stack: str) -> str:
    """Return the description of the floating IP of a stack's ingress; floating IPs have no names.

    The cloud controller deletes the floating IP of a Service only if it has the controller's own description.

    Args:
        stack: Name of the stack.
    """
    return f"Ingress of the Rubin Science Platform ({stack}), managed by Pulumi"


def nfs_volume_description(stack: str, export: str) -> str:
    """Return the description of a volume of the NFS server, which identifies it as the stack's.

    Args:
        stack: Name of the stack.
        export: Name of the export.
    """
    return volume_description(stack, f"NFS export /{export}")


def volume_description(stack: str, purpose: str) -> str:
    """Return the description of a volume of a stateless server.

    Args:
        stack: Name of the stack.
        purpose: What the volume is for.
    """
    return f"{purpose} of the Rubin Science Platform ({stack})"


def is_id(text: str) -> bool:
    """Return whether a text is an ID in OpenStack, not a name."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
