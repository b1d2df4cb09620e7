"""How the program names things that live beside those of other people."""

PROJECT = "rsp"
"""Name of the Pulumi project, and namespace of its configuration keys."""


def cloud_name(stack: str, name: str) -> str:
    """The name in OpenStack of what a stack makes: a project may hold several stacks, and foreign things besides.

    Args:
        stack: Name of the stack.
        name: Name within the stack; empty for what all its names begin with.
    """
    return f"{PROJECT}-{stack}-{name}"


def vault_description(stack: str) -> str:
    """The description of a mount or an auth method that a stack makes in Vault, by which it knows them again.

    Args:
        stack: Name of the stack.
    """
    return f"Made by the Pulumi stack {PROJECT}/{stack}"
