"""Kubernetes: the kinds of objects that the program makes, and Helm releases."""

from sandbox.engine.adapters import Package
from sandbox.engine.adapters.builtin import ProviderResource
from sandbox.engine.adapters.kubernetes import client
from sandbox.engine.adapters.kubernetes.helm import Release
from sandbox.engine.adapters.kubernetes.objects import KubernetesObject
from sandbox.engine.adapters.kubernetes.patches import ObjectPatch

PACKAGE = Package(
    name="kubernetes",
    provider=ProviderResource("kubernetes", client.PROPERTIES, client.other_cluster, client.faults),
    connect=client.Kubernetes,
    resources=(
        KubernetesObject("kubernetes:core/v1:Namespace", ["spec"], namespaced=False),
        KubernetesObject(
            "kubernetes:core/v1:ConfigMap", ["data", "binaryData", "immutable"], fixed=["data", "binaryData"]
        ),
        KubernetesObject(
            "kubernetes:core/v1:Secret",
            ["type", "data", "stringData", "immutable"],
            fixed=["type", "data", "stringData"],
            secret=["data", "stringData"],
        ),
        KubernetesObject("kubernetes:core/v1:Service", ["spec"], fixed=["spec.clusterIP"]),
        KubernetesObject(
            "kubernetes:storage.k8s.io/v1:StorageClass",
            [
                "provisioner",
                "parameters",
                "reclaimPolicy",
                "volumeBindingMode",
                "allowVolumeExpansion",
                "allowedTopologies",
                "mountOptions",
            ],
            fixed=["parameters", "provisioner"],
            namespaced=False,
        ),
        KubernetesObject("kubernetes:argoproj.io/v1alpha1:Application", ["spec"]),
        ObjectPatch("kubernetes:argoproj.io/v1alpha1:ApplicationPatch", ["operation"]),
        KubernetesObject("kubernetes:argoproj.io/v1alpha1:AppProject", ["spec"]),
        KubernetesObject("kubernetes:cert-manager.io/v1:ClusterIssuer", ["spec"], namespaced=False),
        Release(),
    ),
    explain=client.explain,
)
