"""ClusterRoles of add-ons that authenticate with client certificates."""

from typing import Any, Final

from sandbox.cluster.kube import Kube, Object

_READ: Final = ["get", "list", "watch"]
_CHANGE: Final = ["patch", "update"]

ROLES: Final[dict[str, list[dict[str, Any]]]] = {
    # KWOK's kustomize/rbac without the kinds of its CRDs.
    "system:kwok-controller": [
        {"apiGroups": [""], "resources": ["events"], "verbs": [*_READ, "create", "delete", *_CHANGE]},
        {"apiGroups": [""], "resources": ["nodes"], "verbs": _READ},
        {"apiGroups": [""], "resources": ["nodes/status", "pods/status"], "verbs": _CHANGE},
        {"apiGroups": [""], "resources": ["pods"], "verbs": [*_READ, "delete", *_CHANGE]},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": [*_READ, "create", *_CHANGE]},
    ],
    # Magnum's kube-apiserver-to-kubelet-role.sh, as far as the load balancer controller needs it.
    "system:cloud-controller-manager": [
        {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", *_CHANGE]},
        {"apiGroups": [""], "resources": ["nodes"], "verbs": _READ},
        {"apiGroups": [""], "resources": ["services"], "verbs": [*_READ, *_CHANGE]},
        {"apiGroups": [""], "resources": ["services/status"], "verbs": _CHANGE},
        {"apiGroups": [""], "resources": ["endpoints", "configmaps"], "verbs": _READ},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": _READ},
    ],
    # csi-provisioner-role of cinder-csi-controllerplugin-rbac.yaml, without snapshots and leader election.
    "csi-provisioner": [
        {"apiGroups": [""], "resources": ["persistentvolumes"], "verbs": [*_READ, "create", "delete", "patch"]},
        {"apiGroups": [""], "resources": ["persistentvolumeclaims"], "verbs": [*_READ, "update"]},
        {"apiGroups": [""], "resources": ["nodes"], "verbs": _READ},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["list", "watch", "create", *_CHANGE]},
        {
            "apiGroups": ["storage.k8s.io"],
            "resources": ["storageclasses", "csinodes", "volumeattachments"],
            "verbs": _READ,
        },
    ],
}
"""Rules by user, whose name is also the role's."""


def apply(kube: Kube) -> None:
    """Create or update the roles and their bindings."""
    group = "rbac.authorization.k8s.io"
    for name, rules in ROLES.items():
        role: Object = {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": name},
            "rules": rules,
        }
        binding: Object = {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
            "subjects": [{"apiGroup": group, "kind": "User", "name": name}],
        }
        kube.apply(f"/apis/{group}/v1/clusterroles/{name}", role)
        kube.apply(f"/apis/{group}/v1/clusterrolebindings/{name}", binding)
