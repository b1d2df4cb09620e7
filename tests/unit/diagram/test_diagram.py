"""Diagrams of a deployed platform: complete, well-formed, and without secrets."""

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from diagram import mermaid, platform, svg
from diagram.platform import Box, NothingDeployedError, Platform
from operations.__main__ import app
from recovery.pulumi_stack import PulumiStack
from tests.unit.diagram.deployed import resource, resources
from tests.unit.sample import environment, environment_data, write_stack

NAMESPACE = "{http://www.w3.org/2000/svg}"
SHOWN = (
    *("https://rsp.example.org", "203.0.113.94", "10.20.0.120", "https://10.20.0.50:6443", "10.20.0.10"),
    *("rsp-roe-nfs", "rsp-roe-nfs-data: 100 GiB hdd", "rsp-roe-nfs-jhome: 50 GiB hdd", "rsp-roe-router"),
    *("Control plane", "10.20.0.61", "Node group default-worker", "Node group labs", "and 2 more"),
    *("ceph-hdd (default)", "https://s3.example.org", "bucket async", "bucket async-ssotap (ssotap)"),
    *("https://vault.example.org", "secret/phalanx/roe", "3 secrets", "https://rsp.example.org/argo-cd"),
    *("https://github.com/lsst-uk/phalanx", "environment roe", "commit a675447ae074"),
    *("Applications: infrastructure", "argocd", "cert-manager", "Applications: rsp", "portal", "tap"),
)
"""Texts that a diagram has once."""

AREAS = (
    "OpenStack test-cloud, region RegionOne",
    "Network rsp-roe-network, 10.20.0.0/24",
    "Cluster rsp-roe-cluster, Kubernetes v1.36.3 (Cluster API)",
)


def read(**changes: object) -> Platform:
    return platform.read("roe", environment(**changes), resources())


def two_clusters() -> Platform:
    """Return a platform whose second cluster is active."""
    second = [
        resource(
            "openstack:containerinfra/cluster:Cluster",
            "green-cluster",
            name="rsp-roe-green",
            apiAddress="https://10.20.0.51:6443",
        ),
        resource(
            "kubernetes:argoproj.io/v1alpha1:Application",
            "green-applications-mobu",
            metadata={"name": "mobu"},
            spec={"project": "rsp"},
        ),
    ]
    green = environment_data()["clusters"]["cluster"]
    config = environment(clusters__green=green, activeCluster="green")
    return platform.read("roe", config, [*resources(), *second])


def test_each_cluster_has_its_own_area_and_the_active_one_is_first() -> None:
    drawn = two_clusters()
    assert [each.title for each in drawn.clusters] == [
        "Cluster rsp-roe-green, Kubernetes v1.36.3 (Cluster API), active",
        "Cluster rsp-roe-cluster, Kubernetes v1.36.3 (Cluster API), not active",
    ]
    assert [dict(each.applications) for each in drawn.clusters] == [
        {"rsp": ("mobu",)},
        {"infrastructure": ("argocd", "cert-manager"), "rsp": ("portal", "tap")},
    ]
    for shown in (*(each.title for each in drawn.clusters), "Node group labs", "mobu", "portal"):
        assert texts(svg.render(drawn)).count(shown) == 1
        assert mermaid_texts(mermaid.render(drawn)).count(shown) == 1
    ids = re.findall(r"^ +(?:subgraph )?(\w+)\[", mermaid.render(drawn), flags=re.MULTILINE)
    assert len(ids) == len(set(ids))


def parsed(document: str) -> ET.Element:
    return ET.fromstring(document)  # noqa: S314 - our own


def texts(document: str) -> list[str]:
    """Return all texts of an SVG document, in full."""
    found = []
    for element in parsed(document).iter(f"{NAMESPACE}text"):
        tooltip = element.find(f"{NAMESPACE}title")
        found.append(str(element.text if tooltip is None else tooltip.text))
    return found


def mermaid_texts(document: str) -> list[str]:
    nodes = re.findall(r'\["(.*)"\]$', document, flags=re.MULTILINE)
    return [re.sub("</?b>", "", line) for node in nodes for line in node.split("<br>")]


@pytest.mark.parametrize("shown", [*SHOWN, *AREAS])
def test_everything_is_shown_once(shown: str) -> None:
    assert texts(svg.render(read())).count(shown) == 1
    assert mermaid_texts(mermaid.render(read())).count(shown) == 1


def test_no_secret_is_shown() -> None:
    for document in (svg.render(read()), mermaid.render(read())):
        assert "planted" not in document
        assert "1b47061264138c4ac30d75fd1eb44270" not in document


def test_the_same_platform_gives_the_same_text() -> None:
    assert svg.render(read()) == svg.render(read())


def test_boxes_do_not_overlap_and_are_inside_of_the_picture() -> None:
    (cluster,) = read().clusters
    many = {f"p{n}": tuple(f"application{m}" for m in range(4 * n)) for n in range(9)}
    crowded = replace(read(), clusters=(replace(cluster, applications=many),))
    for drawn in (read(), crowded, two_clusters()):
        root = parsed(svg.render(drawn))
        boxes = [
            tuple(float(element.attrib[key]) for key in ("x", "y", "width", "height"))
            for element in root.iter(f"{NAMESPACE}rect")
            if element.attrib["class"] in {"box", "applications"}
        ]
        assert len(boxes) > 15
        for number, (x, y, width, height) in enumerate(boxes):
            assert 0 <= x < x + width <= float(root.attrib["width"])
            assert 0 <= y < y + height <= float(root.attrib["height"])
            for other_x, other_y, other_width, other_height in boxes[:number]:
                apart = x >= other_x + other_width or other_x >= x + width
                assert apart or y >= other_y + other_height or other_y >= y + height


HOSTILE = 'a"b <c> & `d` #e; \\f \x00 </text>'


def test_special_characters_are_quoted() -> None:
    drawn = replace(read(), users=Box(title=HOSTILE, lines=(HOSTILE * 5, "a\nb")), network=HOSTILE)
    assert HOSTILE.replace("\x00", "\ufffd") in texts(svg.render(drawn))
    document = mermaid.render(drawn)
    (users,) = re.findall(r'users\["(.*)"\]', document)
    inside = re.sub("</?b>|<br>", "", users)
    assert not re.search(r'["<>&`\\]', inside)
    assert inside.startswith("a#34;b #60;c#62; #38; #96;d#96; #35;e#59; #92;f")
    assert inside.endswith("a b")


def test_long_texts_are_cut_with_a_tooltip() -> None:
    long = "https://" + "a" * 100
    root = parsed(svg.render(replace(read(), vault=Box(title="Vault", lines=(long,)))))
    (cut,) = (each for each in root.iter(f"{NAMESPACE}text") if (each.text or "").startswith("https://aaa"))
    assert (cut.text or "").endswith("…")
    assert [each.text for each in cut] == [long]


def test_a_network_that_was_there_before_has_no_router() -> None:
    state = [each for each in resources() if "/network:" not in each["type"] and "/router:" not in each["type"]]
    adopted = {"network": "shared", "subnet": "shared-subnet"}
    drawn = platform.read("roe", environment(network__adopt=adopted, network__dnsNameservers=None), state)
    assert drawn.router is None
    assert drawn.network == "Network shared, 10.20.0.0/24"
    assert "router" not in mermaid.render(drawn)
    assert "Router" not in texts(svg.render(drawn))


def test_load_balancers_of_the_stack_are_shown_in_place_of_the_controllers() -> None:
    own = resource(
        "openstack:loadbalancer/loadBalancer:LoadBalancer", "lb", name="rsp-roe-ingress", vipAddress="10.20.0.9"
    )
    first, last = platform.read("roe", environment(), [*resources(), own]).load_balancers
    assert first == Box(title="rsp-roe-ingress", lines=("10.20.0.9", "Octavia, provider ovn"))
    assert last.title == "Load balancer of the API"


def test_a_resource_that_is_being_replaced_is_shown_once() -> None:
    old = resource("openstack:blockstorage/volume:Volume", "data", name="old", size=1) | {"delete": True}
    volumes = platform.read("roe", environment(), [old, *resources()]).volumes
    assert volumes
    assert len(volumes.lines) == 2


def test_a_stack_without_cluster_cannot_be_drawn() -> None:
    with pytest.raises(NothingDeployedError, match="run `pulumi up -s roe` first"):
        platform.read("roe", environment(), [])


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_stack(tmp_path / "Pulumi.roe.yaml")
    monkeypatch.chdir(tmp_path)
    document = {"deployment": {"resources": json.loads(json.dumps(resources()))}}
    # Without the secrets in plaintext.
    monkeypatch.setattr(PulumiStack, "export", lambda _: document)


@pytest.mark.usefixtures("stack")
def test_the_command_prints_or_writes_a_diagram(tmp_path: Path) -> None:
    printed = CliRunner().invoke(app, ["diagram", "-s", "roe", "--format", "mermaid"])
    assert printed.stdout == mermaid.render(read())
    written = CliRunner().invoke(app, ["diagram", "-s", "roe", "--output", "platform.svg"])
    assert (written.exit_code, written.stdout) == (0, "")
    assert (tmp_path / "platform.svg").read_text() == svg.render(read())
