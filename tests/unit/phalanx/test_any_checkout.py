"""Whatever the files of a checkout contain: it is loaded, or every problem names its file, and soon."""

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phalanx import application, chart_checks, charts, environment, lint, secrets
from phalanx.errors import PhalanxError
from tests.unit.phalanx.repository import SETTINGS, static, write
from tests.unit.sample import environment as stack_config
from wiring import requirements

NAMES = ("argocd", "ingress-nginx", "nublado", "tap", "vault-secrets-operator")
VALID: dict[str, Any] = {
    "environments/values.yaml": SETTINGS | {"applications": dict.fromkeys(NAMES, True), "revisions": {}},
    "environments/values-test.yaml": {"name": "test", "vaultPathPrefix": "secret/phalanx/test"},
    "applications/nublado/values.yaml": {
        "controller": {"config": {"lab": {"volumes": [{"source": {"type": "nfs", "serverPath": "/data"}}]}}}
    },
    "applications/nublado/values-test.yaml": {},
    "applications/tap/secrets.yaml": {"a": static(), "b": {"copy": {"application": "tap", "key": "a"}}},
    "applications/tap/secrets-test.yaml": {"c": static(generate={"type": "password"})},
    "applications/tap/Chart.yaml": {"dependencies": [{"name": "a", "repository": "file://../../charts/a"}]},
    "applications/tap/Chart.lock": {"dependencies": [], "digest": "sha256:0"},
    "applications/tap/values.yaml": {"config": {"url": "https://example.org"}},
    "applications/tap/values-test.yaml": {"config": {"url": ""}, "a": {"b": 1}},
    "applications/tap/templates/a.yaml": "{{ .Values.config.url }}",
    "applications/ingress-nginx/values.yaml": {"ingress-nginx": {"controller": {"config": {"a": "b"}}}},
    "applications/argocd/values.yaml": {},
    "applications/vault-secrets-operator/values.yaml": {},
    "charts/a/Chart.yaml": {"name": "a"},
    "charts/a/values.yaml": {"b": 0},
    "charts/a/templates/b.yaml": "{{ .Values.b }}",
}
"""Files of a checkout without problems."""

PROBLEM = re.compile(
    r"(environments|applications/[a-z-]+|charts/[a-z-]+)/(values|secrets|Chart)[a-z-]*\.(yaml|lock)(:|$)"
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.sampled_from(["", "a.b", "../x", "/data/../etc", "https://u:hunter2@h", "-x", "nfs", "test", "main", "\u00e9"]),
    st.text(max_size=20),
)
keys = st.one_of(
    st.sampled_from([*NAMES, *SETTINGS, "revisions", "controller", "config", "lab", "volumes", "source", "type"]),
    st.sampled_from(
        ["serverPath", "copy", "generate", "if", "value", "description", "application", "key", "name", "<<"]
    ),
    st.sampled_from(["dependencies", "repository", "version", "alias"]),
    scalars,
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=8,
)
TEXTS = st.one_of(
    st.binary(max_size=60),
    st.text(st.sampled_from("{}[],:-?!&*<#|>'\" \nab1.~%@`\t\\"), max_size=60).map(str.encode),
    st.sampled_from(
        [
            b"a: &a [*a]",
            b"[" * 5000,
            b"a: 1\na: 2",
            b"\xff",
            b"a: !!int x",
            b"- " * 3000,
            b"a: {<<: 1}",
            b"- a",
            b"5",
            b"",
        ]
    ),
)


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    """Draw files of the checkout that have other values at some of their keys, or another content."""
    names = draw(st.lists(st.sampled_from(sorted(VALID)), min_size=1, max_size=3, unique=True))
    return {name: draw(TEXTS if draw(st.booleans()) else changed(VALID[name])) for name in names}


def changed(content: Any) -> st.SearchStrategy[Any]:
    """Generate a content with one value, at any depth, replaced or added."""
    if isinstance(content, dict):
        inside = [st.tuples(st.just(key), changed(value)) for key, value in sorted(content.items())]
        entries = st.one_of(st.tuples(keys, values), *inside)
        return values | entries.map(lambda entry: {**content, entry[0]: entry[1]})
    if isinstance(content, list):
        return values | st.tuples(*map(changed, content)).map(list)
    return values


def load(root: Path) -> None:
    found = environment.load(root, "test")
    applications = application.load_enabled(root, found)
    warnings = lint.check(root, found, applications)
    for problems in (warnings, requirements.checker(stack_config())(found, applications)):
        if problems:
            raise PhalanxError(*problems)
    secrets.resolve(applications)
    for name in found.enabled_applications:
        if (root / "applications" / name / "Chart.yaml").exists():
            list(charts.chart_directories(root, root / "applications" / name))  # what needs no Helm
            list(chart_checks.problems(root, name, ()))


def test_the_valid_checkout_is_loaded(tmp_path: Path) -> None:
    load(write(tmp_path, VALID))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkout without problems, of which each example changes some files, and restores them."""
    return write(tmp_path_factory.mktemp("checkout"), VALID)


@settings(max_examples=3 * settings().max_examples)
@given(files=changes())
def test_any_checkout_is_loaded_or_every_problem_names_its_file(checkout: Path, files: dict[str, Any]) -> None:
    for name, content in files.items():
        if isinstance(content, bytes):
            (checkout / name).write_bytes(content)
        else:
            write(checkout, {name: content})
    problems: Sequence[str] = ()
    began = time.process_time()
    try:
        load(checkout)
    except PhalanxError as error:
        problems = error.problems
    finally:
        write(checkout, {name: VALID[name] for name in files})
    assert time.process_time() - began < 10
    for problem in problems:
        assert PROBLEM.match(problem), problem
        assert str(checkout) not in problem
        assert "hunter2" not in problem
