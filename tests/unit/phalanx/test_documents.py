import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phalanx.documents import MAX_BYTES, parse, parse_mapping, read_mapping
from phalanx.errors import PhalanxError
from phalanx.yaml_structure import MAX_DEPTH, MAX_VALUES

LEVELS = range(1, 30)
ALIASES = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in LEVELS)
MERGES = "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in LEVELS)


def problems(text: str | bytes) -> list[str]:
    began = time.process_time()
    with pytest.raises(PhalanxError) as caught:
        parse_mapping(text, "values.yaml")
    assert time.process_time() - began < 10
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (ALIASES, f":6: has too many values: expected at most {MAX_VALUES}, with aliases expanded"),
        (MERGES, f":6: has too many values: expected at most {MAX_VALUES}, with aliases expanded"),
        ("a: &a [*a]", ":1: an alias refers to the value that contains it: remove it"),
        ("a: &a\n  b: {c: *a}", ":2: an alias refers to the value that contains it: remove it"),
        ("a: &a {<<: *a}", ":1: an alias refers to the value that contains it: remove it"),
        ("[" * 200_000, f":1: is nested too deep: expected at most {MAX_DEPTH} levels"),
        ("- " * 100_000, f":1: is nested too deep: expected at most {MAX_DEPTH} levels"),
        ("{a: " * 100_000, f":1: is nested too deep: expected at most {MAX_DEPTH} levels"),
        ("? " * 100_000, f":1: is nested too deep: expected at most {MAX_DEPTH} levels"),
        (f"a: &a {'[' * 40}{']' * 40}\nb: {'[' * 40}*a{']' * 40}", ":2: is nested too deep"),
        (b"a: 1\nb: \xff\n", ":2: is not UTF-8 text: save the file as UTF-8"),
        ("a: 1".encode("utf-16"), ":1: is not UTF-8 text: save the file as UTF-8"),
        (b"#" * (MAX_BYTES + 1), ": has more than 4 MiB: expected a YAML file"),
        ("a: \0", ": not valid YAML: contains a non-printable character"),
        ("a: 1\n---\nb: 2\n", ":2: not valid YAML: a second document (---) follows: expected one"),
        ("? [a]\n: 1", ":1: not valid YAML: a key must be text"),
        ("a: !!int hunter2", ":1: not valid YAML: a value must be quoted"),
        ("a: !!bool hunter2", ":1: not valid YAML: a value must be quoted"),
        ("a: !!float hunter2", ":1: not valid YAML: a value must be quoted"),
        ("a: !!int", ":1: not valid YAML: a value must be quoted"),
        ("a: 0x_", ":1: not valid YAML: a value must be quoted"),
        (f"a: {'9' * 5000}", ":1: not valid YAML: a value must be quoted"),
        ("a: !!binary hunter2", ":1: not valid YAML: a value must be quoted"),
        ("a: !!python/object:os.system hunter2", ":1: not valid YAML: a value must be quoted"),
        ("a: !hunter2 x", ":1: not valid YAML: a value must be quoted"),
        ("a: *hunter2", ":1: not valid YAML: a value must be quoted"),
        ("a: [hunter2", ":2: not valid YAML: did not find expected"),
        ("a: hunter2: x", ":1: not valid YAML: mapping values are not allowed"),
        ("%YAML 9.0\n---\na: 1", ":1: not valid YAML: found incompatible YAML document"),
        ("5", ": expected a mapping (`key: value`), found a number"),
        ("hunter2", ": expected a mapping (`key: value`), found text"),
        ("true", ": expected a mapping (`key: value`), found a boolean"),
    ],
)
def test_a_malformed_document_is_reported_at_once_without_its_values(text: str | bytes, problem: str) -> None:
    (found,) = problems(text)
    assert found.startswith(f"values.yaml{problem}")
    assert "hunter2" not in found


def test_all_repeated_keys_are_reported_with_their_lines() -> None:
    text = "a: 1\nb: {c: 1, c: 2}\nlist:\n- d: 1\n  'd': 2\na: 2\n1: x\n'1': y\nof hunter2: 1\nof hunter2: 2"
    assert problems(text) == [
        "values.yaml:2: repeats the key c of line 2: remove one of them",
        "values.yaml:5: repeats the key d of line 4: remove one of them",
        "values.yaml:6: repeats the key a of line 1: remove one of them",
        "values.yaml:8: repeats the key 1 of line 7: remove one of them",
        "values.yaml:10: repeats the key of line 9: remove one of them",
    ]


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ("", {}),
        ("# nothing\n", {}),
        ("\ufeffa: 1", {"a": 1}),
        ("a: {x: 1}\nb: {x: 1}", {"a": {"x": 1}, "b": {"x": 1}}),
        ("a: [a, a]\nb: a", {"a": ["a", "a"], "b": "a"}),
        ("a: &a {x: 1}\nb: {<<: *a, x: 2}\nc: *a", {"a": {"x": 1}, "b": {"x": 2}, "c": {"x": 1}}),
        # Phalanx's own files repeat the merge key.
        ("a: &a {x: 1}\nb: &b {y: 2}\nc: {<<: *a, <<: *b}", {"a": {"x": 1}, "b": {"y": 2}, "c": {"x": 1, "y": 2}}),
        ("a: &a x\nb: *a", {"a": "x", "b": "x"}),
    ],
)
def test_other_documents_are_read(text: str, content: Any) -> None:
    assert parse_mapping(text.encode(), "values.yaml") == content


def test_as_much_as_the_limits_allow_is_read_in_a_second_of_cpu_time() -> None:
    began = time.process_time()
    assert len(parse_mapping(f"a: [{'x,' * (MAX_VALUES - 4)}]", "values.yaml")["a"]) == MAX_VALUES - 4
    parse_mapping(f"a: {'[' * (MAX_DEPTH - 1)}{']' * (MAX_DEPTH - 1)}", "values.yaml")
    assert time.process_time() - began < 10


def test_files_of_a_checkout_are_named_relative_to_it(tmp_path: Path) -> None:
    (tmp_path / "applications").mkdir()
    (tmp_path / "applications" / "values.yaml").write_text("a: 1\na: 2")
    with pytest.raises(PhalanxError, match=r"^applications/values\.yaml:2: repeats the key a"):
        read_mapping(tmp_path / "applications" / "values.yaml", tmp_path)
    with pytest.raises(PhalanxError, match=r"^applications/secrets\.yaml: cannot be read: No such file or directory$"):
        read_mapping(tmp_path / "applications" / "secrets.yaml", tmp_path)
    with pytest.raises(PhalanxError, match=r"^applications: cannot be read: Is a directory$"):
        read_mapping(tmp_path / "applications", tmp_path)


@pytest.mark.parametrize("path", ["/dev/zero", "a\0b"])
def test_a_path_that_is_no_file_is_reported_at_once(path: str) -> None:
    with pytest.raises(PhalanxError, match=r"has more than 4 MiB|cannot be read: its path is not valid"):
        read_mapping(Path(path))


@given(st.text(st.sampled_from("{}[],:-?!&*<#|>'\" \nab1.~%@`\t\\"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    _read_or_refuse(text)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    _read_or_refuse(content)


def _read_or_refuse(content: str | bytes) -> None:
    refused: Sequence[str] = ()
    try:
        parse(content, "values.yaml")
    except PhalanxError as error:
        refused = error.problems
    assert all(problem.startswith("values.yaml:") for problem in refused)
