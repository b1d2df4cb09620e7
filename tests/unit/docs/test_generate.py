"""The generated references are complete, and the pages' links lead somewhere."""

from pathlib import Path

import pytest

from config.changes import keys
from config.cluster import Masters
from config.stack_config import StackConfig
from config.stack_file import StackFile
from config.vault_stack import VaultStackConfig
from docs import generate
from program import vault_outputs
from program.outputs import DESCRIPTIONS


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("docs")
    generate.write(directory)
    return directory


@pytest.mark.parametrize(
    ("name", "model", "some"),
    [
        (
            "configuration.md",
            StackConfig,
            {"rsp:protect", "rsp:nfs.volumes.NAME.rootSquash", "rsp:tls.challenge.credential.secret"},
        ),
        ("vault-configuration.md", VaultStackConfig, {"rsp-vault:host", "rsp-vault:server.seal.previousKey.id"}),
    ],
)
def test_every_configuration_key_has_a_row(site: Path, name: str, model: type[StackFile], some: set[str]) -> None:
    page = (site / "reference" / name).read_text()
    expected = {f"{model.project}:{key.path}" for key in keys(model)}
    assert some <= expected
    assert [key for key in sorted(expected) if f"| `{key}` |" not in page] == []


def test_a_row_has_type_default_and_description(site: Path) -> None:
    rows = (site / "reference/configuration.md").read_text().splitlines()
    masters = next(row for row in rows if row.startswith("| `rsp:clusters.NAME.masters.count` |"))
    description = Masters.model_fields["count"].description
    assert masters == f"| `rsp:clusters.NAME.masters.count` | integer, ≥ 1, ≤ 7 | `3` | refused | {description} |"
    assert [row for row in rows if row.startswith("| `rsp:") and row.replace("\\|", "").count("|") != 6] == []


def test_a_section_begins_with_what_its_model_says_and_repeats_nothing(site: Path) -> None:
    page = (site / "reference/configuration.md").read_text()
    assert "so\nthat they never enter the stack's state.\n\n| Key |" in page
    assert [section.splitlines()[0] for section in page.split("## ")[1:] if not section.splitlines()[2]] == []
    texts = [line for line in page.splitlines() if line and not line.startswith(("|", "#"))]
    assert [text for text in texts if f"| {text} |" in page] == []


def test_a_row_has_an_example_and_sections_have_no_default(site: Path) -> None:
    page = (site / "reference/configuration.md").read_text()
    assert "| Additional Magnum labels. For example `{etcd_volume_size: '10'}` |" in page
    assert "| `rsp:backups` | object | see below |" in page
    assert '| `rsp:dns` | object | `{"kind": "external"}` |' in page


def test_the_page_on_changes_of_keys_is_that_of_the_models() -> None:
    page = generate.changing_keys()
    assert generate.CHANGING_KEYS.read_text() == page, "run `make schema`"
    assert "| `rsp:nfs.flavor` | in place | resizes the VM, with a restart during which clients wait |" in page
    assert "| `rsp-vault:cloud.keypair` | replacement | the VM; the data remain" in page
    assert "| `rsp:backups.kind`<br>`rsp:backups.volumes`<br>" in page
    changed = [
        f"`{model.project}:{key.path}`"
        for model in (StackConfig, VaultStackConfig)
        for key in keys(model)
        if key.change and not key.section
    ]
    assert [key for key in changed if key not in page] == []


def test_every_output_has_a_row(site: Path) -> None:
    page = (site / "reference/outputs.md").read_text()
    assert [
        name
        for name, text in {**DESCRIPTIONS, **vault_outputs.DESCRIPTIONS}.items()
        if f"| `{name}` | {text} |" not in page
    ] == []


@pytest.mark.parametrize(
    "command",
    ["python -m operations preflight", "python -m operations secrets prune", "python -m sandbox cloud logs"],
)
def test_commands_have_a_heading(site: Path, command: str) -> None:
    assert f"# `{command}`\n" in (site / "reference/commands.md").read_text()


def test_every_component_is_referenced(site: Path) -> None:
    page = (site / "reference/components.md").read_text()
    assert {"::: components.network", "::: components.applications"} <= set(page.splitlines())
    assert "components.waiting" not in page


def test_links_of_copied_files_are_those_of_the_site(site: Path) -> None:
    home = (site / "index.md").read_text()
    assert "](howto/index.md)" in home
    assert "](sandbox.md)" in home
    assert "](docs/" not in home


def test_a_link_to_a_file_that_is_no_page_becomes_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    source = tmp_path / "README.md"
    source.write_text("[`the file`](Pulumi.roe.yaml), [Pulumi](https://www.pulumi.com), [below](#below)")
    assert generate.copied(source) == "`the file`, [Pulumi](https://www.pulumi.com), [below](#below)"
