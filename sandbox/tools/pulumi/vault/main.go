// Terraform's Vault provider as a Pulumi plugin, with the type tokens of the Python SDK pulumi_vault.
//
// It matches the official plugin (github.com/pulumi/pulumi-vault, provider/resources.go), which bridges the same
// provider, for the types in tokens.json. It has no schema, which only code generators read.
package main

import (
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-provider-vault/schema"
	"github.com/hashicorp/terraform-provider-vault/vault"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/contract"
)

// version is set by the linker.
var version string

// table contains Pulumi's type tokens by Terraform's names.
//
//go:embed tokens.json
var table []byte

func main() {
	pulumiSchema := fmt.Appendf(nil, `{"name": "vault", "version": %q}`, version)
	tfbridge.Main("vault", version, provider(), pulumiSchema)
}

func provider() tfbridge.ProviderInfo {
	var known struct {
		Resources map[string]tokens.Type
	}
	contract.AssertNoErrorf(json.Unmarshal(table, &known), "tokens.json")

	// This omits resources of Terraform's newer plugin framework, none of which is in the table.
	terraform := schema.NewProvider(vault.Provider()).SchemaProvider()
	info := tfbridge.ProviderInfo{
		P:       shimv2.NewProvider(terraform),
		Name:    "vault",
		Version: version,
		Config: map[string]*tfbridge.SchemaInfo{
			"max_lease_ttl_seconds": fromEnvironment("TERRAFORM_VAULT_MAX_TTL", 1200),
			"max_retries":           fromEnvironment("VAULT_MAX_RETRIES", 2),
			"skip_tls_verify":       fromEnvironment("VAULT_SKIP_VERIFY", nil),
		},
		Resources: map[string]*tfbridge.ResourceInfo{},
	}
	for name, token := range known.Resources {
		info.Resources[name] = &tfbridge.ResourceInfo{Tok: token}
	}
	info.SetAutonaming(255, "-")
	return info
}

func fromEnvironment(variable string, fallback any) *tfbridge.SchemaInfo {
	return &tfbridge.SchemaInfo{Default: &tfbridge.DefaultInfo{EnvVars: []string{variable}, Value: fallback}}
}
