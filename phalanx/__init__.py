"""Environments, applications and secrets, as read from a Phalanx repository.

Pure Python: nothing here connects to Vault or Kubernetes, and nothing imports Pulumi. The rules are those of Phalanx
(https://phalanx.lsst.io); each module names the file of https://github.com/lsst-sqre/phalanx that it follows.
"""
