"""Argo CD's own resources, as the Kubernetes provider manages them.

The generic ``apiextensions`` resources of the SDK know ``metadata`` and ``spec`` only, but an Application may carry an
``operation`` beside them. See https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import pulumi

_API_VERSION = "argoproj.io/v1alpha1"


class _Declared(pulumi.CustomResource):
    """A kind of which metadata and spec are declared."""

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
    """One chart of a Git repository at a revision, with its values, in a namespace."""

    _KIND = "Application"


class ApplicationPatch(pulumi.CustomResource):
    """An operation asked of an Application that another resource makes, by a field manager of its own.

    Argo CD takes an operation out of the Application when it is done. As a part of the Application itself it would come
    back with every later change; see "Patch resources" in
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
