"""Command ``size``: what a stack requires of an OpenStack project, and what it costs."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from config import prices as site_prices
from config.loader import ConfigError, load_file
from config.prices import Prices
from config.stack_config import StackConfig
from operations.stack import StackName, load
from operations.stack import applications as stack_applications
from probes import allowances, cost, existing_data, quota
from probes.needs import Flavor, Volumes, needs, of_claims
from probes.openstack_connection import connect
from probes.quota import Project, Row


def main(  # noqa: PLR0913, PLR0917  # the options of the command
    stack: StackName,
    ask_cloud: Annotated[
        bool, typer.Option("--cloud", help="Ask OpenStack for the flavors and the project's quotas")
    ] = False,
    flavors: Annotated[
        Path | None, typer.Option("--flavors", help="Output of `openstack flavor list -f json`", dir_okay=False)
    ] = None,
    prices: Annotated[Path | None, typer.Option("--prices", help="YAML file with the site's prices")] = None,
    applications: Annotated[
        bool, typer.Option("--applications", help="Read the Phalanx repository, and count the applications' claims")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object")] = False,
) -> None:
    """Print how much of each quota a stack requires, with node groups at their maximum; by default from its file alone.

    With --applications, volumes that the applications request in the cluster are included, as far as their charts
    declare them. With --cloud, exit with 1 if a quota is too small.
    """
    config = load_file(Path(f"Pulumi.{stack}.yaml"), StackConfig)
    charged = site_prices.load(prices) if prices else None
    sizes = _flavors(flavors) if flavors else {}
    claimed = _claimed(stack) if applications else []
    if ask_cloud:
        rows, sizes, project = _ask(config, stack, sizes, claimed)
    else:
        rows, project = quota.compare(needs(config, sizes, claimed=claimed), {}, first=True), None
    costs = _costs(config, sizes, charged, claimed) if charged else {}
    short = [row for row in rows if row.short]
    if as_json:
        typer.echo(json.dumps({"resources": list(map(_document, rows)), "monthlyCost": costs}, indent=2))
    else:
        typer.echo("\n".join(quota.table(rows)))
        for name, each in costs.items():
            typer.echo("\n".join(["", f"Cost of a month at the {name} size:", *cost.lines(each)]))
        if project and short:
            typer.echo("\n".join(["", *quota.request(short, project, stack)]))
    if short:
        raise typer.Exit(1)


def _claimed(stack: str) -> list[Volumes]:
    """Return the volumes of the claims that the applications' charts declare.

    Raises:
        PhalanxError: The Phalanx repository cannot be read, or its environment or a chart is not valid.
    """
    loaded = load(stack)
    return of_claims(loaded.config, stack_applications(loaded).claims)


def _ask(
    config: StackConfig, stack: str, given: dict[str, Flavor], claimed: list[Volumes]
) -> tuple[list[Row], dict[str, Flavor], Project]:
    """Return the comparison with the project's quotas, the sizes of all flavors, and the project.

    Raises:
        LoginError: The login to OpenStack fails.
    """
    connection = connect(config.cloud)
    sizes = {each.name: Flavor(vcpus=each.vcpus, ram=each.ram) for each in connection.compute.flavors()} | given
    with ThreadPoolExecutor() as executor:
        existing = partial(existing_data.query, config, stack, connection)
        rows = allowances.read(config, stack, connection, executor, existing).compare(config, sizes, claimed)
    return rows, sizes, allowances.project_of(connection)


def _flavors(path: Path) -> dict[str, Flavor]:
    """Read the sizes of flavors.

    Raises:
        ConfigError: The file is not the output of `openstack flavor list -f json`.
    """
    try:
        return {each["Name"]: Flavor(vcpus=each["VCPUs"], ram=each["RAM"]) for each in json.loads(path.read_text())}
    except (OSError, ValueError, TypeError, KeyError):
        raise ConfigError(
            f"{path}: cannot be read as a list of flavors: write it with `openstack flavor list -f json > {path}`"
        ) from None


def _costs(
    config: StackConfig, sizes: Mapping[str, Flavor], prices: Prices, claimed: list[Volumes]
) -> dict[str, cost.Cost]:
    """Return the cost at the initial size, and at the maximum size if node groups can grow."""
    found = {"initial": cost.monthly(config, sizes, prices, at_maximum=False, claimed=claimed)}
    if any(group.autoscaling for cluster in config.clusters.values() for group in cluster.groups.values()):
        found["maximum"] = cost.monthly(config, sizes, prices, at_maximum=True, claimed=claimed)
    return found


def _document(row: Row) -> dict[str, str | int | None]:
    return {"name": row.name, "needed": row.needed, "used": row.used, "limit": row.limit, "short": row.short}
