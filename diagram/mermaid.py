"""A platform's diagram as Mermaid text (https://mermaid.js.org/syntax/flowchart.html)."""

from collections.abc import Iterable, Iterator

from diagram.platform import Box, Cluster, Platform

_SPECIAL = '"#&;<>`\\'
"""Characters with a meaning in a quoted text: of Mermaid, of HTML and of Markdown."""


def render(platform: Platform) -> str:
    """Return a diagram as a Mermaid flowchart, for a code block ``mermaid`` of GitHub, GitLab or MkDocs."""
    return "\n".join(_lines(platform)) + "\n"


def _lines(platform: Platform) -> Iterator[str]:
    yield from ("---", f"title: {_title(platform.title)}", "---", "flowchart LR")
    yield from _nodes(1, users=platform.users, phalanx=platform.phalanx, vault=platform.vault)
    yield from _area(1, "project", platform.project)
    yield from _nodes(2, ip=platform.floating_ip, router=platform.router, store=platform.object_store)
    yield from _area(2, "network", platform.network)
    balancers = _numbered("lb", platform.load_balancers)
    files = _numbered("files", platform.files)
    yield from _nodes(3, **balancers, **files, volumes=platform.volumes)
    for number, each in enumerate(platform.clusters, 1):
        yield from _cluster(each, f"_{number}" if number > 1 else "")
    yield from ("    end", "  end")
    first, *others = balancers
    yield f"  users -- HTTPS --> ip --> {first} --> cluster"
    yield from (f"  {name} --> cluster" for name in others)
    yield from (f"  cluster -- NFS --> {name}" for name in files)
    yield "  cluster -- S3 --> store"
    yield from ("  cluster -- Argo CD --> phalanx", "  cluster -- secrets --> vault")
    if platform.volumes and files:
        yield f"  {list(files)[-1]} --> volumes"
    if platform.router:
        yield "  network --> router"


def _cluster(cluster: Cluster, suffix: str) -> Iterator[str]:
    projects = [Box(title=f"Applications: {name}", lines=lines) for name, lines in cluster.applications.items()]
    boxes = {
        **_numbered("nodes", cluster.nodes),
        "argocd": cluster.argocd,
        "storage": cluster.storage,
        **_numbered("applications", projects),
    }
    yield from _area(3, f"cluster{suffix}", cluster.title)
    yield from _nodes(4, **{f"{name}{suffix}": box for name, box in boxes.items()})
    yield "      end"


def _numbered(prefix: str, boxes: Iterable[Box]) -> dict[str, Box]:
    return {f"{prefix}{number}": box for number, box in enumerate(boxes, 1)}


def _area(depth: int, name: str, title: str) -> Iterator[str]:
    yield f'{"  " * depth}subgraph {name}["{_quoted(title)}"]'


def _nodes(depth: int, **boxes: Box | None) -> Iterator[str]:
    for name, box in boxes.items():
        if box:
            text = "<br>".join((f"<b>{_quoted(box.title)}</b>", *map(_quoted, box.lines)))
            yield f'{"  " * depth}{name}["{text}"]'


def _quoted(text: str) -> str:
    """Return text with special characters as Mermaid's entity codes, and without line breaks."""
    return "".join(f"#{ord(each)};" if each in _SPECIAL else each for each in " ".join(text.split()))


def _title(text: str) -> str:
    """Return a title as a scalar of YAML."""
    return "'" + " ".join(text.split()).replace("'", "''") + "'"
