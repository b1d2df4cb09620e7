"""Versions that the program itself chooses, in one place: an upgrade is a change of one line here.

Charts and images of Phalanx applications are chosen by the Phalanx checkout, not here.
"""

KUBERNETES = "v1.36.3"
"""Default Kubernetes release, written as Magnum's label ``kube_tag`` wants it. Phalanx needs 1.30 or later."""

KUBERNETES_MINIMUM = (1, 30)
"""Oldest minor release that Phalanx supports (Phalanx documentation, Kubernetes requirements)."""

OPENBAO_MINIMUM = (2, 6, 0)
"""Oldest OpenBao for a Vault of our own: it revokes the root token of its self-initialisation even when that fails."""
