# What a person who runs `pulumi up -s roe` may do in Vault, and nothing else; made by
#   python -m operations vault-policy --stack roe
# An administrator of Vault writes it once, and gives each operator a way to a token that lives for hours:
#   vault policy write rsp-operator-roe docs/vault-operator-policy.hcl
#   vault token create -policy=rsp-operator-roe -orphan -ttl=4h -explicit-max-ttl=12h
# or, where people log in by OpenID Connect, adds it to the `token_policies` of their role.
# A token with it cannot make itself another policy, nor a token or a role that may do more.

# The secrets of the applications
path "kv-v2/data/k8s_operator/roe/+" {
  capabilities = ["read", "create", "update", "delete"]
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
#  capabilities = ["read", "update", "delete"]
#  allowed_parameters = {
#    "type" = ["kv"]
#    "*" = []
#  }
#}

# Its description
#path "sys/mounts/kv-v2/tune" {
#  capabilities = ["update"]
#}

# Whether a new engine is ready
#path "kv-v2/config" {
#  capabilities = ["read"]
#}

# The AppRole auth method (rsp:vault.approle.ownership: create); Vault asks for sudo there
#path "sys/auth/approle" {
#  capabilities = ["update", "delete", "sudo"]
#  allowed_parameters = {
#    "type" = ["approle"]
#    "*" = []
#  }
#}

# Whether it is there
#path "sys/mounts/auth/approle" {
#  capabilities = ["read"]
#}

# Its description
#path "sys/mounts/auth/approle/tune" {
#  capabilities = ["read", "update"]
#}

# A policy of Phalanx, with its text and no other
path "sys/policies/acl/k8s_operator/roe/read" {
  capabilities = ["read", "update", "delete"]
  allowed_parameters = {
    "policy" = ["path \"kv-v2/data/k8s_operator/roe/+\" {\n  capabilities = [\"read\"]\n}\npath \"kv-v2/metadata/k8s_operator/roe/+\" {\n  capabilities = [\"list\", \"read\"]\n}"]
  }
}

# A policy of Phalanx, with its text and no other
path "sys/policies/acl/k8s_operator/roe/write" {
  capabilities = ["read", "update", "delete"]
  allowed_parameters = {
    "policy" = ["path \"kv-v2/data/k8s_operator/roe\" {\n  capabilities = [\"create\", \"delete\", \"read\", \"update\"]\n}\npath \"kv-v2/data/k8s_operator/roe/+\" {\n  capabilities = [\"create\", \"delete\", \"read\", \"update\"]\n}\npath \"kv-v2/metadata/k8s_operator/roe\" {\n  capabilities = [\"delete\", \"list\", \"read\", \"update\"]\n}\npath \"kv-v2/metadata/k8s_operator/roe/+\" {\n  capabilities = [\"delete\", \"list\", \"read\", \"update\"]\n}\npath \"kv-v2/delete/k8s_operator/roe/+\" {\n  capabilities = [\"update\"]\n}\npath \"kv-v2/destroy/k8s_operator/roe/+\" {\n  capabilities = [\"update\"]\n}\npath \"kv-v2/undelete/k8s_operator/roe/+\" {\n  capabilities = [\"update\"]\n}"]
  }
}

# The AppRole of the cluster, for that policy and no other
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

# What the cluster logs in with
path "auth/approle/role/roe/role-id" {
  capabilities = ["read"]
}

# Likewise
path "auth/approle/role/roe/secret-id" {
  capabilities = ["update", "list"]
}

# Whether it is still valid
path "auth/approle/role/roe/secret-id-accessor/lookup" {
  capabilities = ["update"]
}

# Its end
path "auth/approle/role/roe/secret-id-accessor/destroy" {
  capabilities = ["update"]
}

# The write token: it outlives this one and has another policy, for which Vault asks for sudo
path "auth/token/create" {
  capabilities = ["update", "sudo"]
  allowed_parameters = {
    "policies" = [["k8s_operator/roe/write"]]
    "*" = []
  }
  required_parameters = ["policies"]
}

# Whether it is still valid
path "auth/token/lookup-accessor" {
  capabilities = ["update"]
}

# Its life
path "auth/token/renew" {
  capabilities = ["update"]
}

# Its end
path "auth/token/revoke-accessor" {
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
