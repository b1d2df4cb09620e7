from phalanx.policies import read_policy, write_policy

READ = """\
path "secret/data/phalanx/roe/+" {
  capabilities = ["read"]
}
path "secret/metadata/phalanx/roe/+" {
  capabilities = ["list", "read"]
}"""

WRITE = """\
path "secret/data/phalanx/roe" {
  capabilities = ["create", "delete", "read", "update"]
}
path "secret/data/phalanx/roe/+" {
  capabilities = ["create", "delete", "read", "update"]
}
path "secret/metadata/phalanx/roe" {
  capabilities = ["delete", "list", "read", "update"]
}
path "secret/metadata/phalanx/roe/+" {
  capabilities = ["delete", "list", "read", "update"]
}
path "secret/delete/phalanx/roe/+" {
  capabilities = ["update"]
}
path "secret/destroy/phalanx/roe/+" {
  capabilities = ["update"]
}
path "secret/undelete/phalanx/roe/+" {
  capabilities = ["update"]
}"""


def test_the_policies_are_exactly_those_of_phalanx() -> None:
    assert read_policy("secret", "phalanx/roe") == READ
    assert write_policy("secret", "phalanx/roe") == WRITE
