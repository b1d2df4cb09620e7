"""Names of resources in namespaces that other stacks and users share."""

PROJECT = "rsp"
"""Name of the Pulumi project, and namespace of its configuration keys."""


def cloud_name(stack: str, name: str) -> str:
    """Return the name of a stack's resource in OpenStack, which is unique among the stacks of an OpenStack project.

    Args:
        stack: Name of the stack.
        name: Name within the stack; empty for the common prefix of all names.
    """
    return f"{PROJECT}-{stack}-{name}"


def vault_description(stack: str) -> str:
    """Return the description of a stack's mounts and auth methods in Vault, which identifies them as its own.

    Args:
        stack: Name of the stack.
    """
    return f"Made by the Pulumi stack {PROJECT}/{stack}"
