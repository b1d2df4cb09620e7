// Pulumi's Kubernetes provider, built from its Go module without the generated Go SDK (see sdkstub).
package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/contract"
	"k8s.io/client-go/kubernetes/scheme"
)

// version is set by the linker.
var version string

func main() {
	if slices.Contains(os.Args[1:], "--version") {
		fmt.Println(version)
		return
	}
	provider.Serve("kubernetes", version, schema(), []byte("{}"))
}

// schema returns the input properties of all objects, the only part of the schema that the provider reads (on import).
//
// The official plugin embeds the generated schema, which has 7 MB.
func schema() []byte {
	resources := map[string]any{}
	for kind, goType := range scheme.Scheme.AllKnownTypes() {
		anything := map[string]string{"$ref": "pulumi.json#/Any"}
		inputs := map[string]any{"apiVersion": anything, "kind": anything}
		for i := range goType.NumField() {
			name, _, _ := strings.Cut(goType.Field(i).Tag.Get("json"), ",")
			if name != "" && name != "status" {
				inputs[name] = anything
			}
		}
		if _, ok := inputs["metadata"]; !ok {
			continue // request options, not an object
		}
		token := fmt.Sprintf("kubernetes:%s/%s:%s", cmp.Or(kind.Group, "core"), kind.Version, kind.Kind)
		resources[token] = map[string]any{"inputProperties": inputs}
	}
	encoded, err := json.Marshal(map[string]any{"name": "kubernetes", "version": version, "resources": resources})
	contract.AssertNoErrorf(err, "schema")
	return encoded
}
