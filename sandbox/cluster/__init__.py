"""The sandbox's Kubernetes clusters: a real control plane for each Magnum cluster, with nodes simulated by KWOK.

The cloud controller, Cinder CSI and Argo CD run as processes of this host, for their Pods. Simulated are
vault-secrets-operator and the controller that writes the status of Ingresses, each in a module of its own.
"""

from sandbox.cluster.lifecycle import repair, services, stop_all

__all__ = ["repair", "services", "stop_all"]
