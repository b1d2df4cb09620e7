# Permissions in Vault that the workflows Preview and Drift require: to read, and to renew the write token.
#   python -m operations vault-policy --stack roe --preview | vault policy write rsp-preview-roe -
#   vault token create -policy=rsp-preview-roe -orphan -period=768h

# Secrets of the applications
path "kv-v2/data/k8s_operator/roe/+" {
  capabilities = ["read"]
}

# Names of these secrets
path "kv-v2/metadata/k8s_operator/roe" {
  capabilities = ["list"]
}

# Versions of these secrets
path "kv-v2/metadata/k8s_operator/roe/+" {
  capabilities = ["read"]
}

# KV engine (rsp:vault.mount: create)
#path "sys/mounts/kv-v2" {
#  capabilities = ["read"]
#}

# Readiness of a new engine
#path "kv-v2/config" {
#  capabilities = ["read"]
#}

# Existence of the auth method
#path "sys/mounts/auth/approle" {
#  capabilities = ["read"]
#}

# Description of the auth method
#path "sys/mounts/auth/approle/tune" {
#  capabilities = ["read"]
#}

# Policy of Phalanx, with exactly this text
path "sys/policies/acl/k8s_operator/roe/read" {
  capabilities = ["read"]
}

# Policy of Phalanx, with exactly this text
path "sys/policies/acl/k8s_operator/roe/write" {
  capabilities = ["read"]
}

# AppRole of the cluster, with exactly this policy
path "auth/approle/role/roe" {
  capabilities = ["read"]
}

# Role ID of the cluster
path "auth/approle/role/roe/role-id" {
  capabilities = ["read"]
}

# Validity of a secret ID
path "auth/approle/role/roe/secret-id-accessor/lookup" {
  capabilities = ["update"]
}

# Validity of the write token
path "auth/token/lookup-accessor" {
  capabilities = ["update"]
}

# Renewal of the write token
path "auth/token/renew" {
  capabilities = ["update"]
}

# Lifetime of this token
path "auth/token/lookup-self" {
  capabilities = ["read"]
}

# Capabilities of this token
path "sys/capabilities-self" {
  capabilities = ["update"]
}
