"""The API of Argo CD's kinds (https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/)."""

from collections.abc import Mapping
from typing import Any, Final

import pulumi

API_VERSION: Final = "argoproj.io/v1alpha1"
"""API version of Application and AppProject."""


class ApplicationPatch(pulumi.CustomResource):
    """An operation of an existing Application, applied with a field manager of its own.

    The SDK's ``CustomResourcePatch`` supports ``metadata`` and ``spec`` only.

    Argo CD removes a completed operation from the Application. If it were a property of the `Application` resource,
    each later update would start it again; see "Patch resources" in
    https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/.
    """

    def __init__(
        self,
        resource_name: str,
        *,
        metadata: Mapping[str, Any],
        operation: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {"apiVersion": API_VERSION, "kind": "Application", "metadata": metadata, "operation": operation}
        super().__init__(f"kubernetes:{API_VERSION}:ApplicationPatch", resource_name, properties, opts)
