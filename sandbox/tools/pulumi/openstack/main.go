// The provider of OpenStack: Terraform's, behind Pulumi's bridge, under the names of the Python SDK.
package main

import (
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-provider-openstack/terraform-provider-openstack/v3/openstack"
)

var resources = map[string]string{
	"openstack_blockstorage_volume_v3":            "blockstorage/Volume",
	"openstack_compute_instance_v2":               "compute/Instance",
	"openstack_compute_keypair_v2":                "compute/Keypair",
	"openstack_compute_volume_attach_v2":          "compute/VolumeAttach",
	"openstack_containerinfra_cluster_v1":         "containerinfra/Cluster",
	"openstack_containerinfra_clustertemplate_v1": "containerinfra/ClusterTemplate",
	"openstack_containerinfra_nodegroup_v1":       "containerinfra/NodeGroup",
	"openstack_dns_recordset_v2":                  "dns/RecordSet",
	"openstack_dns_zone_v2":                       "dns/Zone",
	"openstack_identity_application_credential_v3": "identity/ApplicationCredential",
	"openstack_identity_ec2_credential_v3":        "identity/Ec2CredentialV3",
	"openstack_networking_floatingip_v2":          "networking/FloatingIp",
	"openstack_networking_floatingip_associate_v2": "networking/FloatingIpAssociate",
	"openstack_networking_network_v2":             "networking/Network",
	"openstack_networking_port_v2":                "networking/Port",
	"openstack_networking_router_v2":              "networking/Router",
	"openstack_networking_router_interface_v2":    "networking/RouterInterface",
	"openstack_networking_secgroup_v2":            "networking/SecGroup",
	"openstack_networking_secgroup_rule_v2":       "networking/SecGroupRule",
	"openstack_networking_subnet_v2":              "networking/Subnet",
	"openstack_objectstorage_container_v1":        "objectstorage/Container",
}

var functions = map[string]string{
	"openstack_compute_flavor_v2":      "compute/getFlavor",
	"openstack_identity_auth_scope_v3": "identity/getAuthScope",
	"openstack_images_image_v2":        "images/getImage",
	"openstack_networking_network_v2":  "networking/getNetwork",
	"openstack_networking_router_v2":   "networking/getRouter",
	"openstack_networking_subnet_v2":   "networking/getSubnet",
}

func token(place string) tokens.ModuleMember {
	module, name, _ := strings.Cut(place, "/")
	file := strings.ToLower(name[:1]) + name[1:]
	return tokens.ModuleMember("openstack:" + module + "/" + file + ":" + name)
}

var version string

func main() {
	info := tfbridge.ProviderInfo{
		P:           shimv2.NewProvider(openstack.Provider()),
		Name:        "openstack",
		Version:     version,
		Resources:   map[string]*tfbridge.ResourceInfo{},
		DataSources: map[string]*tfbridge.DataSourceInfo{},
	}
	for terraform, place := range resources {
		info.Resources[terraform] = &tfbridge.ResourceInfo{Tok: tokens.Type(token(place))}
	}
	info.Resources["openstack_networking_subnet_v2"].Fields = map[string]*tfbridge.SchemaInfo{
		"allocation_pool": {Name: "allocationPools"},
	}
	for terraform, place := range functions {
		info.DataSources[terraform] = &tfbridge.DataSourceInfo{Tok: token(place)}
	}
	env := func(names ...string) *tfbridge.SchemaInfo {
		return &tfbridge.SchemaInfo{Default: &tfbridge.DefaultInfo{EnvVars: names}}
	}
	info.Config = map[string]*tfbridge.SchemaInfo{
		"region": env("OS_REGION_NAME"), "cloud": env("OS_CLOUD"), "insecure": env("OS_INSECURE"),
		"endpoint_type": env("OS_ENDPOINT_TYPE"), "swauth": env("OS_SWAUTH"),
		"delayed_auth": env("OS_DELAYED_AUTH"), "allow_reauth": env("OS_ALLOW_REAUTH"),
	}
	tfbridge.Main("openstack", info.Version, info, []byte(`{"name":"openstack","version":version}`))
}
