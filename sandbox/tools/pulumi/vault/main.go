// The provider of Vault: Terraform's, behind Pulumi's bridge, under the names of the Python SDK.
package main

import (
	"strings"

	"github.com/hashicorp/terraform-provider-vault/schema"
	"github.com/hashicorp/terraform-provider-vault/vault"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

var resources = map[string]string{
	"vault_auth_backend":                        "index/AuthBackend",
	"vault_approle_auth_backend_role":           "appRole/AuthBackendRole",
	"vault_approle_auth_backend_role_secret_id": "appRole/AuthBackendRoleSecretId",
	"vault_kv_secret_v2":                        "kv/SecretV2",
	"vault_mount":                               "index/Mount",
	"vault_policy":                              "index/Policy",
	"vault_token":                               "index/Token",
}

func token(place string) tokens.ModuleMember {
	module, name, _ := strings.Cut(place, "/")
	file := strings.ToLower(name[:1]) + name[1:]
	return tokens.ModuleMember("vault:" + module + "/" + file + ":" + name)
}

var version string

func main() {
	primary := schema.NewProvider(vault.Provider())
	info := tfbridge.ProviderInfo{
		P:         shimv2.NewProvider(primary.SchemaProvider()),
		Name:      "vault",
		Version:   version,
		Resources: map[string]*tfbridge.ResourceInfo{},
	}
	for terraform, place := range resources {
		info.Resources[terraform] = &tfbridge.ResourceInfo{Tok: tokens.Type(token(place))}
	}
	info.Config = map[string]*tfbridge.SchemaInfo{
		"skip_tls_verify":       {Default: &tfbridge.DefaultInfo{EnvVars: []string{"VAULT_SKIP_VERIFY"}}},
		"max_lease_ttl_seconds": {Default: &tfbridge.DefaultInfo{EnvVars: []string{"TERRAFORM_VAULT_MAX_TTL"}, Value: 1200}},
		"max_retries":           {Default: &tfbridge.DefaultInfo{EnvVars: []string{"VAULT_MAX_RETRIES"}, Value: 2}},
	}
	tfbridge.Main("vault", info.Version, info, []byte(`{"name":"vault","version":version}`))
}
