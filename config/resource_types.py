"""Type tokens of resources that several layers look for in a state or attach hooks to."""

from typing import Final

APPLICATION: Final = "kubernetes:argoproj.io/v1alpha1:Application"
"""An Application of Argo CD."""

CLUSTER: Final = "openstack:containerinfra/cluster:Cluster"
"""A cluster in Magnum."""

NODE_GROUP: Final = "openstack:containerinfra/nodeGroup:NodeGroup"
"""A node group of a cluster in Magnum."""
