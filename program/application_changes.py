"""Log which commits change an Application, in the diagnostics of a preview and of an update.

The revision of an Application is a commit hash, so the diff of a preview does not show what a new revision means. The
deployed revision is in the state: only a hook sees both.
"""

from collections.abc import Sequence
from typing import Any, Final

import pulumi
from pulumi import ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceHookOptions, ResourceTransformation

from config.resource_types import APPLICATION
from phalanx import pins
from phalanx.errors import PhalanxError
from phalanx.git_addresses import is_commit
from phalanx.history import History
from phalanx.source import PhalanxSource
from program import engine_log
from program.hooks import bind_hooks, in_thread

_MAX_COMMITS: Final = 10
"""Maximum number of commits in a message."""
_DIGITS: Final = 9
"""Number of digits of a hash in a message."""


def describe_updates(source: PhalanxSource) -> ResourceTransformation:
    """Return a transformation that logs, for each updated Application, the commits that changed it.

    Args:
        source: The environment that is being deployed.
    """

    async def before_update(args: ResourceHookArgs) -> None:
        # Properties that contain secrets are Outputs.
        old = await pulumi.Output.from_input(args.old_inputs or {}).future()
        text = await in_thread(description, source, old or {})
        if text:
            engine_log.info(args.urn, text)

    # A message is never worth a failed update.
    options = ResourceHookOptions(on_dry_run=True, ignore_errors=True)
    hook = ResourceHook("describe-update", before_update, options)
    return bind_hooks({APPLICATION: ResourceHookBinding(before_update=[hook])})


def description(source: PhalanxSource, deployed: Any) -> str:
    """Return the commits between the deployed revision of an Application and the new one; empty if they are the same.

    Args:
        source: The environment that is being deployed.
        deployed: Inputs of the deployed Application.
    """
    name, old = deployed["metadata"]["name"], deployed["spec"]["source"]["targetRevision"]
    manifest = source.manifests.applications[name]
    new = manifest["spec"]["source"]["targetRevision"]
    if old == new:
        return ""
    change = f"{_short(old)} -> {_short(new)}"
    if not (is_commit(old) and is_commit(new)):
        return change
    tree = source.checkout_of(name)
    history = History(tree.repository, tree.credentials)
    try:
        files = pins.pathspecs(tree.path, manifest)
        added, removed = history.subjects(old, new, files), history.subjects(new, old, files)
    except PhalanxError as error:
        # The branch may have been rewritten since, so that the deployed commit no longer exists.
        return f"{change} ({error})"
    return "\n".join([change, *_lines("+", added), *_lines("-", removed)])


def _lines(sign: str, commits: Sequence[str]) -> list[str]:
    more = len(commits) - _MAX_COMMITS
    return [
        *(f"  {sign} {commit}" for commit in commits[:_MAX_COMMITS]),
        *([f"  {sign} … and {more} more commits"] if more > 0 else []),
    ]


def _short(revision: str) -> str:
    return revision[:_DIGITS] if is_commit(revision) else revision
