"""Properties whose change replaces a resource, and those whose removal changes none, by type token.

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

NESTED_FORCE_NEW: Mapping[str, frozenset[str]] = {
    "openstack:compute/instance:Instance": frozenset({"blockDevices"}),
}
"""Properties of which each nested property replaces the resource."""

COMPUTED: Mapping[str, frozenset[str]] = {
    token: frozenset(properties.split())
    for token, properties in {
        "openstack:blockstorage/volume:Volume": "availabilityZone metadata region volumeType",
        "openstack:compute/instance:Instance": (
            "availabilityZone flavorId flavorName hypervisorHostname imageId imageName networks region securityGroups"
        ),
        "openstack:containerinfra/cluster:Cluster": (
            "createTimeout discoveryUrl dockerVolumeSize fixedNetwork fixedSubnet flavor floatingIpEnabled keypair "
            "labels masterCount masterFlavor masterLbEnabled name region"
        ),
        "openstack:containerinfra/clusterTemplate:ClusterTemplate": "clusterDistro networkDriver region serverType",
        "openstack:containerinfra/nodeGroup:NodeGroup": (
            "dockerVolumeSize flavorId imageId labels minNodeCount region role"
        ),
        "openstack:dns/recordSet:RecordSet": "projectId region ttl type",
        "openstack:identity/applicationCredential:ApplicationCredential": "region roles secret",
        "openstack:identity/ec2CredentialV3:Ec2CredentialV3": "projectId region userId",
        "openstack:loadbalancer/listener:Listener": (
            "alpnProtocols connectionLimit defaultPoolId name region tenantId timeoutClientData timeoutMemberConnect "
            "timeoutMemberData timeoutTcpInspect tlsCiphers tlsVersions"
        ),
        "openstack:loadbalancer/loadBalancer:LoadBalancer": (
            "flavorId loadbalancerProvider region securityGroupIds tenantId vipAddress vipNetworkId vipPortId "
            "vipSubnetId"
        ),
        "openstack:loadbalancer/members:Members": "region",
        "openstack:loadbalancer/monitor:Monitor": "expectedCodes httpMethod maxRetriesDown region tenantId urlPath",
        "openstack:loadbalancer/pool:Pool": "alpnProtocols region tenantId tlsCiphers tlsVersions",
        "openstack:networking/floatingIp:FloatingIp": (
            "address dnsDomain dnsName fixedIp portId region subnetId tenantId"
        ),
        "openstack:networking/floatingIpAssociate:FloatingIpAssociate": "fixedIp region",
        "openstack:networking/network:Network": (
            "adminStateUp availabilityZoneHints dnsDomain external mtu portSecurityEnabled qosPolicyId region segments "
            "shared tenantId transparentVlan"
        ),
        "openstack:networking/port:Port": (
            "adminStateUp binding deviceId deviceOwner dnsName macAddress portSecurityEnabled qosPolicyId region "
            "tenantId"
        ),
        "openstack:networking/router:Router": (
            "adminStateUp availabilityZoneHints distributed enableSnat externalFixedIps externalNetworkId "
            "externalQosPolicyId region tenantId"
        ),
        "openstack:networking/routerInterface:RouterInterface": "portId region subnetId",
        "openstack:networking/secGroup:SecGroup": "description region stateful tenantId",
        "openstack:networking/secGroupRule:SecGroupRule": (
            "region remoteAddressGroupId remoteGroupId remoteIpPrefix tenantId"
        ),
        "openstack:networking/subnet:Subnet": (
            "allocationPools cidr gatewayIp ipv6AddressMode ipv6RaMode region serviceTypes tenantId"
        ),
        "openstack:networking/subnetRoute:SubnetRoute": "region",
        "openstack:objectstorage/container:Container": "region storageClass storagePolicy",
        "openstack:sharedfilesystem/share:Share": "availabilityZone region shareNetworkId shareType",
        "openstack:sharedfilesystem/shareAccess:ShareAccess": "region",
        "vault:appRole/authBackendRole:AuthBackendRole": "roleId",
        "vault:appRole/authBackendRoleSecretId:AuthBackendRoleSecretId": "secretId",
        "vault:index/authBackend:AuthBackend": "path tune",
        "vault:index/mount:Mount": (
            "auditNonHmacRequestKeys auditNonHmacResponseKeys defaultLeaseTtlSeconds forceNoCache maxLeaseTtlSeconds "
            "sealWrap"
        ),
        "vault:index/policy:Policy": "",
        "vault:index/token:Token": "noParent numUses renewable",
        "vault:kv/secretV2:SecretV2": "customMetadata",
    }.items()
}
"""Properties that a provider computes if a program does not set them (``Optional`` and ``Computed``), so that their
removal changes nothing."""
