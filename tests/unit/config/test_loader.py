import json
from pathlib import Path

import pulumi
import pytest
import yaml

from config import schema
from config.loader import SEALED, ConfigError, load, load_file
from config.stack_config import StackConfig
from config.stack_file import StackFile
from config.vault_stack import VaultStackConfig
from tests.stack_config import as_texts
from tests.unit.recording import ProgramRunner
from tests.unit.sample import environment, environment_data, write_stack

ROOT = Path(schema.__file__).parents[1]
PROJECT_FILES: dict[Path, type[StackFile]] = {
    ROOT / "Pulumi.yaml": StackConfig,
    ROOT / "vault/Pulumi.yaml": VaultStackConfig,
}


def load_in_program(run_program: ProgramRunner, config: dict[str, str]) -> StackConfig:
    loaded: list[StackConfig] = []
    run_program.having(config=config)(lambda: loaded.append(load(pulumi.Config(), StackConfig)))
    return loaded[0]


def test_reads_pulumi_configuration(run_program: ProgramRunner) -> None:
    config = as_texts(environment_data(protect=False), "rsp")
    assert load_in_program(run_program, config) == environment(protect=False)


def test_other_namespaces_are_not_ours(run_program: ProgramRunner) -> None:
    config = {**as_texts(environment_data(), "rsp"), "pulumi:disable-default-providers": '["*"]'}
    assert load_in_program(run_program, config) == environment()


def test_a_misspelt_section_is_found(run_program: ProgramRunner) -> None:
    config = {**as_texts(environment_data(), "rsp"), "rsp:clutser": "{}"}
    with pytest.raises(
        ConfigError, match=r"^Pulumi\.test\.yaml: rsp:clutser is not a known key; did you mean `clusters`"
    ):
        load_in_program(run_program, config)


def test_a_file_reads_like_the_configuration(tmp_path: Path) -> None:
    assert load_file(write_stack(tmp_path / "Pulumi.x.yaml"), StackConfig) == environment()


def test_a_file_keeps_its_secrets_sealed(tmp_path: Path) -> None:
    file = write_stack(
        tmp_path / "Pulumi.x.yaml",
        objectStore__kind="s3",
        objectStore__accessKey="AKIA",
        objectStore__secretKey={"secure": "v1:abc:def"},
    )
    store = load_file(file, StackConfig).object_store
    assert store.kind == "s3"
    assert store.access_key.get_secret_value() == "AKIA"
    assert store.secret_key.get_secret_value() == SEALED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config: [", "Pulumi.x.yaml:2: not valid YAML: did not find expected node content"),
        ("", "Pulumi.x.yaml: rsp:cloud is missing"),
    ],
)
def test_an_unreadable_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "Pulumi.x.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message.replace(".", r"\.")):
        load_file(path, StackConfig)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Pulumi\.none\.yaml: no such file: is the stack's name right\?"):
        load_file(tmp_path / "Pulumi.none.yaml", StackConfig)


def test_a_file_of_the_other_project_has_none_of_its_keys(tmp_path: Path) -> None:
    path = write_stack(tmp_path / "Pulumi.x.yaml")
    with pytest.raises(ConfigError, match=r"Pulumi\.x\.yaml: rsp-vault:host is missing\. Expected: DNS name"):
        load_file(path, VaultStackConfig)


@pytest.mark.parametrize("path", schema.MODELS, ids=lambda path: path.name)
def test_the_committed_schemas_are_those_of_the_models(path: Path) -> None:
    assert path.read_text() == schema.render(schema.MODELS[path]), "run `python -m config.schema`"


@pytest.mark.parametrize("path", PROJECT_FILES, ids=lambda path: path.parent.name)
def test_a_project_file_declares_every_section(path: Path) -> None:
    project, model = yaml.safe_load(path.read_text()), PROJECT_FILES[path]
    assert project["name"] == model.project
    declared = project["config"]
    own = {key: entry for key, entry in declared.items() if ":" not in key}
    fields = {field.alias: field for field in model.model_fields.values()}
    # Pulumi has no type of a text that may be absent.
    assert own.keys() == fields.keys() - {"activeCluster"}
    assert {key for key, entry in own.items() if "default" not in entry} == {
        alias for alias, field in fields.items() if field.is_required()
    }


@pytest.mark.parametrize("model", schema.MODELS.values())
def test_every_field_is_described(model: type[StackFile]) -> None:
    definitions = model.model_json_schema()["$defs"]
    undescribed = [
        f"{model}.{name}"
        for model, definition in definitions.items()
        for name, field in definition.get("properties", {}).items()
        if not field.get("description")
    ]
    assert undescribed == []


def test_the_schema_lets_secrets_be_encrypted_and_nothing_else() -> None:
    definitions = schema.build(StackConfig)["$defs"]
    store = definitions["ExistingStore"]["properties"]
    assert {"$ref": "#/$defs/Secure"} in store["secretKey"]["anyOf"]
    assert "Secure" not in json.dumps(store["bucket"])


def test_the_schema_knows_our_keys_by_their_full_name() -> None:
    assert "rsp-vault:host" in schema.build(VaultStackConfig)["properties"]["config"]["required"]
    config = schema.build(StackConfig)["properties"]["config"]
    assert "rsp:network" in config["properties"]
    assert "rsp:network" in config["required"]
    assert "rsp:ingress" not in config["required"]
