"""Where the DNS records of the platform's name come from."""

from typing import Annotated, Literal

from pydantic import Field

from config.addresses import DnsName
from config.changes import in_place, replaces
from config.section import Section


class ExternalDns(Section):
    """Records that the administrators of the site's DNS create; the output dnsRecords lists them."""

    kind: Literal["external"] = Field(description="Create no records")


class DesignateDns(Section):
    """Records in a zone of OpenStack Designate."""

    kind: Literal["designate"] = Field(description="Create the records in a zone of Designate")
    zone: Annotated[DnsName, replaces("the records: they are deleted, then created in the other zone")] = Field(
        description="Zone of this OpenStack project that contains the platform's name (fqdn in the Phalanx repository)",
        examples=["example.org"],
    )
    ttl: Annotated[int, in_place("updates the records")] = Field(
        default=300, ge=30, le=86_400, description="Time to live of the records in seconds"
    )


Dns = Annotated[ExternalDns | DesignateDns, Field(discriminator="kind")]
"""Where the DNS records of the platform's name come from."""
