"""Properties whose change replaces a resource, by type token.

Of OpenStack and Vault: ``forceNew`` of the providers' schemas (`test_provider_tables` compares them); of Kubernetes:
``forceNewProperties`` in ``provider/pkg/provider/diff.go`` of pulumi-kubernetes.
"""

from collections.abc import Mapping

FORCE_NEW: Mapping[str, frozenset[str]] = {
    token: frozenset(properties.split())
    for token, properties in {
        "openstack:blockstorage/volume:Volume": (
            "availabilityZone backupId consistencyGroupId imageId region snapshotId sourceReplica sourceVolId"
        ),
        "openstack:compute/instance:Instance": (
            "availabilityZone availabilityZoneHints configDrive hypervisorHostname keyPair networkMode networks "
            "region userData"
        ),
        "openstack:containerinfra/cluster:Cluster": (
            "createTimeout discoveryUrl dockerVolumeSize fixedNetwork fixedSubnet flavor floatingIpEnabled "
            "keypair labels masterCount masterFlavor masterLbEnabled mergeLabels name projectId region userId"
        ),
        "openstack:containerinfra/nodeGroup:NodeGroup": (
            "clusterId dockerVolumeSize flavorId imageId labels mergeLabels name projectId region role"
        ),
        "openstack:dns/recordSet:RecordSet": "name projectId region type valueSpecs zoneId",
        "openstack:identity/applicationCredential:ApplicationCredential": (
            "accessRules description expiresAt name projectId region roles secret unrestricted"
        ),
        "openstack:networking/floatingIp:FloatingIp": "address dnsDomain dnsName pool region tenantId valueSpecs",
        "openstack:networking/network:Network": "availabilityZoneHints region tenantId transparentVlan valueSpecs",
        "openstack:networking/port:Port": "deviceId deviceOwner macAddress networkId region tenantId valueSpecs",
        "openstack:networking/routerInterface:RouterInterface": "portId region routerId subnetId",
        "openstack:networking/secGroup:SecGroup": "deleteDefaultRules region tenantId",
        "openstack:networking/secGroupRule:SecGroupRule": (
            "description direction ethertype portRangeMax portRangeMin protocol region remoteAddressGroupId "
            "remoteGroupId remoteIpPrefix securityGroupId tenantId"
        ),
        "openstack:networking/subnet:Subnet": (
            "cidr ipVersion ipv6AddressMode ipv6RaMode networkId prefixLength region subnetpoolId tenantId valueSpecs"
        ),
        "openstack:sharedfilesystem/share:Share": (
            "availabilityZone region shareNetworkId shareProto shareType snapshotId"
        ),
        "openstack:sharedfilesystem/shareAccess:ShareAccess": "accessLevel accessTo accessType region shareId",
        "openstack:networking/subnetRoute:SubnetRoute": "destinationCidr nextHop region subnetId",
        "vault:appRole/authBackendRole:AuthBackendRole": "backend namespace roleName",
        "vault:appRole/authBackendRoleSecretId:AuthBackendRoleSecretId": (
            "backend cidrLists metadata namespace numUses roleName secretId tokenBoundCidrs ttl "
            "withWrappedAccessor wrappingTtl"
        ),
        "vault:index/authBackend:AuthBackend": "local namespace type",
        "vault:index/mount:Mount": "externalEntropyAccess local namespace sealWrap type",
        "vault:index/policy:Policy": "name namespace",
        "vault:index/token:Token": (
            "displayName explicitMaxTtl metadata namespace noDefaultPolicy noParent numUses period policies "
            "renewable roleName ttl"
        ),
        "vault:kv/secretV2:SecretV2": "mount name namespace",
        "kubernetes:storage.k8s.io/v1:StorageClass": "parameters provisioner",
        "kubernetes:core/v1:Secret": "type",
    }.items()
}
