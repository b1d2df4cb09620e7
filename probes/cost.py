"""Estimated cost of a stack at a site's prices; plain arithmetic without network access."""

from collections.abc import Iterator, Mapping, Sequence

from config.prices import HOURS_PER_MONTH, Prices
from config.stack_config import StackConfig
from probes import text_table
from probes.needs import Flavor, Volumes, needs, servers, volumes

_MIB_PER_GIB = 1024

Cost = dict[str, float | str | None]
"""Cost by kind of resource, and the currency; None if it is not known."""


def monthly(
    config: StackConfig,
    flavors: Mapping[str, Flavor],
    prices: Prices,
    *,
    at_maximum: bool,
    claimed: Sequence[Volumes] = (),
) -> Cost:
    """Return the cost of a month; that of servers is None if it depends on the size of a flavor that is not known.

    Args:
        config: The stack configuration.
        flavors: Sizes of flavors by name.
        prices: The site's prices.
        at_maximum: Whether node groups have the maximum size of their autoscaling, instead of the initial one.
        claimed: Volumes of the applications' claims.
    """
    hourly = [
        (_per_hour(name, flavors, prices), count) for name, count in servers(config, at_maximum=at_maximum).items()
    ]
    known = [price * count for price, count in hourly if price is not None]
    amounts = needs(config, {})
    parts: dict[str, float | None] = {
        "servers": sum(known) * HOURS_PER_MONTH if len(known) == len(hourly) else None,
        "volumes": sum(
            each.count * each.size * prices.volume_type_gib_months.get(each.type, prices.volume_gib_month)
            for each in (*volumes(config, at_maximum=at_maximum), *claimed)
        ),
        **({"shares": (amounts["share_gigabytes"] or 0) * prices.share_gib_month} if config.shares else {}),
        "floating IPs": (amounts["floating_ips"] or 0) * prices.floating_ip_month,
        "load balancers": (amounts["load_balancers"] or 0) * prices.load_balancer_month,
    }
    certain = [part for part in parts.values() if part is not None]
    return {**parts, "total": sum(certain) if len(certain) == len(parts) else None, "currency": prices.currency}


def lines(cost: Cost) -> Iterator[str]:
    """Yield the lines of a table of a cost."""
    currency = cost["currency"]
    amounts = {name: "unknown" if each is None else f"{each:,.2f}" for name, each in cost.items() if name != "currency"}
    for line in text_table.lines([*amounts.items()], right={1}):
        yield f"  {line} {currency}"


def _per_hour(name: str, flavors: Mapping[str, Flavor], prices: Prices) -> float | None:
    """Return the price of a server for an hour."""
    if name in prices.flavor_hours:
        return prices.flavor_hours[name]
    if not (prices.core_hour or prices.ram_gib_hour):
        return 0
    if (flavor := flavors.get(name)) is None:
        return None
    return flavor.vcpus * prices.core_hour + flavor.ram / _MIB_PER_GIB * prices.ram_gib_hour
