"""The Cinder volumes that a stack's file gives to claims of applications."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from config.stack_config import StackConfig
from phalanx.claims import Claim, by_name
from phalanx.environment import nearest
from phalanx.errors import PhalanxError


@dataclass(frozen=True, kw_only=True)
class ClaimedVolume:
    """A Cinder volume, and the claim that gets it."""

    namespace: str
    """Namespace of the claim."""
    name: str
    """Its name."""
    application: str
    """Application whose chart declares it."""
    volume: str
    """ID of the volume."""
    storage_class: str
    """StorageClass that the claim requests."""
    size: int
    """Size that it requests, in GiB."""

    @property
    def claim(self) -> str:
        """Namespace and name of the claim."""
        return f"{self.namespace}/{self.name}"


def find(config: StackConfig, claims: Iterable[Claim]) -> dict[str, list[ClaimedVolume]]:
    """Return the volumes that exist already and their claims, by cluster.

    Args:
        config: The stack configuration.
        claims: Claims of the applications' charts.

    Raises:
        PhalanxError: No chart declares a claim, or its size or StorageClass is not known.
    """
    problems: list[str] = []
    found: dict[str, list[ClaimedVolume]] = {name: [] for name in config.clusters}
    declared = dict(by_name(claims))
    for cluster, settings in config.clusters.items():
        for name, volume in settings.claims.items():
            where = f"rsp:clusters.{cluster}.claims.{name}"
            if name not in declared:
                problems.append(_unknown(where, name, declared))
                continue
            claim = declared[name]
            storage_class = config.applications.storage_class_of(claim.application, claim.storage_class)
            if storage_class is None:
                problems.append(
                    f"{where}: the chart of {claim.application} does not set the claim's StorageClass, and no class of "
                    "the stack is the default one: set `default: true` in one of rsp:applications.storageClasses"
                )
            elif claim.size is None:
                what = f"the chart of {claim.application} does not set the claim's size: set it there"
                problems.append(f"{where}: {what}")
            else:
                namespace, _, short = name.partition("/")
                found[cluster].append(
                    ClaimedVolume(
                        namespace=namespace,
                        name=short,
                        application=claim.application,
                        volume=volume,
                        storage_class=storage_class,
                        size=claim.size,
                    )
                )
    if problems:
        raise PhalanxError(*problems)
    return found


def _unknown(where: str, name: str, declared: Mapping[str, Claim]) -> str:
    expected = sorted(declared)
    return (
        f"{where}: no enabled application declares this claim with a chart in the repository{nearest(name, expected)}; "
        f"expected one of {', '.join(expected) or 'none'}. Remove the key, whose PersistentVolume remains. For a claim "
        "of an operator or of another chart, create it by hand (docs/runbooks/volumes.md)"
    )
