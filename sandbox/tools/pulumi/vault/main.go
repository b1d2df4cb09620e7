// Terraform's Vault provider as a Pulumi plugin, under the names of the Python SDK pulumi_vault.
//
// It follows the official plugin (github.com/pulumi/pulumi-vault, provider/resources.go), which has the same provider
// behind the same bridge, for the types in tokens.json. There is no schema: only code generators read it.
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

// table holds Pulumi's tokens by Terraform's names.
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

	// Without the resources that are written for Terraform's newer plugin framework: none is in the table.
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

func fromEnvironment(variable string, otherwise any) *tfbridge.SchemaInfo {
	return &tfbridge.SchemaInfo{Default: &tfbridge.DefaultInfo{EnvVars: []string{variable}, Value: otherwise}}
}
