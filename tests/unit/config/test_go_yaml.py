"""The values are those that `pulumi config --json` of release 3.274 shows for the same YAML."""

import pytest
import yaml

from config.go_yaml import Loader


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("TRUE", True),
        ("False", False),
        ("~", None),
        ("Null", None),
        ("", None),
        ("010", 8),
        ("0o10", 8),
        ("08", 8),
        ("0x1F", 31),
        ("0b11", 3),
        ("1_000", 1000),
        ("-0", 0),
        ("1:30", "1:30"),
        ("1e3", 1000),
        ("1.0", 1),
        ("1.", 1),
        (".5", 0.5),
        ("1e999", "1e999"),
        ("123456789012345678901234567890", 1.2345678901234568e29),
        ("9" * 5000, "9" * 5000),
        (".inf2", ".inf2"),
        ("=", "="),
        ("2024-01-01", "2024-01-01 00:00:00 +0000 UTC"),
        ("2024-01-01T10:00:00+01:00", "2024-01-01 10:00:00 +0100 +0100"),
        ("2024-01-01 10:00:00.50", "2024-01-01 10:00:00.5 +0000 UTC"),
        ("2024-13-01", "2024-13-01"),
        ("'2024-01-01'", "2024-01-01"),
        ("!!str 5", "5"),
        ("'5'", "5"),
        ("10.20.0.10", "10.20.0.10"),
        ("v1.36.3", "v1.36.3"),
    ],
)
def test_scalars_have_the_types_of_pulumi(text: str, value: object) -> None:
    (found,) = yaml.load(f"- {text}", Loader)  # noqa: S506  # a safe loader
    assert found == value
    assert type(found) is type(value)


def test_keys_are_text_and_mappings_are_merged() -> None:
    document = "{1: one, 1.5: x, true: y, null: z, base: &b {x: 1, y: 2}, m: {<<: *b, x: 3}}"
    assert yaml.load(document, Loader) == {  # noqa: S506  # a safe loader
        "1": "one",
        "1.5": "x",
        "true": "y",
        "<nil>": "z",
        "base": {"x": 1, "y": 2},
        "m": {"x": 3, "y": 2},
    }


@pytest.mark.parametrize(
    "text", ["!!binary aGVsbG8=", "!!set {a}", "!custom x", "{[a]: 1}", "!!python/name:os.system x"]
)
def test_other_types_are_refused(text: str) -> None:
    with pytest.raises(yaml.constructor.ConstructorError):
        yaml.load(text, Loader)  # noqa: S506  # a safe loader
