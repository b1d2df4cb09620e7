"""Bind resource hooks to resources by type."""

from collections.abc import Mapping

from pulumi import (
    ResourceHookBinding,
    ResourceOptions,
    ResourceTransformation,
    ResourceTransformationArgs,
    ResourceTransformationResult,
)


def bind_hooks(bindings: Mapping[str, ResourceHookBinding]) -> ResourceTransformation:
    """Return a transformation that adds hooks to resources.

    It runs in this process. A transform, its newer form, would cost a callback from the engine for every resource, with
    all its inputs.

    Args:
        bindings: Hooks by resource type.
    """

    def bind(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        binding = bindings.get(args.type_)
        if binding is None:
            return None
        return ResourceTransformationResult(
            args.props, ResourceOptions.merge(args.opts, ResourceOptions(hooks=binding))
        )

    return bind
