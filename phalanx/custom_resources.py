"""Custom resources of applications, which Kubernetes knows only while the application that defines them is deployed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from phalanx.environment import Environment

_DEFINED_BY: Final[Mapping[str, str]] = {
    "access.strimzi.io": "strimzi-access-operator",
    "cert-manager.io": "cert-manager",
    "gafaelfawr.lsst.io": "gafaelfawr",
    "grafana.integreatly.org": "grafana",
    "kafka.strimzi.io": "strimzi",
    "keda.sh": "keda",
    "ricoberger.de": "vault-secrets-operator",
}
"""Applications of Phalanx by the API group that their charts define.

Without ``roundtable.lsst.codes``: in older versions of Phalanx, sasquatch contains strimzi-registry-operator.
"""

_SHOWN = 3
"""Maximum number of resources that a message lists."""


@dataclass(frozen=True, kw_only=True)
class CustomResource:
    """A custom resource that an application creates."""

    group: str
    """API group, such as ``gafaelfawr.lsst.io``."""
    name: str
    """``<application>: <kind>/<name>``."""


def find(application: str, manifests: Iterable[Mapping[str, Any]]) -> Iterator[CustomResource]:
    """Yield the custom resources of an application whose group another application defines.

    Args:
        application: Name of the application.
        manifests: Its rendered manifests.
    """
    for manifest in manifests:
        group = str(manifest.get("apiVersion")).partition("/")[0]
        if group in _DEFINED_BY:
            yield CustomResource(
                group=group, name=f"{application}: {manifest['kind']}/{manifest['metadata'].get('name')}"
            )


def undefined(resources: Iterable[CustomResource], environment: Environment) -> Iterator[str]:
    """Yield a problem for each application that the environment must enable, as others use its custom resources.

    Argo CD cannot sync an application while Kubernetes does not know one of its resources.

    Args:
        resources: Custom resources of all applications.
        environment: The environment.
    """
    users: dict[str, list[str]] = {}
    for each in resources:
        if _DEFINED_BY[each.group] not in environment.enabled_applications:
            users.setdefault(_DEFINED_BY[each.group], []).append(each.name)
    for application, names in sorted(users.items()):
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        yield (
            f"environments/values-{environment.name}.yaml: applications.{application}: is false or missing, expected "
            f"true: it defines the custom resources {', '.join(sorted(names)[:_SHOWN])}{more}, without which Argo CD "
            "cannot sync these applications"
        )
