"""Effects of an upgrade on labels, by the rules of Magnum's `FedoraKubernetesDriver`."""

from magnum.common import exception
from pbr.version import SemanticVersion

VERSION_LABELS = ("kube_tag", "ostree_remote", "ostree_commit")


def upgraded_labels(current: dict[str, str], template: str, wanted: dict[str, str]) -> dict[str, str]:
    """Return the labels of a node group after an upgrade: its own, with the template's `kube_tag`.

    Args:
        current: Labels of the node group.
        template: Name of the template, for messages.
        wanted: Labels of the template.

    Raises:
        InvalidClusterTemplateForUpgrade: The template has no version.
        InvalidVersion: The template's version is lower than the current one.
    """
    if not any(label in wanted for label in VERSION_LABELS):
        raise exception.InvalidClusterTemplateForUpgrade(
            reason=f"Cluster template {template} does not contain any supported upgrade labels: "
            f"[{', '.join(VERSION_LABELS)}]"
        )
    if "kube_tag" not in wanted:
        return dict(current)
    if "kube_tag" in current and _is_lower(wanted["kube_tag"], current["kube_tag"]):
        raise exception.InvalidVersion(tag="kube_tag")
    return {**current, "kube_tag": wanted["kube_tag"]}


def _is_lower(wanted: str, current: str) -> bool:
    """Compare two tags; like Magnum, treat invalid versions as not lower."""
    try:
        return SemanticVersion.from_pip_string(wanted) < SemanticVersion.from_pip_string(current)
    except ValueError:
        return False
