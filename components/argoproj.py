"""Resource classes for Argo CD's kinds.

The generic ``apiextensions`` resources of the SDK support ``metadata`` and ``spec`` only, but an Application may also
have an ``operation``. See https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import pulumi

_API_VERSION = "argoproj.io/v1alpha1"


class _Declared(pulumi.CustomResource):
    """A kind with metadata and spec."""

    _KIND: ClassVar[str]

    def __init__(
        self,
        resource_name: str,
        *,
        metadata: Mapping[str, Any],
        spec: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        properties = {"apiVersion": _API_VERSION, "kind": self._KIND, "metadata": metadata, "spec": spec}
        super().__init__(f"kubernetes:{_API_VERSION}:{self._KIND}", resource_name, properties, opts)


class AppProject(_Declared):
    """A set of repositories and destinations that Applications may use."""

    _KIND = "AppProject"


class Application(_Declared):
    """A chart in a Git repository at a revision, deployed with its values into a namespace."""

    _KIND = "Application"


class ApplicationPatch(pulumi.CustomResource):
    """An operation of an existing Application, applied with a field manager of its own.

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
        properties = {"apiVersion": _API_VERSION, "kind": "Application", "metadata": metadata, "operation": operation}
        super().__init__(f"kubernetes:{_API_VERSION}:ApplicationPatch", resource_name, properties, opts)
