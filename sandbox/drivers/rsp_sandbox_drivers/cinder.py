"""Cinder driver with sparse files as volumes: sizes, snapshots and clones are real, but attaching has no effect.

Nova's fake hypervisor never opens an attached volume, so a connection needs no iSCSI target or RBD image. Configure a
backend with `volume_driver = rsp_sandbox_drivers.cinder.SparseFileDriver` and `sparse_file_directory`.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Any

from cinder import context, exception, interface
from cinder.objects.volume import VolumeList
from cinder.volume import configuration, driver
from oslo_config import cfg

OPTIONS = [cfg.StrOpt("sparse_file_directory", help="Directory with a sparse file for each volume.")]
cfg.CONF.register_opts(OPTIONS, group=configuration.SHARED_CONF_GROUP)

GIGABYTE = 1 << 30
"""Bytes per GiB, Cinder's unit."""
POOL_GIGABYTES = 100_000
"""Reported capacity of the pool in GiB; as the files are sparse, only quotas limit a tenant."""


@interface.volumedriver
class SparseFileDriver(driver.VolumeDriver):
    """Stores volumes and snapshots as sparse files in one directory; see Cinder's driver interface for the methods."""

    VERSION = "1.0.0"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.configuration.append_config_values(OPTIONS)

    def do_setup(self, context: Any) -> None:  # noqa: ARG002 -- Cinder's signature
        """Create the directory."""
        self._directory = Path(self.configuration.sparse_file_directory)
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def check_for_setup_error(self) -> None:
        """Do nothing: there is nothing to check beyond what do_setup raises."""

    def create_volume(self, volume: Any) -> None:
        """Create an empty volume."""
        _grow(self._path(volume), volume["size"])

    def delete_volume(self, volume: Any) -> None:
        """Delete a volume if it exists, as deletion may be retried."""
        self._path(volume).unlink(missing_ok=True)

    def extend_volume(self, volume: Any, new_size: int) -> None:
        """Grow a volume to `new_size` GiB."""
        _grow(self._path(volume), new_size)

    def create_snapshot(self, snapshot: Any) -> None:
        """Copy a volume's current content."""
        _copy(self._directory / snapshot["volume_name"], self._path(snapshot), snapshot["volume_size"])

    def delete_snapshot(self, snapshot: Any) -> None:
        """Delete a snapshot, unless a volume was made from it, which depends on it in Ceph.

        Raises:
            SnapshotIsBusy: There is such a volume; Cinder makes the snapshot available again.
        """
        if VolumeList.get_all(context.get_admin_context(), filters={"snapshot_id": snapshot.id}):
            raise exception.SnapshotIsBusy(snapshot_name=snapshot.name)
        self._path(snapshot).unlink(missing_ok=True)

    def create_volume_from_snapshot(self, volume: Any, snapshot: Any) -> None:
        """Create a volume with a snapshot's content."""
        _copy(self._path(snapshot), self._path(volume), volume["size"])

    def create_cloned_volume(self, volume: Any, src_vref: Any) -> None:
        """Create a volume with another volume's content."""
        _copy(self._path(src_vref), self._path(volume), volume["size"])

    def copy_image_to_volume(
        self,
        context: Any,
        volume: Any,
        image_service: Any,
        image_id: str,
        disable_sparse: bool = False,  # noqa: ARG002 -- Cinder's signature
    ) -> None:
        """Write an image from Glance to a volume."""
        with self._path(volume).open("r+b") as file:
            image_service.download(context, image_id, file)
        _grow(self._path(volume), volume["size"])

    def copy_volume_to_image(self, context: Any, volume: Any, image_service: Any, image_meta: Any) -> None:
        """Upload a volume to Glance."""
        with self._path(volume).open("rb") as file:
            image_service.update(context, image_meta["id"], {}, file)

    def ensure_export(self, context: Any, volume: Any) -> None:
        """Do nothing: there are no exports."""

    def create_export(self, context: Any, volume: Any, connector: Any = None) -> None:
        """Do nothing: there are no exports."""

    def remove_export(self, context: Any, volume: Any) -> None:
        """Do nothing: there are no exports."""

    def initialize_connection(self, volume: Any, connector: Any) -> dict[str, Any]:  # noqa: ARG002 -- Cinder's signature
        """Return the file's path, which the fake hypervisor only stores."""
        return {
            "driver_volume_type": "local",
            "data": {"device_path": str(self._path(volume)), "volume_id": volume["id"]},
        }

    def terminate_connection(self, volume: Any, connector: Any, **kwargs: Any) -> None:
        """Do nothing: there are no connections."""

    def _update_volume_stats(self) -> None:
        name = self.configuration.safe_get("volume_backend_name") or type(self).__name__
        pool = {
            "pool_name": name,
            "total_capacity_gb": POOL_GIGABYTES,
            "free_capacity_gb": POOL_GIGABYTES,
            "allocated_capacity_gb": 0,
            "provisioned_capacity_gb": 0,
            "reserved_percentage": 0,
            "max_over_subscription_ratio": "20.0",
            "thin_provisioning_support": True,
            "QoS_support": False,
            "multiattach": True,
        }
        self._stats = {
            "volume_backend_name": name,
            "vendor_name": "RSP sandbox",
            "driver_version": self.VERSION,
            "storage_protocol": "file",
            "pools": [pool],
        }

    def _path(self, volume_or_snapshot: Any) -> Path:
        return self._directory / volume_or_snapshot["name"]


def _grow(path: Path, gigabytes: int) -> None:
    """Extend a file without allocating blocks, creating it if necessary."""
    with path.open("ab") as file:
        file.truncate(gigabytes * GIGABYTE)


def _copy(source: Path, target: Path, gigabytes: int) -> None:
    """Copy a file with its holes, then extend it."""
    subprocess.run([shutil.which("cp") or "/bin/cp", "--sparse=always", source, target], check=True)
    _grow(target, gigabytes)
