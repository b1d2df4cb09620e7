"""Simulates ovn-controller: one chassis that claims the ports that northd requests.

Neutron's ML2/OVN binds a port only on a host with a live chassis in the southbound database, and sets a port to ACTIVE
only when a chassis reports it as up. This process does only that part of ovn-controller's work (see ovn-sb(5) for the
tables), without a data path, and reports every load balancer member as online.

Usage: `python3 -m rsp_sandbox_drivers.chassis tcp:127.0.0.1:6642 HOSTNAME`.
"""

import argparse
import logging
import math
import time
import uuid
from collections.abc import Iterable
from typing import Any

import ovs.db.idl
import ovs.poller

SCHEMA = "/usr/share/ovn/ovn-sb.ovsschema"
TABLES = (
    "SB_Global",
    "Chassis",
    "Chassis_Private",
    "Encap",
    "Port_Binding",
    "HA_Chassis_Group",
    "HA_Chassis",
    "Gateway_Chassis",
    "Service_Monitor",
)
POLL_MILLISECONDS = 5000
"""Longest time to sleep without a change in the database."""
PLUG_SECONDS = 2
"""Delay after which a requested port is up, as when Nova has to plug an interface first.

If a port is up before Neutron has completed the request, it stays DOWN: Neutron's notification that DHCP is ready then
finds nothing else to wait for, and itself waits for the binding, which the request has yet to write.
"""

log = logging.getLogger("chassis")


class Chassis:
    """One chassis of the southbound database.

    Args:
        remote: OVS address of the southbound database (`tcp:HOST:PORT`).
        hostname: Name of this host in Nova and Neutron.
    """

    def __init__(self, remote: str, hostname: str) -> None:
        helper = ovs.db.idl.SchemaHelper(SCHEMA)
        for table in TABLES:
            helper.register_table(table)
        self._idl = ovs.db.idl.Idl(remote, helper)
        self._hostname = hostname
        self._plugged_at: dict[uuid.UUID, float] = {}
        self._config = {
            "ovn-bridge-mappings": "physnet1:br-ex",
            "ovn-cms-options": "enable-chassis-as-gw",
            "datapath-type": "system",
            "iface-types": "geneve,vxlan",
            "is-interconn": "false",
            "port-up-notif": "true",
            "ovn-monitor-all": "true",
        }

    def run(self) -> None:
        """Process changes of the database in a loop; the IDL reconnects by itself."""
        seen = None
        while True:
            self._idl.run()
            if self._idl.has_ever_connected() and (seen != self._idl.change_seqno or self._plugged_at):
                seen = self._idl.change_seqno
                self._step()
                if self._idl.change_seqno != seen:
                    continue
            poller = ovs.poller.Poller()
            self._idl.wait(poller)
            poller.timer_wait(self._milliseconds_to_next_plug())
            poller.block()

    def _milliseconds_to_next_plug(self) -> int:
        milliseconds = [math.ceil((at - time.monotonic()) * 1000) for at in self._plugged_at.values()]
        return max(0, min([POLL_MILLISECONDS, *milliseconds]))

    def _rows(self, table: str) -> Iterable[Any]:
        return self._idl.tables[table].rows.values()

    def _step(self) -> None:
        """Update the chassis's rows and the bindings in one transaction."""
        transaction = ovs.db.idl.Transaction(self._idl)
        chassis = next((row for row in self._rows("Chassis") if row.hostname == self._hostname), None)
        if chassis is None:
            self._register(transaction)
            changes = 1
        else:
            changes = self._acknowledge(chassis) + self._bind_ports(chassis) + self._report_members()
        if not changes:
            transaction.abort()
            return
        result = transaction.commit_block()
        log.info("%d changes: %s", changes, result)

    def _register(self, transaction: ovs.db.idl.Transaction) -> None:
        name = str(uuid.uuid5(uuid.NAMESPACE_DNS, self._hostname))
        encap = transaction.insert(self._idl.tables["Encap"])
        encap.type, encap.ip, encap.chassis_name = "geneve", "127.0.0.1", name
        chassis = transaction.insert(self._idl.tables["Chassis"])
        chassis.name, chassis.hostname, chassis.encaps = name, self._hostname, [encap]
        # Neutron up to Yoga reads external_ids, later releases other_config.
        chassis.other_config = chassis.external_ids = self._config
        private = transaction.insert(self._idl.tables["Chassis_Private"])
        private.name, private.chassis, private.nb_cfg = name, [chassis], 0

    def _acknowledge(self, chassis: Any) -> int:
        """Copy nb_cfg, from which Neutron derives that the chassis is alive."""
        wanted = next((row.nb_cfg for row in self._rows("SB_Global")), None)
        changes = 0
        for private in self._rows("Chassis_Private"):
            if private.name == chassis.name and wanted is not None and private.nb_cfg != wanted:
                private.nb_cfg, private.nb_cfg_timestamp = wanted, int(time.time() * 1000)
                changes += 1
        return changes

    def _bind_ports(self, chassis: Any) -> int:
        changes = 0
        waiting, self._plugged_at = self._plugged_at, {}
        for binding in self._rows("Port_Binding"):
            if binding.type not in ("", "localport", "virtual", "chassisredirect", "l3gateway"):
                continue
            wanted = _wanted_chassis(binding, chassis)
            current = binding.chassis[0] if binding.chassis else None
            if wanted is None:
                if current is None:
                    continue
                binding.chassis, binding.up = [], [False]
            elif current is None or current.uuid != wanted.uuid:
                plugged_at = waiting.get(binding.uuid, time.monotonic() + PLUG_SECONDS)
                if binding.type == "" and plugged_at > time.monotonic():
                    self._plugged_at[binding.uuid] = plugged_at
                    continue
                binding.chassis, binding.up = [wanted], [True]
            elif not (binding.up and binding.up[0]):
                binding.up = [True]
            else:
                continue
            changes += 1
        return changes

    def _report_members(self) -> int:
        changes = 0
        for monitor in self._rows("Service_Monitor"):
            if monitor.status != ["online"]:
                monitor.status = ["online"]
                changes += 1
        return changes


def _wanted_chassis(binding: Any, ours: Any) -> Any | None:
    """Return the chassis that a port belongs to by ovn-controller's rules; None if it belongs to none."""
    if binding.type == "chassisredirect":
        gateways = [gateway for group in binding.ha_chassis_group for gateway in group.ha_chassis]
        gateways += binding.gateway_chassis
        usable = [gateway for gateway in gateways if gateway.chassis]
        return max(usable, key=lambda gateway: gateway.priority).chassis[0] if usable else None
    if binding.type == "l3gateway":
        return ours if binding.options.get("l3gateway-chassis") == ours.name else None
    return binding.requested_chassis[0] if binding.requested_chassis else None


def main() -> None:
    """Parse the command line and run the chassis."""
    parser = argparse.ArgumentParser(description="Simulates ovn-controller: claims ports but moves no packets.")
    parser.add_argument("remote", help="southbound database, for example tcp:127.0.0.1:6642")
    parser.add_argument("hostname", help="host name, as in nova.conf and neutron.conf")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    Chassis(arguments.remote, arguments.hostname).run()


if __name__ == "__main__":
    main()
