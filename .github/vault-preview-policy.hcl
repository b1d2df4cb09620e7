# What the token of the Preview workflow may do: look, and nothing else; made by
#   python -m operations vault-policy --stack roe --preview
#   vault policy write rsp-preview-roe .github/vault-preview-policy.hcl
#   vault token create -policy=rsp-preview-roe -orphan -period=768h

# The secrets of the applications
path "kv-v2/data/k8s_operator/roe/+" {
  capabilities = ["read"]
}

# Their names
path "kv-v2/metadata/k8s_operator/roe" {
  capabilities = ["list"]
}

# Their versions
path "kv-v2/metadata/k8s_operator/roe/+" {
  capabilities = ["read"]
}

# The KV engine (rsp:vault.mount: create)
#path "sys/mounts/kv-v2" {
#  capabilities = ["read"]
#}

# Whether a new engine is ready
#path "kv-v2/config" {
#  capabilities = ["read"]
#}

# Whether it is there
#path "sys/mounts/auth/approle" {
#  capabilities = ["read"]
#}

# Its description
#path "sys/mounts/auth/approle/tune" {
#  capabilities = ["read"]
#}

# A policy of Phalanx, with its text and no other
path "sys/policies/acl/k8s_operator/roe/read" {
  capabilities = ["read"]
}

# A policy of Phalanx, with its text and no other
path "sys/policies/acl/k8s_operator/roe/write" {
  capabilities = ["read"]
}

# The AppRole of the cluster, for that policy and no other
path "auth/approle/role/roe" {
  capabilities = ["read"]
}

# What the cluster logs in with
path "auth/approle/role/roe/role-id" {
  capabilities = ["read"]
}

# Whether it is still valid
path "auth/approle/role/roe/secret-id-accessor/lookup" {
  capabilities = ["update"]
}

# Whether it is still valid
path "auth/token/lookup-accessor" {
  capabilities = ["update"]
}

# How long this token lives
path "auth/token/lookup-self" {
  capabilities = ["read"]
}

# What this token may do
path "sys/capabilities-self" {
  capabilities = ["update"]
}
