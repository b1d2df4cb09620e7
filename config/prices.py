"""A site's prices, with which the command `size` estimates the cost of a stack."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, ValidationError

from config.section import Matching, Name, Section
from config.stack_document import ConfigError
from phalanx import documents

HOURS_PER_MONTH: Final = 730
"""Average number of hours in a month."""

Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""A price in the site's currency."""


class Prices(Section):
    """Prices of OpenStack resources; a resource without a price is free."""

    currency: Annotated[str, Matching(r"[A-Z]{3}", "a currency code of ISO 4217, such as GBP", 3)]
    core_hour: Price = Field(default=0, description="Price of a core for an hour")
    ram_gib_hour: Price = Field(default=0, description="Price of a GiB of memory for an hour")
    flavor_hours: dict[Name, Price] = Field(
        default={}, description="Prices of servers for an hour by flavor, in place of their cores and memory"
    )
    volume_gib_month: Price = Field(default=0, description="Price of a GiB of volumes for a month")
    volume_type_gib_months: dict[Name, Price] = Field(
        default={}, description="Prices by volume type, in place of volumeGibMonth"
    )
    share_gib_month: Price = Field(default=0, description="Price of a GiB of shares for a month")
    floating_ip_month: Price = Field(default=0, description="Price of a floating IP for a month")
    load_balancer_month: Price = Field(default=0, description="Price of a load balancer for a month")


def load(path: Path) -> Prices:
    """Read a file of prices in YAML.

    Raises:
        ConfigError: The prices are not valid.
        PhalanxError: The file cannot be read, or is not a mapping.
    """
    content = documents.read_mapping(path)
    try:
        return Prices.model_validate(content, strict=True, by_name=False, by_alias=True)
    except ValidationError as error:
        lines = [
            f"{path}: {'.'.join(map(str, each['loc']))}: {_reason(each['type'], each['msg'])}"
            for each in error.errors(include_url=False)
        ]
        raise ConfigError("\n".join(lines)) from None


def _reason(kind: str, message: str) -> str:
    known = ", ".join(field.alias or name for name, field in Prices.model_fields.items())
    reasons = {
        "extra_forbidden": f"unknown key: expected one of {known}",
        "missing": "is required: a currency code of ISO 4217, such as GBP",
    }
    text = message.removeprefix("Value error, ")
    return reasons.get(kind, f"{text[:1].lower()}{text[1:]}")
