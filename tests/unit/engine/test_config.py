"""The configuration is read as the Pulumi CLI reads it, and its faults are told by key."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from sandbox.engine import config, secrets
from sandbox.engine.errors import EngineError

PROJECT = {
    "name": "demo",
    "runtime": "python",
    "config": {
        "network": {"type": "object", "description": "The network"},
        "count": {"type": "integer", "default": 3},
        "protect": {"type": "boolean", "default": True},
        "password": {"type": "string", "secret": True},
        "pulumi:disable-default-providers": {"value": ["*"]},
    },
}


def write(root: Path, values: Mapping[str, object], **more: object) -> None:
    (root / "Pulumi.yaml").write_text(yaml.safe_dump(PROJECT))
    (root / "Pulumi.test.yaml").write_text(yaml.safe_dump({"config": values, **more}))


def test_values_are_texts_and_defaults_are_filled_in(tmp_path: Path) -> None:
    crypter = secrets.Crypter.new("correct horse")
    given = {
        "demo:network": {"cidr": "10.0.0.0/24", "key": {"secure": crypter.encrypt("hidden")}},
        "demo:password": {"secure": crypter.encrypt("hidden too")},
        "openstack:cloud": "rsp",
    }
    write(tmp_path, given, encryptionsalt=crypter.salt)
    loaded = config.load(tmp_path, "test")
    assert json.loads(loaded.values["demo:network"]) == {"cidr": "10.0.0.0/24", "key": "hidden"}
    assert loaded.values["demo:password"] == "hidden too"
    assert loaded.values["demo:count"] == "3"
    assert loaded.values["demo:protect"] == "true"
    assert loaded.secret_keys == {"demo:network", "demo:password"}
    assert loaded.of_package("openstack") == {"cloud": "rsp"}
    assert loaded.default_provider_disabled("openstack")


def test_every_faulty_key_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"demo:count": "three", "demo:protect": 1, "demo:password": "in plain text"})
    with pytest.raises(EngineError) as raised:
        config.load(tmp_path, "test")
    assert sorted(str(raised.value).splitlines()) == [
        "Pulumi.test.yaml: demo:count: expected integer, got str",
        "Pulumi.test.yaml: demo:network: missing object (The network)",
        (
            "Pulumi.test.yaml: demo:password: is declared a secret but stands in plain text: "
            "set it with `pulumi config set --secret`"
        ),
        "Pulumi.test.yaml: demo:protect: expected boolean, got int",
    ]


def test_missing_files_and_unknown_stacks_are_told(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"Pulumi\.yaml: cannot be read"):
        config.load(tmp_path, "test")
    write(tmp_path, {})
    with pytest.raises(EngineError, match=r"no stack 'other': .* there are test"):
        config.load(tmp_path, "other")
    (tmp_path / "Pulumi.test.yaml").write_text("config: [")
    with pytest.raises(EngineError, match="not valid YAML"):
        config.load(tmp_path, "test")


def test_secret_under_another_passphrase_is_told(tmp_path: Path) -> None:
    crypter = secrets.Crypter.new("another")
    given = {"demo:network": {}, "demo:password": {"secure": crypter.encrypt("x")}}
    write(tmp_path, given, encryptionsalt=crypter.salt)
    with pytest.raises(EngineError, match="incorrect passphrase"):
        config.load(tmp_path, "test")
