"""A platform's diagram as SVG, with a fixed layout: the same platform always gives the same text."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final
from xml.etree import ElementTree as ET

from diagram.platform import Box, Cluster, Platform

_GAP: Final = 16
"""Distance between boxes, and of boxes from the border of their area."""
_LINK: Final = 64
"""Distance between boxes and areas with a labeled line between them."""
_PADDING: Final = 10
_TITLE_HEIGHT: Final = 18
_LINE_HEIGHT: Final = 15
_LONGEST: Final = 46
"""Number of characters after which a line is cut; a tooltip has all of it."""
_COLUMN: Final = 8
"""Number of applications in one column of a box."""
_WIDTH: Final = 800
"""Minimum width of the cluster's area, in which boxes are wrapped."""

_STYLE: Final = """
text { font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2937 }
.title { font-weight: 600; font-size: 13px }
.heading { font-weight: 600; font-size: 18px }
.label { font-size: 11px; fill: #4b5563 }
.background { fill: #ffffff }
.box { fill: #ffffff; stroke: #9ca3af }
.project { fill: #fff7ed; stroke: #c2410c }
.network { fill: #eff6ff; stroke: #2563eb }
.cluster { fill: #f0fdf4; stroke: #15803d }
.applications { fill: #f5f3ff; stroke: #7c3aed }
.line { stroke: #4b5563; stroke-width: 1.3; fill: none; marker-end: url(#arrow) }
"""

# Not allowed in XML 1.0, even as a reference.
_CONTROL: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class _Place:
    """A rectangle in pixels."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    @property
    def center(self) -> float:
        return self.x + self.width / 2


def render(platform: Platform) -> str:
    """Return a diagram as an SVG document."""
    return _Drawing(platform).text()


def _size(box: Box) -> _Place:
    columns = _columns(box.lines)
    texts = sum(max(map(_width, column)) + _GAP for column in columns) - _GAP if columns else 0
    height = 2 * _PADDING + _TITLE_HEIGHT + _LINE_HEIGHT * max(map(len, columns), default=0) - 4
    return _Place(0, 0, max(_width(box.title) * 1.12, texts, 90) + 2 * _PADDING, height)


def _width(text: str) -> float:
    """Return an upper estimate of a text's width, as fonts differ."""
    return 7.1 * min(len(text), _LONGEST)


def _columns(lines: Sequence[str]) -> list[Sequence[str]]:
    return [lines[start : start + _COLUMN] for start in range(0, len(lines), _COLUMN)]


def _flow(boxes: Iterable[Box], x: float, y: float, width: float) -> list[_Place]:
    """Place boxes in rows of a maximum width; all boxes of a row have the same height."""
    placed: list[_Place] = []
    row: list[_Place] = []
    for size in map(_size, boxes):
        left = row[-1].right + _GAP if row else x
        if row and left + size.width > x + width:
            y, left = max(each.bottom for each in row) + _GAP, x
            placed, row = placed + _level(row), []
        row.append(_Place(left, y, size.width, size.height))
    return placed + _level(row)


def _level(row: Sequence[_Place]) -> list[_Place]:
    height = max((each.height for each in row), default=0)
    return [replace(each, height=height) for each in row]


def _around(places: Sequence[_Place]) -> _Place:
    """Return the smallest rectangle with some others inside."""
    x, y = min(each.x for each in places), min(each.y for each in places)
    return _Place(x, y, max(each.right for each in places) - x, max(each.bottom for each in places) - y)


def _area(inside: Sequence[_Place]) -> _Place:
    """Return an area with a heading around what is inside."""
    found = _around(inside)
    return _Place(
        found.x - _GAP, found.y - _GAP - _TITLE_HEIGHT, found.width + 2 * _GAP, found.height + 2 * _GAP + _TITLE_HEIGHT
    )


def _below_each_other(
    clusters: Iterable[Cluster], x: float, y: float, width: float
) -> list[tuple[_Place, list[_Place]]]:
    """Place clusters, each in an area of the same width: the area, and the boxes in it."""
    placed: list[tuple[_Place, list[_Place]]] = []
    for each in clusters:
        inside = _flow(_services(each), x, y, width)
        inside += _flow(_projects(each), x, _around(inside).bottom + _GAP, width)
        placed.append((replace(_area(inside), width=width + 2 * _GAP), inside))
        y = placed[-1][0].bottom + 2 * _GAP + _TITLE_HEIGHT
    return placed


def _services(cluster: Cluster) -> list[Box]:
    return [*cluster.nodes, cluster.argocd, *([cluster.storage] if cluster.storage else [])]


def _projects(cluster: Cluster) -> list[Box]:
    return [Box(title=f"Applications: {name}", lines=lines) for name, lines in cluster.applications.items()]


class _Drawing:
    """The SVG document, drawn from the outer areas to the inner boxes."""

    def __init__(self, platform: Platform) -> None:
        self._root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img"})
        ET.SubElement(self._root, "title").text = platform.title
        ET.SubElement(self._root, "style").text = _STYLE
        marker = ET.SubElement(
            ET.SubElement(self._root, "defs"),
            "marker",
            {"id": "arrow", "viewBox": "0 0 8 8", "refX": "7", "refY": "4", "markerWidth": "7", "markerHeight": "7"}
            | {"orient": "auto"},
        )
        ET.SubElement(marker, "path", {"d": "M0 0 L8 4 L0 8 z", "fill": "#4b5563"})
        self._background = ET.SubElement(self._root, "rect", {"class": "background"})
        self._draw(platform)

    def text(self) -> str:
        ET.indent(self._root, " ")
        return ET.tostring(self._root, encoding="unicode") + "\n"

    def _draw(self, platform: Platform) -> None:
        users = _size(platform.users)
        beside = [box for box in (platform.floating_ip, platform.router, platform.object_store) if box]
        outer_width = max(_size(box).width for box in beside)
        outer_x = _GAP + users.width + _LINK + _GAP
        inner_x = outer_x + outer_width + _LINK + 2 * _GAP
        top = 3 * _GAP + 3 * _TITLE_HEIGHT + 2 * _GAP

        # The servers and load balancers, in a row with the floating IP.
        volumes = (platform.volumes,) if platform.volumes else ()
        row = (*platform.load_balancers, *platform.files, *volumes)
        servers = _flow(row, inner_x, top, 10_000)
        first, last = len(platform.load_balancers), len(row) - len(volumes)
        balancers, files, first_row = servers[:first], servers[first:last], _around(servers)

        # The clusters below them.
        y = first_row.bottom + _LINK / 2 + 2 * _GAP + _TITLE_HEIGHT
        width = max(_WIDTH, first_row.width - 2 * _GAP)
        clusters = _below_each_other(platform.clusters, inner_x + _GAP, y, width)
        cluster = _around([area for area, _ in clusters])
        network = _area([first_row, cluster])

        # Beside the network: what is outside of it.
        middle = servers[0].middle
        address = self._centered(platform.floating_ip, outer_x, outer_width, middle)
        others = [
            self._centered(box, outer_x, outer_width, cluster.y + cluster.height * part)
            for box, part in zip(beside[1:], (0.3, 0.7) if platform.router else (0.5,), strict=True)
        ]
        project = _area([address, *others, network])
        people = replace(users, x=_GAP, y=middle - users.height / 2)
        right = project.right + _LINK
        git, vault = (
            replace(_size(box), x=right, y=cluster.y + cluster.height * part - _size(box).height / 2)
            for box, part in ((platform.phalanx, 0.3), (platform.vault, 0.7))
        )

        self._text(platform.title, _GAP, 2 * _GAP, "heading")
        self._rectangle(project, "project", platform.project)
        self._rectangle(network, "network", platform.network)
        for each, (area, _) in zip(platform.clusters, clusters, strict=True):
            self._rectangle(area, "cluster", each.title)
        boxes = (platform.users, platform.phalanx, platform.vault, platform.floating_ip, *beside[1:])
        for box, place in zip(boxes, (people, git, vault, address, *others), strict=True):
            self._box(box, place)
        for box, place in zip(row, servers, strict=True):
            self._box(box, place)
        for each, (_, inside) in zip(platform.clusters, clusters, strict=True):
            services = _services(each)
            for number, (box, place) in enumerate(zip((*services, *_projects(each)), inside, strict=True)):
                self._box(box, place, "box" if number < len(services) else "applications")

        self._line((people.right, middle), (address.x, middle), "HTTPS")
        self._line((address.right, middle), (servers[0].x, middle))
        for place in balancers:
            self._line((place.center, place.bottom), (place.center, cluster.y))
        for place in files:
            self._line((place.center, cluster.y), (place.center, place.bottom), "NFS")
        if volumes and files:
            self._line((files[-1].right, files[-1].middle), (servers[-1].x, files[-1].middle))
        for place in others[:-1]:
            self._line((network.x, place.middle), (place.right, place.middle))
        self._line((cluster.x, others[-1].middle), (others[-1].right, others[-1].middle), "S3")
        self._line((cluster.right, git.middle), (git.x, git.middle), "Argo CD")
        self._line((cluster.right, vault.middle), (vault.x, vault.middle), "secrets")
        self._resize(_around([project, people, git, vault]))

    @staticmethod
    def _centered(box: Box, x: float, width: float, middle: float) -> _Place:
        height = _size(box).height
        return _Place(x, middle - height / 2, width, height)

    def _resize(self, drawn: _Place) -> None:
        size = {"width": f"{drawn.right + _GAP:.0f}", "height": f"{drawn.bottom + _GAP:.0f}"}
        self._background.attrib.update(size)
        self._root.attrib.update(size | {"viewBox": f"0 0 {size['width']} {size['height']}"})

    def _rectangle(self, place: _Place, kind: str, title: str = "") -> None:
        ET.SubElement(
            self._root,
            "rect",
            {"class": kind, "rx": "6"} | {key: f"{value:.0f}" for key, value in vars(place).items()},
        )
        if title:
            self._text(title, place.x + _PADDING, place.y + _TITLE_HEIGHT, "title", longest=120)

    def _box(self, box: Box, place: _Place, kind: str = "box") -> None:
        self._rectangle(place, kind)
        x, y = place.x + _PADDING, place.y + _PADDING + 11
        self._text(box.title, x, y, "title")
        for column in _columns(box.lines):
            for number, line in enumerate(column, 1):
                self._text(line, x, y + 3 + number * _LINE_HEIGHT, "")
            x += max(map(_width, column)) + _GAP

    def _text(self, text: str, x: float, y: float, kind: str, longest: int = _LONGEST) -> None:
        text = _CONTROL.sub("\ufffd", text)
        attributes = {"x": f"{x:.0f}", "y": f"{y:.0f}"} | ({"class": kind} if kind else {})
        element = ET.SubElement(self._root, "text", attributes)
        element.text = text if len(text) <= longest else f"{text[: longest - 1]}…"
        if element.text != text:
            ET.SubElement(element, "title").text = text

    def _line(self, start: tuple[float, float], end: tuple[float, float], label: str = "") -> None:
        (x1, y1), (x2, y2) = start, end
        ET.SubElement(self._root, "path", {"class": "line", "d": f"M{x1:.0f} {y1:.0f} L{x2:.0f} {y2:.0f}"})
        if label and x1 == x2:
            self._text(label, x1 + 6, (y1 + y2) / 2 + 4, "label")
        elif label:
            start_x = max(min(x1, x2), max(x1, x2) - _LINK)
            self._text(label, start_x + 8, y1 - 5, "label")
