from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.changes import in_place, refused, replaces, this_run
from config.section import Matching, Name, Section, Slug
from phalanx.git_addresses import check_revision

StorageClassName = Annotated[
    str,
    Matching(
        r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*",
        "a name of Kubernetes (lower-case letters, digits, hyphens and dots), such as standard",
        253,
    ),
]
"""Name of a StorageClass: a DNS subdomain name
(https://kubernetes.io/docs/concepts/overview/working-with-objects/names/)."""


class SyncMode(StrEnum):
    """Time at which Argo CD applies changes of the Phalanx repository."""

    ON_CHANGE = "on-change"
    AUTOMATIC = "automatic"
    MANUAL = "manual"


class WiringMode(StrEnum):
    """Way in which the addresses and names of the infrastructure reach the applications."""

    APPLY = "apply"
    VERIFY = "verify"


_CLASS = replaces("the StorageClass; existing volumes keep their type, zone and reclaim policy")


class StorageClassSettings(Section):
    """A Kubernetes StorageClass whose volumes are Cinder volumes of one type."""

    volume_type: Annotated[Name, _CLASS] = Field(description="Cinder volume type", examples=["ceph-hdd"])
    availability_zone: Annotated[Name | None, _CLASS] = Field(
        default=None,
        description="Cinder availability zone; the cloud's default if absent",
        examples=["nova"],
    )
    reclaim_policy: Annotated[Literal["Retain", "Delete"], _CLASS] = Field(
        default="Retain",
        description="Retain or delete volumes whose claim is deleted",
    )
    default: Annotated[bool, in_place("updates the StorageClass; existing claims keep their class")] = Field(
        default=False, description="Use it for claims that do not name a class"
    )


class ApplicationOverride(Section):
    """Settings of one application that differ from those of all others."""

    revision: Annotated[
        Annotated[str, Field(min_length=1, max_length=200), AfterValidator(check_revision)] | None,
        in_place("updates the Argo CD Application, which is deployed from the other revision"),
    ] = Field(
        default=None,
        description=(
            "Branch, tag or full commit hash of the Phalanx repository from which this application is deployed; "
            "`rsp:phalanx.revision` if absent"
        ),
        examples=["fbd899770abf42cbe17e5afa74abb557157e82be"],
    )
    sync: Annotated[SyncMode | None, in_place("updates the Argo CD Application, as `applications.sync`")] = Field(
        default=None, description="Sync mode of this application; `rsp:applications.sync` if absent"
    )
    wait: Annotated[bool, in_place("updates the annotation by which runs wait for the Application")] = Field(
        default=True,
        description=(
            "Wait until this application is synced and healthy; set to false to continue without it, for example if it "
            "stays Degraded because of a failed Job that nobody needs"
        ),
    )

    @model_validator(mode="after")
    def _overrides_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("must set revision, sync or wait: remove the entry otherwise")
        return self


class ApplicationsSettings(Section):
    """Deployment and storage of the applications of the Phalanx environment."""

    sync: Annotated[
        SyncMode, in_place("updates all Argo CD Applications; a change from `manual` syncs those that are out of sync")
    ] = Field(
        default=SyncMode.ON_CHANGE,
        description=(
            "on-change: each application is pinned to the last commit that changed it, and changes only with `pulumi "
            "up`; automatic: each follows the branch; manual: pinned, too, but after the first installation the "
            "operator syncs in Argo CD"
        ),
    )
    wiring: Annotated[
        WiringMode,
        in_place(
            "updates the Applications that have facts. `verify` requires the same values in the repository, so that "
            "nothing else changes"
        ),
    ] = Field(
        default=WiringMode.APPLY,
        description=(
            "apply: the Applications override values of the Phalanx repository with addresses, buckets and other "
            "facts; verify: they override nothing, and a preview or update stops where the repository has other values"
        ),
    )
    timeout: Annotated[int, this_run("the next operations use it; no resource has it as a property")] = Field(
        default=900,
        ge=30,
        le=24 * 3600,
        description=(
            "Seconds to wait until an application is synced and healthy; a change does not affect the installed Helm "
            "releases of Argo CD and vault-secrets-operator"
        ),
    )
    overrides: Annotated[
        dict[Slug, ApplicationOverride],
        in_place("updates the Argo CD Application, which is synced as the entry says, or as all others without one"),
    ] = Field(
        default={},
        max_length=200,
        description="Settings of individual applications, by name",
        examples=[{"tap": {"revision": "fbd899770abf42cbe17e5afa74abb557157e82be"}}],
    )
    storage_classes: Annotated[
        dict[StorageClassName, StorageClassSettings],
        in_place("creates or deletes a StorageClass; existing volumes remain"),
    ] = Field(
        min_length=1,
        max_length=50,
        description=(
            "StorageClasses of the cluster, by name; not the name of a volume type, for each of which Magnum's driver "
            "capi makes a class (docs/howto/storage-classes.md)"
        ),
        examples=[{"standard": {"volumeType": "ceph-hdd", "default": True}}],
    )
    database_storage_class: Annotated[
        StorageClassName,
        refused(
            "Kubernetes cannot change the class of a claim; dump the databases, delete the claim of postgres, change "
            "the key with `pulumi up --replace '**::created-with-applications.databaseStorageClass'`, restore the dump"
        ),
    ] = Field(
        description="Name of the class in storageClasses for the data of the internal PostgreSQL server",
        examples=["standard"],
    )

    @model_validator(mode="after")
    def _classes_are_consistent(self) -> Self:
        if len(defaults := [name for name, each in self.storage_classes.items() if each.default]) > 1:
            raise ValueError(f"storageClasses {', '.join(defaults)} are all default: set default for one at most")
        if self.database_storage_class not in self.storage_classes:
            raise ValueError(
                f"databaseStorageClass {self.database_storage_class} is not in storageClasses: "
                f"choose one of {', '.join(self.storage_classes)}",
            )
        return self

    @property
    def revisions(self) -> dict[str, str]:
        """Configured revisions of individual applications."""
        return {name: each.revision for name, each in self.overrides.items() if each.revision is not None}

    @property
    def not_awaited(self) -> frozenset[str]:
        """Applications that may remain unsynced or unhealthy."""
        return frozenset(name for name, each in self.overrides.items() if not each.wait)

    def storage_class_of(self, application: str, requested: str | None) -> str | None:
        """Return the name of the StorageClass that a claim gets; None if no class of the stack is the default one.

        Args:
            application: Name of the application.
            requested: Class in its chart; None for the default one.
        """
        if application == "postgres":
            return self.database_storage_class  # a fact, with which the chart has not been rendered
        default = next((name for name, each in self.storage_classes.items() if each.default), None)
        return requested or default

    def sync_of(self, application: str) -> SyncMode:
        """Return the sync mode of an application."""
        override = self.overrides.get(application)
        return override.sync if override and override.sync else self.sync

    def synced_and_awaited(self, application: str) -> bool:
        """Return whether runs let Argo CD sync an application, and wait until it is synced and healthy."""
        return self.sync_of(application) is not SyncMode.MANUAL and application not in self.not_awaited
