"""What a Phalanx repository says: its environments, applications and the secrets that they need.

Pure Python: nothing here talks to Vault or Kubernetes, and nothing imports Pulumi. The rules are Phalanx's own, see
https://phalanx.lsst.io; each module names the file of https://github.com/lsst-sqre/phalanx that its rules come from.
"""
