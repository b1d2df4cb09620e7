# Permissions in Vault that `pulumi up -s roe` requires.
# An administrator of Vault writes this policy once, and provides each operator with a short-lived token:
#   python -m operations vault-policy --stack roe | vault policy write rsp-operator-roe -
#   vault token create -policy=rsp-operator-roe -orphan -ttl=4h -explicit-max-ttl=12h
# or, if operators log in with OpenID Connect, adds the policy to the `token_policies` of their role.
# A token with this policy can create neither another policy, nor a token or a role with more permissions.

# Secrets of the applications
path "kv-v2/data/k8s_operator/roe/+" {
  capabilities = ["read", "create", "update", "delete"]
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
#  capabilities = ["read", "update", "delete"]
#  allowed_parameters = {
#    "type" = ["kv"]
#    "*" = []
#  }
#}

# Description of the engine
#path "sys/mounts/kv-v2/tune" {
#  capabilities = ["update"]
#}

# Readiness of a new engine
#path "kv-v2/config" {
#  capabilities = ["read"]
#}

# AppRole auth method (rsp:vault.approle.ownership: create), for which Vault requires sudo
#path "sys/auth/approle" {
#  capabilities = ["update", "delete", "sudo"]
#  allowed_parameters = {
#    "type" = ["approle"]
#    "*" = []
#  }
#}

# Existence of the auth method
#path "sys/mounts/auth/approle" {
#  capabilities = ["read"]
#}

# Description of the auth method
#path "sys/mounts/auth/approle/tune" {
#  capabilities = ["read", "update"]
#}

# Policy of Phalanx, with exactly this text
path "sys/policies/acl/k8s_operator/roe/read" {
  capabilities = ["read", "update", "delete"]
  allowed_parameters = {
    "policy" = ["path \"kv-v2/data/k8s_operator/roe/+\" {\n  capabilities = [\"read\"]\n}\npath \"kv-v2/metadata/k8s_operator/roe/+\" {\n  capabilities = [\"list\", \"read\"]\n}"]
  }
}

# Policy of Phalanx, with exactly this text
path "sys/policies/acl/k8s_operator/roe/write" {
  capabilities = ["read", "update", "delete"]
  allowed_parameters = {
    "policy" = ["path \"kv-v2/data/k8s_operator/roe\" {\n  capabilities = [\"create\", \"delete\", \"read\", \"update\"]\n}\npath \"kv-v2/data/k8s_operator/roe/+\" {\n  capabilities = [\"create\", \"delete\", \"read\", \"update\"]\n}\npath \"kv-v2/metadata/k8s_operator/roe\" {\n  capabilities = [\"delete\", \"list\", \"read\", \"update\"]\n}\npath \"kv-v2/metadata/k8s_operator/roe/+\" {\n  capabilities = [\"delete\", \"list\", \"read\", \"update\"]\n}\npath \"kv-v2/delete/k8s_operator/roe/+\" {\n  capabilities = [\"update\"]\n}\npath \"kv-v2/destroy/k8s_operator/roe/+\" {\n  capabilities = [\"update\"]\n}\npath \"kv-v2/undelete/k8s_operator/roe/+\" {\n  capabilities = [\"update\"]\n}"]
  }
}

# AppRole of the cluster, with exactly this policy
path "auth/approle/role/roe" {
  capabilities = ["read", "create", "update", "delete"]
  allowed_parameters = {
    "token_policies" = [["k8s_operator/roe/read"]]
    "*" = []
  }
  denied_parameters = {
    "policies" = []
  }
}

# Role ID of the cluster
path "auth/approle/role/roe/role-id" {
  capabilities = ["read"]
}

# Secret IDs of the cluster
path "auth/approle/role/roe/secret-id" {
  capabilities = ["update", "list"]
}

# Validity of a secret ID
path "auth/approle/role/roe/secret-id-accessor/lookup" {
  capabilities = ["update"]
}

# Revocation of a secret ID
path "auth/approle/role/roe/secret-id-accessor/destroy" {
  capabilities = ["update"]
}

# Write token, an orphan with another policy, for which Vault requires sudo
path "auth/token/create" {
  capabilities = ["update", "sudo"]
  allowed_parameters = {
    "policies" = [["k8s_operator/roe/write"]]
    "*" = []
  }
  required_parameters = ["policies"]
}

# Validity of the write token
path "auth/token/lookup-accessor" {
  capabilities = ["update"]
}

# Renewal of the write token
path "auth/token/renew" {
  capabilities = ["update"]
}

# Revocation of the write token
path "auth/token/revoke-accessor" {
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
