"""Manila driver without storage: Manila's dummy driver, with CephFS and the addresses and paths of CephFS' drivers.

Sources: ``manila/share/drivers/cephfs/driver.py`` for the export locations and the keys of cephx identities.
"""

import base64
import secrets
from typing import Any

from manila import exception
from manila.tests.share.drivers import dummy

GANESHA = "10.254.0.10"
"""Address of the NFS gateway in the export locations."""
MONITORS = "10.254.0.16:6789,10.254.0.17:6789,10.254.0.18:6789"
"""Ceph's monitors in the export locations."""

_ACCESS = {"NFS": "ip", "CEPHFS": "cephx"}
"""Type of access rules by protocol."""
_KEY_BYTES = 28
"""Length of a cephx key with its header."""


class ShareDriver(dummy.DummyDriver):
    """Exports each share as a subvolume of CephFS, which nobody can mount."""

    def _update_share_stats(self, data: Any = None) -> None:
        """Report the protocols, of which the scheduler looks for that of a share."""
        super()._update_share_stats(data)
        self._stats["storage_protocol"] = "_".join(_ACCESS)

    def _create_share(self, share: Any, share_server: Any = None) -> list[dict[str, Any]]:  # noqa: ARG002
        name = self._get_share_name(share)
        path = f"/volumes/_nogroup/{share['id']}"
        self.private_storage.update(share["id"], {"fake_provider_share_name": name, "fake_provider_location": path})
        server = GANESHA if share["share_proto"] == "NFS" else MONITORS
        return [{"path": f"{server}:{path}", "is_admin_only": False, "metadata": {"preferred": True}}]

    def update_access(  # noqa: PLR0913, PLR0917 -- Manila's signature
        self,
        context: Any,  # noqa: ARG002
        share: Any,
        access_rules: Any,
        add_rules: Any,
        delete_rules: Any,  # noqa: ARG002
        share_server: Any = None,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Accept rules of the protocol's type, and return the keys of new cephx identities."""
        wanted = _ACCESS[share["share_proto"]]
        rules = add_rules or access_rules
        if any(rule["access_type"] != wanted for rule in rules):
            raise exception.InvalidShareAccessType(type=", ".join(rule["access_type"] for rule in rules))
        return {
            rule["access_id"]: {"access_key": base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()}
            for rule in rules
            if wanted == "cephx" and not rule["access_key"]
        }
