from dataclasses import dataclass

import pulumi
from pulumi_openstack import dns

from wiring.dns_records import Alias


@dataclass(frozen=True, kw_only=True)
class PlatformRecordsArgs:
    """Arguments of `PlatformRecords`."""

    zone: str
    """Name of the Designate zone, without a final dot."""
    host: str
    """Host name of the platform, in the zone."""
    address: pulumi.Input[str]
    """IPv4 address of the platform."""
    alias: Alias | None
    """CNAME record of the ACME challenge; None if it is not needed."""
    ttl: int
    """Time to live in seconds."""


class PlatformRecords(pulumi.ComponentResource):
    """The DNS records of the platform's name in a zone of Designate."""

    def __init__(self, name: str, args: PlatformRecordsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:PlatformRecords", name, None, opts)
        zone = dns.get_dns_zone_output(name=f"{args.zone}.", opts=pulumi.InvokeOptions(parent=self))
        records: dict[str, tuple[str, str, pulumi.Input[str]]] = {"address": (args.host, "A", args.address)}
        if args.alias:
            records["challenge"] = (args.alias.name, "CNAME", f"{args.alias.target}.")
        for purpose, (record, kind, value) in records.items():
            dns.RecordSet(
                f"{name}-{purpose}",
                zone_id=zone.id,
                name=f"{record}.",
                type=kind,
                records=[value],
                ttl=args.ttl,
                description=f"Rubin Science Platform ({pulumi.get_stack()}), managed by Pulumi",
                opts=pulumi.ResourceOptions(
                    parent=self,
                    # Designate refuses a second record of the same name and type.
                    delete_before_replace=True,
                ),
            )
        self.register_outputs({})
