"""Whatever a stack's file contains, it is loaded or refused within a second, and each message names a key."""

import copy
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from config.loader import ConfigError, load_checked, load_file, parse
from config.stack_config import StackConfig
from config.stack_file import StackFile
from config.vault_stack import VaultStackConfig
from tests.unit.sample import environment_data, vault_stack_data

ROOT = Path(__file__).parents[3]
PLANTED = "planted-5f1c9d"

FULL = environment_data(
    vault={"address": "https://v.example.org", "approle": {"path": "approle"}, "rotation": {"gafaelfawr": "1"}},
    secrets={
        "file": "secrets.yaml",
        "applications": {"argocd": {"key": PLANTED}},
        "registries": {"ghcr.io": {"username": "robot", "password": PLANTED}},
        "oidcClients": {"one": {"id": "one", "secret": PLANTED, "returnUri": "https://one.example.org"}},
    },
    tls={
        "kind": "letsencrypt",
        "email": "a@example.org",
        "challenge": {
            "kind": "designate",
            "zone": "example.org",
            "credential": {"id": "one", "secret": PLANTED},
        },
    },
    clusters__cluster__labels={"etcd_volume_size": "10"},
    clusters__cluster__bootVolume={"size": 10, "type": "ceph-hdd"},
    network__adopt={"network": "a", "subnet": "b"},
    phalanx__credentials={"kind": "https", "username": "robot", "token": PLANTED},
)
"""The sample with all sections and with secrets."""

STARTS: tuple[tuple[type[StackFile], dict[str, Any]], ...] = (
    (StackConfig, FULL),
    (VaultStackConfig, vault_stack_data()),
    (VaultStackConfig, vault_stack_data(server__tls={"kind": "acme", "email": "a@example.org"})),
)

ODD_TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        [
            *(
                "",
                " ",
                "\0",
                "\n",
                "a b",
                "é",
                "\ud800",
                "\u202e",
                "a" * 5000,
                "../..",
                "*",
                "+",
                "~",
                "{}",
                "[]",
                "null",
            ),
            *("true", "8", "0.0.0.7", "10.0.0.0/8", "999.1.1.1", "::1", "https://", "https://[", "http://x:y@z", "//"),
            *(
                "https://a.example.org:99999",
                "https://a.example.org/$(reboot)",
                "'; reboot; '",
                '"',
                "ext::sh -c reboot",
            ),
            *(
                "a@b",
                "a@example.org\n",
                "-----BEGIN CERTIFICATE----- x -----END CERTIFICATE-----",
                "v1.2.3",
                "2024-01-01",
            ),
        ]
    ),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**31, 2**63, 2**64, 10**400, -1, 0]),
    st.floats(),
    ODD_TEXT,
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD_TEXT, inner, max_size=3), max_leaves=6
)


def paths(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above, *(path for key, each in children for path in paths(each, (*above, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[type[StackFile], dict[str, Any]]:
    """A configuration with up to three values replaced, removed, or with an additional key."""
    model, start = draw(st.sampled_from(STARTS))
    data = copy.deepcopy(start)
    for _ in range(draw(st.integers(1, 3))):
        *above, last = draw(st.sampled_from(paths(data)[1:]))
        container: Any = data
        for key in above:
            container = container[key]
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "remove" if isinstance(container, dict):
                del container[last]
            case "add" if isinstance(container, dict):
                container[draw(ODD_TEXT)] = draw(VALUES)
            case _:
                container[last] = draw(VALUES)
        assume(len(paths(data)) > 1)
    return model, data


def assert_ruled(model: type[StackFile], read: Any, place: str = "") -> None:
    """Assert that a configuration is loaded, or that each message names a key.

    Args:
        model: Model of the configuration.
        read: Reads the configuration.
        place: What else than a key a message may name after the file.
    """
    began = time.process_time()
    try:
        read()
    except ConfigError as error:
        for line in str(error).split("\n"):
            assert re.match(rf"Pulumi\.x\.yaml({place or f': {model.project}:.'})", line), line
            assert line.isprintable()
            assert PLANTED not in line
            assert "planted-" not in line
            assert len(line) < 1500
    assert time.process_time() - began < 10


RARE = settings(max_examples=3 * settings().max_examples, suppress_health_check=[HealthCheck.too_slow])
"""More examples than of other properties, as few of them are rare ones."""


@RARE
@given(mutated())
def test_any_change_of_a_valid_configuration_is_loaded_or_refused(
    change: tuple[type[StackFile], dict[str, Any]],
) -> None:
    model, data = change
    assert_ruled(model, lambda: parse(data, "Pulumi.x.yaml", model))


@RARE
@given(st.sampled_from(STARTS), st.dictionaries(ODD_TEXT, VALUES, max_size=4))
def test_any_values_are_loaded_or_refused(start: tuple[type[StackFile], Any], values: dict[str, Any]) -> None:
    model, _ = start
    assert_ruled(model, lambda: parse(values, "Pulumi.x.yaml", model))


@settings(RARE, max_examples=RARE.max_examples // 2)
@given(change=mutated())
def test_any_change_of_a_file_is_loaded_or_refused(
    change: tuple[type[StackFile], dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    model, data = change
    # JSON is YAML, and has what YAML's own dumper refuses.
    text = json.dumps({"config": {f"{model.project}:{key}": value for key, value in data.items()}})
    file = tmp_path_factory.getbasetemp() / "Pulumi.x.yaml"
    file.write_text(text)
    assert_ruled(model, lambda: load_file(file, model), rf": {model.project}:.|:\d+: not valid YAML: ")


FILES: dict[Path, type[StackFile]] = {
    ROOT / "Pulumi.example.yaml": StackConfig,
    ROOT / "Pulumi.roe.yaml": StackConfig,
    ROOT / "Pulumi.sandbox.yaml": StackConfig,
    ROOT / "Pulumi.ukidacprod.yaml": StackConfig,
    ROOT / "vault/Pulumi.sandbox.yaml": VaultStackConfig,
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_the_stacks_of_the_repository_are_loaded(file: Path) -> None:
    config, plain_secrets = load_checked(file, FILES[file])
    assert config.model_dump()["protect"]
    assert plain_secrets == []


@settings(RARE, max_examples=RARE.max_examples // 2)
@given(file=st.sampled_from(sorted(FILES)), data=st.data())
def test_any_damage_to_a_stack_of_the_repository_is_loaded_or_refused(
    file: Path, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = file.read_text().splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] = data.draw(st.text(st.sampled_from("{}[],:-?!&*<#|>'\" \tab1.~%@`\\"), max_size=20)) + lines[at]
    damaged = tmp_path_factory.getbasetemp() / "Pulumi.x.yaml"
    damaged.write_text("\n".join(lines))
    assert_ruled(FILES[file], lambda: load_file(damaged, FILES[file]), r"(:\d+)?: \S")


def test_the_full_sample_is_valid() -> None:
    for model, data in STARTS:
        parse(data, "Pulumi.x.yaml", model)
    assert yaml.safe_load(yaml.safe_dump(FULL)) == FULL


@pytest.mark.parametrize("model", [StackConfig, VaultStackConfig])
def test_no_kind_is_named_like_a_key_beside_it(model: type[StackFile]) -> None:
    # pydantic reports both alike, and the message of a secret's error could then quote it.
    keys = {name: each.get("properties", {}) for name, each in model.model_json_schema()["$defs"].items()}
    kinds = {name: each["kind"]["const"] for name, each in keys.items() if "const" in each.get("kind", {})}
    assert kinds
    assert [name for name, kind in kinds.items() if kind in keys[name]] == []
