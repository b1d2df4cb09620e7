"""The Kubernetes clusters of the sandbox: a real control plane for each Magnum cluster, on nodes that KWOK pretends.

The real cloud controller and Argo CD run as processes of this host in the role of their Pods. Three stand-ins, each in
a module of its own that says so, play what cannot be had here: vault-secrets-operator, the Cinder volume provisioner
and the ingress controller's status.
"""

from sandbox.cluster.lifecycle import repair, services, stop_all

__all__ = ["repair", "services", "stop_all"]
