"""Addresses of the pages that compare two revisions of a repository."""

import re
from typing import Final
from urllib.parse import quote

_ADDRESS: Final = re.compile(
    r"(?:https://|ssh://git@|git@)(?P<host>[A-Za-z0-9.-]+)(?P<port>:[0-9]+(?=/))?[:/](?P<path>[A-Za-z0-9._~/-]+?)(?:\.git)?/?"
)


def compare(repository: str, old: str, new: str) -> str | None:
    """Return the URL of the page that shows the changes between two revisions.

    Args:
        repository: URL of the repository, or its address in the notation of scp.
        old: Branch, tag or commit.
        new: Branch, tag or commit.

    Returns:
        The URL, or None if the repository is neither on GitHub nor on a GitLab.
    """
    found = _ADDRESS.fullmatch(repository)
    if not found or not old or not new or old == new:
        return None
    host, path = found["host"].lower(), found["path"].strip("/")
    # The port of an ssh URL is not that of the web pages.
    port = found["port"] or "" if repository.startswith("https:") else ""
    revisions = f"{quote(old, safe='')}...{quote(new, safe='')}"
    if host == "github.com":
        return f"https://github.com/{path}/compare/{revisions}"
    if "gitlab" in host.split("."):
        return f"https://{host}{port}/{path}/-/compare/{revisions}"
    return None
