"""The values in the guides on a site's choices are those of Phalanx's charts, and pass the checks."""

import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from phalanx import application, documents, environment, labs, secrets, sign_in, tap_services
from phalanx.application import Application
from phalanx.secrets import Static
from tests.conformance.test_phalanx import DATA

ROOT = Path(__file__).parents[2]
GUIDES = ("external-databases", "labs", "sign-in", "tap-services")
_BLOCK = re.compile(r"```yaml\n# (applications/(\S+)/values-mysite\.yaml)\n(.*?)```", re.DOTALL)

FOUND = [
    (f"{guide}-{position}", match[2], match[3])
    for guide in GUIDES
    for position, match in enumerate(_BLOCK.finditer((ROOT / "docs" / "howto" / f"{guide}.md").read_text()))
]
"""Guide, application and values of each snippet."""


def snippets(*names: str) -> list[Any]:
    """Return the snippets of some applications, by default of all, as parameters of a test."""
    return [pytest.param(name, text, id=f"{guide}-{name}") for guide, name, text in FOUND if name in names or not names]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a repository with the environment mysite, which has all applications of ukidacprod."""
    copied = Path(shutil.copytree(DATA / "upstream", tmp_path / "phalanx"))
    for path in copied.rglob("values-ukidacprod.yaml"):
        shutil.copy(path, path.with_name("values-mysite.yaml"))
    settings = copied / "environments" / "values-mysite.yaml"
    settings.write_text(
        settings.read_text().replace("ukidacprod", "mysite").replace("rsp.lsst.ac.uk", "rsp.example.org")
    )
    return copied


def load(root: Path, name: str, snippet: str) -> dict[str, Application]:
    """Load the environment with a snippet as the only values of an application."""
    (root / "applications" / name / "values-mysite.yaml").write_text(snippet)
    return application.load_enabled(root, environment.load(root, "mysite"))


def unknown(own: Mapping[str, Any], base: Any, path: str = "") -> Iterator[str]:
    """Yield the keys that a chart's own values do not have; below an empty mapping, any may be."""
    for key, value in own.items():
        if not isinstance(base, Mapping) or key not in base:
            yield f"{path}{key}"
        elif isinstance(value, Mapping) and base[key]:
            yield from unknown(value, base[key], f"{path}{key}.")


def test_the_guides_have_values() -> None:
    assert len(FOUND) == 8


@pytest.mark.parametrize(("name", "snippet"), snippets())
def test_values_of_a_guide_are_those_of_the_chart(name: str, snippet: str) -> None:
    base = documents.read_mapping(DATA / "upstream" / "applications" / name / "values.yaml")
    # The chart that these depend on is not in the data.
    elsewhere = ("argo-cd.", "cadc-tap.")
    assert [key for key in unknown(yaml.safe_load(snippet), base) if not key.startswith(elsewhere)] == []


@pytest.mark.parametrize(("name", "snippet"), snippets("gafaelfawr"))
def test_each_sign_in_is_complete_and_needs_its_secret(root: Path, name: str, snippet: str) -> None:
    applications = load(root, name, snippet)
    gafaelfawr = applications[name]
    assert [*sign_in.contradictions(gafaelfawr), *sign_in.doubts(gafaelfawr)] == []
    plan = secrets.resolve(applications)
    static = {key.name for key, each in plan.items() if key.application == name and isinstance(each.origin, Static)}
    assert static == {f"{sign_in.provider(gafaelfawr)}-client-secret"}


def test_each_provider_has_a_snippet() -> None:
    sections = {key for _, name, text in FOUND if name == "gafaelfawr" for key in yaml.safe_load(text)["config"]}
    assert sections >= {*sign_in.PROVIDERS}


@pytest.mark.parametrize(("name", "snippet"), snippets("nublado"))
def test_the_labs_are_consistent(root: Path, name: str, snippet: str) -> None:
    lab = yaml.safe_load((root / "applications" / name / "values-mysite.yaml").read_text())["controller"]["config"][
        "lab"
    ]
    values = yaml.safe_load(snippet)
    values["controller"]["config"]["lab"] |= {key: lab[key] for key in ("volumes", "volumeMounts")}
    nublado = load(root, name, yaml.safe_dump(values))[name]
    assert [*labs.contradictions(nublado), *labs.doubts(nublado)] == []


@pytest.mark.parametrize(("name", "snippet"), snippets("portal", "ssotap", "tap"))
def test_tap_services_have_databases_and_are_served(root: Path, name: str, snippet: str) -> None:
    problems = tap_services.doubts(root, load(root, name, snippet))
    assert [problem for problem in problems if f"/{name}/" in problem] == []
