from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from config.changes import this_run
from config.clusters import Clusters
from config.nfs import Nfs
from config.section import ClaimName, Section, Slug
from config.stack_file import KeyPath


class Keep(Section):
    """How many backups of each volume `operations backup prune` keeps; the last good one is always kept."""

    daily: int = Field(default=7, ge=1, le=366, description="Days of which the last backup is kept", examples=[14])
    weekly: int = Field(default=4, ge=0, le=520, description="Weeks of which the first backup is kept", examples=[12])


class Backups(Section):
    """Backups of volumes, which `python -m operations backup create` makes, for example each night."""

    kind: Literal["none", "snapshot", "backup"] = Field(
        default="none",
        description="Cinder's snapshots, usually in the same storage as the volume, or its backups, in another one",
        examples=["backup"],
    )
    volumes: list[Slug] | None = Field(
        default=None,
        description="Keys of rsp:nfs.volumes; all of them if absent",
        examples=[["jhome"]],
    )
    claims: list[ClaimName] = Field(
        default=[],
        description=(
            "PersistentVolumeClaims whose volumes are backed up, too, as NAMESPACE/NAME; "
            "requires Magnum's driver for Cluster API"
        ),
        examples=[["postgres/postgres-physpvc"]],
    )
    incremental: bool = Field(
        default=True,
        description=(
            "With kind backup: store only what has changed since the backup before, and all data once a week. "
            "Set to false if the cloud's backup driver has no incremental backups"
        ),
    )
    keep: Keep = Field(default=Keep(), description="How many backups are kept")


BACKUPS = this_run(
    "decides what the next `operations backup` makes and deletes; existing backups are restored as before"
)
"""What a change to any of the keys does."""


def existing_volumes(backups: Backups, nfs: Nfs | None) -> Iterator[tuple[KeyPath, str]]:
    """Yield the volumes to back up that the NFS server does not have."""
    existing = sorted(nfs.volumes) if nfs else []
    for name in backups.volumes or ():
        if name not in existing:
            way = f"choose one of {', '.join(existing)}" if existing else "remove it, as the stack has no NFS server"
            yield ("backups", "volumes"), f"{name} is not a key of nfs.volumes: {way}"


def something_to_back_up(backups: Backups, nfs: Nfs | None) -> Iterator[tuple[KeyPath, str]]:
    """Yield a conflict if there is nothing to back up, for example only shares."""
    volumes = (nfs.volumes if nfs else ()) if backups.volumes is None else backups.volumes
    if backups.kind != "none" and not volumes and not backups.claims:
        what = (
            f"{backups.kind} has no volume to back up, as there are neither volumes of the NFS server nor claims: add "
            "them to backups.volumes or backups.claims, or set it to none. This program backs up no shares of Manila"
        )
        yield ("backups", "kind"), what


def named_claims(backups: Backups, clusters: Clusters) -> Iterator[tuple[KeyPath, str]]:
    """Yield a conflict if the volumes of claims cannot be found: with Heat, a volume does not name its claim."""
    for name, cluster in clusters.items():
        if backups.claims and cluster.driver == "heat":
            yield (
                ("backups", "claims"),
                f"requires clusters.{name}.driver capi, as with heat volumes do not name their claims: remove the key",
            )
