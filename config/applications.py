from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.section import Name, Section

StorageClassName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
"""The name of a StorageClass, by Kubernetes' rules."""


class SyncMode(StrEnum):
    """When Argo CD applies what the Phalanx repository says."""

    ON_CHANGE = "on-change"
    AUTOMATIC = "automatic"
    MANUAL = "manual"


class StorageClass(Section):
    """A Kubernetes StorageClass whose volumes are Cinder volumes of one type."""

    volume_type: Name = Field(description="Cinder volume type of its volumes")
    availability_zone: Name | None = Field(
        default=None,
        description="Cinder availability zone of its volumes; the cloud's default if absent",
    )
    reclaim_policy: Literal["Retain", "Delete"] = Field(
        default="Retain",
        description="What becomes of a volume whose claim is deleted: kept for a person to look at, or deleted",
    )
    default: bool = Field(default=False, description="Whether claims that name no class get this one")


class Applications(Section):
    """How the applications of the Phalanx environment are deployed, and on which storage."""

    sync: SyncMode = Field(
        default=SyncMode.ON_CHANGE,
        description=(
            "on-change: each application is pinned to this run's commit and changes when `pulumi up` changes it; "
            "automatic: each follows the branch; manual: after the first installation people sync in Argo CD"
        ),
    )
    timeout: int = Field(
        default=900,
        ge=30,
        description=(
            "Seconds to wait until an application is synced and healthy; the Helm releases of Argo CD and "
            "vault-secrets-operator keep the value that they are installed with"
        ),
    )
    storage_classes: dict[StorageClassName, StorageClass] = Field(
        min_length=1,
        description="The StorageClasses of the cluster, by name",
    )
    database_storage_class: StorageClassName = Field(
        description="The one of storageClasses on which the internal PostgreSQL server keeps its data",
    )

    @model_validator(mode="after")
    def _classes_are_consistent(self) -> Self:
        if len(defaults := [name for name, each in self.storage_classes.items() if each.default]) > 1:
            raise ValueError(f"storageClasses {', '.join(defaults)} are all default: one at most may be")
        if self.database_storage_class not in self.storage_classes:
            raise ValueError(
                f"databaseStorageClass {self.database_storage_class} is none of storageClasses: "
                f"choose one of {', '.join(self.storage_classes)}",
            )
        return self
