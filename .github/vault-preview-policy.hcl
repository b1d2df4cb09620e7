# What the token of the Preview workflow may do: look, and nothing else.
#   vault policy write rsp-preview-roe .github/vault-preview-policy.hcl
#   vault token create -policy=rsp-preview-roe -orphan -period=768h
path "kv-v2/data/k8s_operator/roe/+"     { capabilities = ["read"] }
path "kv-v2/metadata/k8s_operator/roe"   { capabilities = ["list"] }
path "kv-v2/metadata/k8s_operator/roe/+" { capabilities = ["read"] }

path "sys/policies/acl/k8s_operator/roe/read"  { capabilities = ["read"] }
path "sys/policies/acl/k8s_operator/roe/write" { capabilities = ["read"] }

path "auth/approle/role/roe"                           { capabilities = ["read"] }
path "auth/approle/role/roe/role-id"                   { capabilities = ["read"] }
path "auth/approle/role/roe/secret-id-accessor/lookup" { capabilities = ["update"] }

# Without it the provider takes the write token for gone, and the preview says that it must be made anew.
path "auth/token/lookup-accessor" { capabilities = ["update"] }
