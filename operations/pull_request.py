"""Commands ``pull-request``: previews in pull requests on GitHub, and in merge requests on GitLab."""

import os

import typer

from operations import summary
from operations.stack import StackName
from operations.summary import Diff, Events
from review import github, gitlab, reports
from review.forge import Forge, ForgeError
from review.reports import LIMIT

app = typer.Typer(help="Previews in pull requests, in workflows of GitHub and jobs of GitLab.", no_args_is_help=True)


@app.command()
def comment(events: Events, stack: StackName, diff: Diff = None) -> None:
    """Comment on the job's pull request with a preview, and replace the stack's previous comment."""
    found = summary.read(events, stack)
    pull_request = gitlab.pull_request(os.environ) if _on_gitlab() else github.pull_request(os.environ)
    if not pull_request:
        raise ForgeError("this job does not belong to a pull request: run it for pull requests only")
    # The comment of an earlier push remains if the job of a later one does not come this far.
    text = summary.render(found, diff, LIMIT, pull_request.head)
    reports.comment(forge(), pull_request, stack, found.commit, text)


@app.command()
def commit(stack: StackName) -> None:
    """Print the Phalanx commit of the last preview of the merged pull request, as the assignment of a variable.

    Only a warning is printed if the deployed commit belongs to no pull request. Exit with 1 if the last commit of the
    pull request has no successful preview.
    """
    deployed = os.environ.get("CI_COMMIT_SHA" if _on_gitlab() else "GITHUB_SHA", "")
    found = reports.previewed_commit(forge(), deployed, stack)
    if found:
        typer.echo(f"RSP_CHECKOUT_COMMIT={found}")
    else:
        _warn(
            f"{deployed} belongs to no pull request, so no preview has shown what it changes in {stack}: the "
            "current commit of rsp:phalanx.revision is deployed"
        )


def forge() -> Forge:
    """Return the service on which this job runs.

    Raises:
        ForgeError: The job has no credentials, or this is not a job.
    """
    try:
        return gitlab.GitLab(os.environ) if _on_gitlab() else github.GitHub(os.environ)
    except KeyError as error:
        raise ForgeError(f"{error.args[0]} is not set: expected a workflow of GitHub, or a job of GitLab") from None


def _warn(text: str) -> None:
    """Warn on standard error: in the summary of a workflow run on GitHub, or in color in the log of a job on GitLab."""
    if _on_gitlab():
        typer.secho(f"WARNING: {text}", fg="yellow", bold=True, err=True, color=True)
    else:
        typer.echo(f"::warning title=Not previewed::{text}", err=True)


def _on_gitlab() -> bool:
    return "GITLAB_CI" in os.environ
