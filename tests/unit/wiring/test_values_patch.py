import textwrap
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from phalanx.errors import PhalanxError
from phalanx.values import merge
from wiring.values_patch import changed, unified_diff

FILE = """\
# The platform's ingress
ingress-nginx:
    controller:  # four blanks
        kind: DaemonSet # per node
        service:
            loadBalancerIP: '192.0.2.1'  # see DNS

            annotations: {a: "b"}
        # the end of the controller

other:
- name: data
  source: {server: 192.0.2.1, type: nfs}
- name: home
empty:
text: |
  one
  two
"""


def test_values_are_replaced_in_their_style_and_all_else_is_kept() -> None:
    values = {
        "ingress-nginx": {"controller": {"kind": "Deployment", "service": {"loadBalancerIP": "203.0.113.7"}}},
        "other": [{"name": "data", "source": {"server": "10.0.0.1", "type": "nfs"}}, {"name": "home"}],
    }
    expected = (
        FILE.replace("DaemonSet", "Deployment").replace("'192.0.2.1'", "'203.0.113.7'").replace("192.0.2.1", "10.0.0.1")
    )
    assert changed(FILE, values, "values.yaml") == expected


def test_missing_values_are_added_at_the_end_of_their_mapping() -> None:
    values = {
        "ingress-nginx": {"controller": {"service": {"annotations": {"c": "true"}, "type": "NodePort"}, "replicas": 2}},
        "empty": {"a": "x"},
        "new": {"list": [{"a": "b c"}], "lines": "one\ntwo\n"},
    }
    found = changed(FILE, values, "values.yaml")
    expected = FILE.replace(
        '            annotations: {a: "b"}\n',
        '            annotations: {a: "b", "c": "true"}\n            type: NodePort\n        replicas: 2\n',
    ).replace("empty:\n", 'empty: {"a": "x"}\n')
    assert found == expected + 'new:\n  list:\n    - a: "b c"\n  lines: |\n    one\n    two\n'


def test_text_that_yaml_would_read_as_something_else_is_quoted() -> None:
    assert changed("a: no-quotes\n", {"a": "true", "b": "1"}, "f") == 'a: "true"\nb: "1"\n'
    assert changed("a: 1 # one", {"a": False}, "f") == "a: false # one"
    assert changed("# nothing", {"a": {"b": "1.2.3.4"}}, "f") == "# nothing\na:\n  b: 1.2.3.4\n"
    assert changed("", {"a": "x"}, "f") == "a: x\n"


@pytest.mark.parametrize(
    "text",
    [
        "a: &x {b: 1}\nc: *x\n",  # changes c, too
        "a: {<<: {b: 2}}\nd: &y 1\na2: *y\n",
        "a:\n- 1\n- 2\n",
        "a: text\n",
    ],
)
def test_what_cannot_be_changed_is_refused(text: str) -> None:
    values: dict[str, Any] = {"a": {"b": 3}, "a2": 4} if "a2" in text else {"a": {"b": 3}}
    with pytest.raises(PhalanxError, match=r"^values\.yaml: cannot be changed automatically, .*: set these values"):
        changed(text, values, "values.yaml")


KEYS = st.sampled_from(["a", "b", "c.d/e", "true"])
SCALARS = st.one_of(
    st.booleans(),
    st.integers(),
    st.sampled_from(["", "x", "true", "1.2.3.4", "a: b", "# no", "é", "'\"", "l\nm\n", " "]),
)
TREES: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    KEYS,
    st.recursive(SCALARS, lambda inner: st.one_of(st.dictionaries(KEYS, inner), st.lists(inner, max_size=2))),
)


@given(TREES, TREES, st.sampled_from([True, False, None]))
def test_the_result_has_the_values_or_the_change_is_refused(
    before: dict[str, Any], values: dict[str, Any], flow: bool | None
) -> None:
    text = yaml.safe_dump(before, default_flow_style=flow, allow_unicode=True)
    try:
        after = changed(f"# first\n{text}# last\n", values, "f")
    except PhalanxError:
        return
    assert yaml.safe_load(after) == merge(before, values)
    assert after.startswith("# first\n")
    assert "# last\n" in after


def test_a_diff_without_a_final_line_break_and_of_a_new_file() -> None:
    assert unified_diff("a: 1", "a: 2", "f") == textwrap.dedent(
        """\
        --- a/f
        +++ b/f
        @@ -1 +1 @@
        -a: 1
        \\ No newline at end of file
        +a: 2
        \\ No newline at end of file
        """
    )
    assert unified_diff(None, "a: 2\n", "f").startswith("--- /dev/null\n+++ b/f\n")
