// Terraform's OpenStack provider as a Pulumi plugin, with the type tokens of the Python SDK pulumi_openstack.
//
// It matches the official plugin (github.com/pulumi/pulumi-openstack, provider/resources.go), which bridges the same
// provider, for the types in tokens.json. It has no schema, which only code generators read.
package main

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/contract"
	"github.com/terraform-provider-openstack/terraform-provider-openstack/v3/openstack"
)

// version is set by the linker.
var version string

// table contains Pulumi's type tokens by Terraform's names.
//
//go:embed tokens.json
var table []byte

func main() {
	schema := fmt.Appendf(nil, `{"name": "openstack", "version": %q}`, version)
	tfbridge.Main("openstack", version, provider(), schema)
}

func provider() tfbridge.ProviderInfo {
	var known struct {
		Resources map[string]tokens.Type
		Functions map[string]tokens.ModuleMember
	}
	contract.AssertNoErrorf(json.Unmarshal(table, &known), "tokens.json")

	info := tfbridge.ProviderInfo{
		P:       shimv2.NewProvider(openstack.Provider()),
		Name:    "openstack",
		Version: version,
		Config: map[string]*tfbridge.SchemaInfo{
			"allow_reauth":  fromEnvironment("OS_ALLOW_REAUTH"),
			"cloud":         fromEnvironment("OS_CLOUD"),
			"delayed_auth":  fromEnvironment("OS_DELAYED_AUTH"),
			"endpoint_type": fromEnvironment("OS_ENDPOINT_TYPE"),
			"insecure":      fromEnvironment("OS_INSECURE"),
			"region":        fromEnvironment("OS_REGION_NAME"),
			"swauth":        fromEnvironment("OS_SWAUTH"),
		},
		Resources:   map[string]*tfbridge.ResourceInfo{},
		DataSources: map[string]*tfbridge.DataSourceInfo{},
	}
	for name, token := range known.Resources {
		info.Resources[name] = &tfbridge.ResourceInfo{Tok: token}
	}
	for name, token := range known.Functions {
		info.DataSources[name] = &tfbridge.DataSourceInfo{Tok: token}
	}
	info.SetAutonaming(255, "-")
	return info
}

func fromEnvironment(variable string) *tfbridge.SchemaInfo {
	return &tfbridge.SchemaInfo{Default: &tfbridge.DefaultInfo{EnvVars: []string{variable}}}
}
