"""The state of a small deployed platform."""

from typing import Any

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:planted-secret"}
"""An encrypted secret in a state."""

_APPLICATIONS = {"argocd": "infrastructure", "cert-manager": "infrastructure", "portal": "rsp", "tap": "rsp"}


def resource(type_token: str, name: str, /, **outputs: Any) -> dict[str, Any]:
    urn = f"urn:pulumi:roe::rsp::{type_token}::{name}"
    return {"urn": urn, "type": type_token, "custom": True, "outputs": outputs}


def resources() -> list[dict[str, Any]]:
    """Return the resources of a state, with encrypted secrets."""
    stack = {
        "platformUrl": "https://rsp.example.org",
        "argocdUrl": "https://rsp.example.org/argo-cd",
        "certificateExpires": "2027-02-23T21:09:22Z",
        "ingressAddress": "203.0.113.94",
        "dnsRecords": ["rsp.example.org. IN A 203.0.113.94"],
        "clusterApi": "https://10.20.0.50:6443",
        "nfsAddress": "10.20.0.10",
        "objectStoreUrl": "https://s3.example.org",
        "bucket": "async",
        "buckets": {"ssotap": "async-ssotap"},
        "vaultUrl": "https://vault.example.org",
        "vaultPath": "secret/phalanx/roe",
        "vaultWriteToken": SECRET,
        "phalanxRepository": "https://github.com/lsst-uk/phalanx",
        "phalanxEnvironment": "roe",
        "checkoutCommit": "a675447ae074670a2af3b038e25599d29610950c",
    }
    return [
        resource("pulumi:pulumi:Stack", "rsp-roe", **stack),
        resource("openstack:networking/network:Network", "network", name="rsp-roe-network"),
        resource("openstack:networking/subnet:Subnet", "subnet", cidr="10.20.0.0/24"),
        resource("openstack:networking/router:Router", "router", name="rsp-roe-router"),
        resource("openstack:networking/floatingIp:FloatingIp", "ip", address="203.0.113.94", fixedIp="10.20.0.120"),
        resource(
            "openstack:compute/instance:Instance",
            "nfs",
            name="rsp-roe-nfs",
            flavorName="m1.small",
            imageName="debian-12",
            adminPass=SECRET,
        ),
        *(
            resource(
                "openstack:blockstorage/volume:Volume", name, name=f"rsp-roe-nfs-{name}", size=size, volumeType="hdd"
            )
            for name, size in (("data", 100), ("jhome", 50))
        ),
        resource(
            "openstack:containerinfra/cluster:Cluster",
            "cluster-cluster",
            name="rsp-roe-cluster",
            masterCount=3,
            masterFlavor="m1.medium",
            masterAddresses=["10.20.0.61"],
            nodeCount=2,
            flavor="m1.medium",
            nodeAddresses=[f"10.20.0.{number}" for number in range(70, 76)],
            kubeconfig=SECRET,
        ),
        resource(
            "openstack:containerinfra/nodeGroup:NodeGroup",
            "cluster-labs",
            name="labs",
            flavorId="m1.large",
            nodeCount=1,
        ),
        resource(
            "kubernetes:storage.k8s.io/v1:StorageClass",
            "cluster-storage-classes-ceph-hdd",
            metadata={"name": "ceph-hdd", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        ),
        *(resource("vault:kv/secretV2:SecretV2", f"secret{number}", dataJson=SECRET) for number in range(3)),
        *(
            resource(
                "kubernetes:argoproj.io/v1alpha1:Application",
                f"cluster-applications-{name}",
                metadata={"name": name},
                spec={"project": project},
            )
            for name, project in _APPLICATIONS.items()
        ),
    ]
