"""Programs that the sandbox needs in addition to Debian packages: Kubernetes, KWOK, Helm, Argo CD and others."""

from sandbox.tools.provision import argocd_crds, ensure, kwok_stages
from sandbox.tools.store import bin_dir, pulumi_home
from sandbox.tools.versions import TOOLS, VERSIONS

__all__ = ["TOOLS", "VERSIONS", "argocd_crds", "bin_dir", "ensure", "kwok_stages", "pulumi_home"]
