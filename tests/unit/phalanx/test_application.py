from pathlib import Path
from typing import Any

import pytest

from phalanx import application
from phalanx.environment import Environment
from phalanx.errors import PhalanxError
from tests.unit.phalanx.repository import SETTINGS, copied, generated, static, write


def test_values_of_the_environment_override_those_of_the_application(tmp_path: Path) -> None:
    write(
        tmp_path / "applications/tap",
        {
            "values.yaml": {"config": {"gcsBucketType": "GCS", "backend": "qserv"}},
            "values-test.yaml": {"config": {"gcsBucketType": "S3"}},
            "values-other.yaml": {"config": {"backend": "pg"}},
        },
    )
    assert application.load(tmp_path, "test", "tap").values == {"config": {"gcsBucketType": "S3", "backend": "qserv"}}


def test_dates_and_a_single_equals_sign_are_text_as_in_helm(tmp_path: Path) -> None:
    write(tmp_path / "applications/tap", {"values.yaml": "since: 2024-02-29\noperator: =\n"})
    assert application.load(tmp_path, "test", "tap").values == {"since": "2024-02-29", "operator": "="}


def test_an_application_may_have_no_files(tmp_path: Path) -> None:
    (tmp_path / "applications/repertoire").mkdir(parents=True)
    loaded = application.load(tmp_path, "test", "repertoire")
    assert (loaded.values, loaded.secrets) == ({}, {})


def test_a_definition_of_the_environment_replaces_the_whole_definition(tmp_path: Path) -> None:
    write(
        tmp_path / "applications/nublado",
        {
            "secrets.yaml": {
                "admin.password": static(generate={"type": "password"}, onepassword={"encoded": True}),
                "kept": static(),
            },
            "secrets-test.yaml": {"admin.password": static(description="Ours"), "added": static()},
            "secrets-other.yaml": {"kept": static(value="other")},
        },
    )
    secrets = application.load(tmp_path, "test", "nublado").secrets
    assert set(secrets) == {"admin.password", "kept", "added"}
    replaced = secrets["admin.password"]
    assert (replaced.description, replaced.generate, replaced.onepassword.encoded) == ("Ours", None, False)
    assert secrets["kept"].value is None


def test_an_enabled_application_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    environment = Environment.model_validate(SETTINGS | {"applications": {"tap": True, "sia": True, "mobu": False}})
    with pytest.raises(PhalanxError) as caught:
        application.load_enabled(tmp_path, environment)
    assert caught.value.problems == tuple(
        f"environments/values-test.yaml: applications.{name}: is true, but the Phalanx repository has no directory "
        f"applications/{name}"
        for name in ("sia", "tap")
    )


KNOWN = "password, gafaelfawr-token, fernet-key, rsa-private-key, bcrypt-password-hash, mtime, oidc-clients"


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        (generated("uuid"), f"generate.type: unknown generator 'uuid', expected one of {KNOWN}"),
        (generated("mtime"), "generate: mtime requires a source"),
        (generated("bcrypt-password-hash"), "generate: bcrypt-password-hash requires a source"),
        (generated("password", source="other"), "generate: password does not allow a source"),
        ({"generate": {"type": "password"}}, "description is required"),
        ({}, "description is required"),
        (None, "must be a mapping (`key: value`)"),
        (static(if_="config"), "if_: is not a known key"),
        (static(copy={"application": "a", "key": "k", "path": "p"}), "copy.path: is not a known key"),
        (static(copy={"key": "k"}), "copy.application: is missing"),
        (static(onepassword={"base64": True}), "onepassword.base64: is not a known key"),
        (
            static(value="hunter2", generate={"type": "password"}),
            "value cannot be combined with an unconditional copy or generate",
        ),
        (
            static(**copied("a", "k"), generate={"type": "password"}),
            "copy and generate are mutually exclusive",
        ),
        (static(value=["hunter2"]), "value: must be text: put it in quotes"),
    ],
)
def test_an_invalid_definition_is_reported_with_its_file_and_key(tmp_path: Path, definition: Any, problem: str) -> None:
    write(tmp_path / "applications/tap", {"secrets.yaml": {"a.key": definition}})
    with pytest.raises(PhalanxError) as caught:
        application.load(tmp_path, "test", "tap")
    assert f"applications/tap/secrets.yaml: a.key: {problem}" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_all_invalid_definitions_are_reported_together_with_their_files(tmp_path: Path) -> None:
    write(
        tmp_path / "applications/tap",
        {
            "secrets.yaml": {"one": {}, "two": static(), "three": static()},
            "secrets-test.yaml": {"two": {}, "four": {}},
        },
    )
    with pytest.raises(PhalanxError) as caught:
        application.load(tmp_path, "test", "tap")
    assert [problem.partition(": description")[0] for problem in caught.value.problems] == [
        "applications/tap/secrets.yaml: one",
        "applications/tap/secrets-test.yaml: two",
        "applications/tap/secrets-test.yaml: four",
    ]


def test_a_key_that_yaml_does_not_read_as_text_is_reported(tmp_path: Path) -> None:
    write(tmp_path / "applications/tap", {"secrets.yaml": "on:\n  description: A switch\n"})
    with pytest.raises(PhalanxError, match="True: YAML reads this key as a boolean, expected text: put it in quotes"):
        application.load(tmp_path, "test", "tap")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1\nb: 2\n", r"secrets\.yaml:2: not valid YAML: did not find expected"),
        ("- a\n- b\n", r"secrets\.yaml: expected a mapping \(`key: value`\), found a list"),
        ("a: *hunter2\n", r"secrets\.yaml:1: not valid YAML: a value must be quoted$"),
        ("a: !hunter2 b\n", r"secrets\.yaml:1: not valid YAML: a value must be quoted$"),
        ("a: \x07\n", r"secrets\.yaml: not valid YAML: contains a non-printable character$"),
    ],
)
def test_a_malformed_file_is_reported_with_the_line(tmp_path: Path, text: str, problem: str) -> None:
    write(tmp_path / "applications/tap", {"secrets.yaml": text})
    with pytest.raises(PhalanxError, match=problem):
        application.load(tmp_path, "test", "tap")


def test_an_unconditional_copy_needs_no_description(tmp_path: Path) -> None:
    write(tmp_path / "applications/tap", {"secrets.yaml": {"alone": copied("mobu", "hook")}})
    assert application.load(tmp_path, "test", "tap").secrets["alone"].description is None
