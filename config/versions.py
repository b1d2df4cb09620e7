"""Versions that this program chooses. Those of applications' charts and images come from the Phalanx checkout."""

KUBERNETES = "v1.36.3"
"""Default Kubernetes release with Cluster API."""

KUBERNETES_MINIMUM = (1, 30)
"""Oldest Kubernetes release that Phalanx supports (Phalanx documentation, Kubernetes requirements)."""

OPENBAO_MINIMUM = (2, 6, 0)
"""Oldest supported release of OpenBao: it revokes the root token of a self-initialization even if that fails."""
