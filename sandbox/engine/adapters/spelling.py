"""Names of properties as Pulumi spells them and as services do."""

import re


def snake(name: str) -> str:
    """`fixedIpsV6` as `fixed_ips_v6`."""
    return re.sub(r"([A-Z])", r"_\1", name).lower()


def camel(name: str) -> str:
    """`fixed_ips` as `fixedIps`."""
    head, *rest = name.split("_")
    return head + "".join(each.capitalize() for each in rest)
