"""A stack's file is read as Pulumi reads it, and what Pulumi would ignore is refused."""

import json
import re
import time
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from config import stack_document
from config.loader import ConfigError, load, load_checked, load_file
from config.stack_config import StackConfig
from tests.unit.recording import STACK, ProgramRunner
from tests.unit.sample import environment, environment_data, stack_text

FILE = f"Pulumi.{STACK}.yaml"


def problems(folder: Path, text: str | bytes) -> list[str]:
    """Return the problems of a file, which are found within a second."""
    file = folder / FILE
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    began = time.process_time()
    with pytest.raises(ConfigError) as caught:
        load_file(file, StackConfig)
    assert time.process_time() - began < 10
    lines = str(caught.value).splitlines()
    assert str(folder) not in str(caught.value)
    return lines


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"config:\n  rsp:cloud: \xff\n", f"{FILE}:2: is not UTF-8 text: save the file as UTF-8"),
        ("config: [a]", f"{FILE}: config must be a mapping with all keys, such as `config: {{rsp:cloud: ...}}`"),
        ("[config]", f"{FILE}: config must be a mapping with all keys, such as"),
    ],
)
def test_a_file_that_is_no_stack_file_is_refused_at_once(tmp_path: Path, text: str | bytes, problem: str) -> None:
    (line,) = problems(tmp_path, text)
    assert line.startswith(problem)


def test_repeated_keys_are_named_at_any_depth(tmp_path: Path) -> None:
    text = """\
config:
  rsp:network: {cidr: 10.20.0.0/24, cidr: 10.30.0.0/24}
  rsp:nfs:
    volumes:
      data: {size: 1}
      data:
        size: 1
        size: 2
  rsp:network: {}
config: {}
"""
    assert problems(tmp_path, text) == [
        f"{FILE}:2: repeats the key rsp:network.cidr of line 2: remove one of them",
        f"{FILE}:6: repeats the key rsp:nfs.volumes.data of line 5: remove one of them",
        f"{FILE}:8: repeats the key rsp:nfs.volumes.data.size of line 7: remove one of them",
        f"{FILE}:9: repeats the key rsp:network of line 2: remove one of them",
        f"{FILE}:10: repeats the key config of line 1: remove one of them",
    ]


def test_keys_that_nobody_reads_are_refused_with_the_nearest_key(tmp_path: Path) -> None:
    data = yaml.safe_load(stack_text())
    data["config"] |= {"rps:tls": {}, "x:y:zzz": 1, "ingress": {}, "openstack:cloud": "x", "pulumi:tags": {}}
    data["rsp:vault"] = {}
    assert problems(tmp_path, yaml.safe_dump(data)) == [
        f"{FILE}: rsp:vault is outside `config`, where it has no effect: move it there, with the prefix rsp:",
        f"{FILE}: ingress has no namespace; did you mean `rsp:ingress`?",
        f"{FILE}: openstack:cloud has another namespace than rsp, and no effect; did you mean `rsp:cloud`?",
        f"{FILE}: rps:tls has another namespace than rsp, and no effect; did you mean `rsp:tls`?",
        f"{FILE}: x:y:zzz has another namespace than rsp, and no effect; known here: {KNOWN}",
    ]


KNOWN = ", ".join(sorted(f"rsp:{each.alias}" for each in StackConfig.model_fields.values()))


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"secrets": {"secure": "v1:x:y"}}, "rsp:secrets"),
        ({"cloud__name": {"secure": "v1:x:y"}}, "rsp:cloud.name"),
        ({"nfs__volumes__data": {"secure": "v1:x:y"}}, "rsp:nfs.volumes.data"),
        ({"clusters__cluster__workers__count": {"secure": "v1:x:y"}}, "rsp:clusters.cluster.workers.count"),
    ],
)
def test_only_secrets_may_be_encrypted(tmp_path: Path, changes: dict[str, Any], key: str) -> None:
    (line,) = problems(tmp_path, stack_text(**changes))
    assert line.startswith(f"{FILE}: {key} is encrypted, but only secrets may be: write it in plain text")


def test_secrets_in_plain_text_are_worth_a_warning(tmp_path: Path) -> None:
    sealed, file = {"secure": "v1:x:y"}, tmp_path / FILE
    secrets = {
        "applications": {"argocd": {"dex.clientSecret": "planted", "other": sealed}},
        "registries": {"ghcr.io": {"username": "robot", "password": "planted"}},
    }
    file.write_text(stack_text(secrets=secrets))
    paths = [
        'rsp:secrets.applications.argocd["dex.clientSecret"]',
        'rsp:secrets.registries["ghcr.io"].password',
    ]
    assert load_checked(file, StackConfig)[1] == [
        f"{path} is a secret in plain text: encrypt it with `pulumi config set --secret --path '{path}'`"
        for path in paths
    ]
    assert load_file(file, StackConfig).secrets.registries.keys() == {"ghcr.io"}


@pytest.mark.parametrize(
    "text",
    [
        "config:\n" + "".join(f"  rsp:k{n}: 1\n" for n in range(9000)),
        "config:\n" + "".join(f"  k{n}: 1\n" for n in range(9000)),
        "config:\n  rsp:nfs:\n    volumes:\n" + "".join(f"      k{n}: {{secure: x}}\n" for n in range(2000)),
        "config:\n  rsp:network:\n" + "    a: 1\n" * 9000,
    ],
)
def test_thousands_of_problems_are_cut_off(tmp_path: Path, text: str) -> None:
    lines = problems(tmp_path, text)
    assert 100 <= len(lines) <= 101
    assert all(re.match(rf"{FILE}(:\d+)?: \S", line) for line in lines)


AS_PULUMI_DOES = {
    "defaults": "",
    "text for a boolean": 'rsp:protect: "false"',
    "a boolean of YAML 1.1": "rsp:protect: no",
    "a capital boolean": "rsp:protect: FALSE",
    "a number for a boolean": "rsp:protect: 0",
    "an empty boolean": "rsp:protect:",
    "an empty section": "rsp:ingress:",
    "a section as JSON": """rsp:ingress: '{"healthMonitors": true}'""",
    "a section as text": "rsp:ingress: ovn",
    "a section as a list": "rsp:ingress: [ovn]",
    "a section as a number": "rsp:ingress: 8",
    "a boolean for a keypair": "rsp:cloud: {name: test-cloud, keypair: yes}",
    "a real boolean for a keypair": "rsp:cloud: {name: test-cloud, keypair: true}",
    "a date": "rsp:vault: {rotation: {gafaelfawr: 2024-01-01}}",
    "a quoted date": 'rsp:vault: {rotation: {gafaelfawr: "2024-01-01"}}',
    "a number for a date": "rsp:vault: {approle: {secretIdRotation: 2024}}",
    "a whole number with a fraction": "rsp:applications: {timeout: 900.0, storageClasses: {x: {volumeType: x}}, "
    "databaseStorageClass: x}",
    "an octal number": "rsp:applications: {timeout: 01604, storageClasses: {x: {volumeType: x}}, "
    "databaseStorageClass: x}",
    "a sexagesimal number": "rsp:applications: {timeout: 15:00, storageClasses: {x: {volumeType: x}}, "
    "databaseStorageClass: x}",
    "a number as a key": "rsp:secrets: {applications: {argocd: {1: planted}}}",
}


@pytest.mark.parametrize("line", AS_PULUMI_DOES.values(), ids=AS_PULUMI_DOES.keys())
@pytest.mark.parametrize("file_exists", [True, False])
def test_the_program_and_other_tools_read_a_file_alike(
    run_program: ProgramRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, file_exists: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    kept = {f"rsp:{key}": each for key, each in environment_data().items() if f"rsp:{key}" != line.partition(": ")[0]}
    text = yaml.safe_dump({"config": kept}) + f"  {line}\n"
    file = Path("other.yaml" if not file_exists else FILE)
    file.write_text(text)
    read = outcome(lambda: load_file(file, StackConfig))
    given = stack_document.read(file, "rsp").texts()
    loaded = []
    run_program.having(config=given)(lambda: loaded.append(outcome(lambda: load(pulumi.Config(), StackConfig))))
    assert [str(each).replace("other.yaml", FILE) for each in loaded] == [str(read).replace("other.yaml", FILE)]


def outcome(read: Any) -> Any:
    try:
        return read().model_dump()
    except ConfigError as error:
        return str(error)


def test_a_program_warns_of_plain_secrets_and_refuses_what_pulumi_ignores(
    run_program: ProgramRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = Path(FILE)
    file.write_text(stack_text(secrets={"applications": {"argocd": {"key": "planted"}}}))
    given = stack_document.read(file, "rsp").texts()
    loaded: list[StackConfig] = []
    recording = run_program.having(config=given)(lambda: loaded.append(load(pulumi.Config(), StackConfig)))
    assert [text for _, text in recording.logged] == [f"{FILE}: {each}" for each in load_checked(file, StackConfig)[1]]
    assert "planted" not in json.dumps(recording.logged)

    file.write_text(f"{file.read_text()}  vault: {{}}\nrsp:tls: {{kind: vault}}\n")

    def refused() -> None:
        with pytest.raises(ConfigError) as caught:
            load(pulumi.Config(), StackConfig)
        assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == [
            "rsp:tls is outside `config`, where it has no effect",
            "vault has no namespace; did you mean `rsp:vault`?",
        ]

    # Pulumi takes a key without a namespace for one of the project.
    run_program.having(config={**given, "rsp:vault": "{}"})(refused)


def test_another_file_than_the_one_in_use_is_not_looked_at(
    run_program: ProgramRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As with `pulumi up --config-file other.yaml`.
    monkeypatch.chdir(tmp_path)
    Path(FILE).write_text("config: {rsp:tls: {secure: x}}\nrsp:tls: {}")
    other = Path("other.yaml")
    other.write_text(stack_text())
    loaded: list[StackConfig] = []
    given = stack_document.read(other, "rsp").texts()
    run_program.having(config=given)(lambda: loaded.append(load(pulumi.Config(), StackConfig)))
    assert loaded == [environment()]


@pytest.mark.parametrize("name", ["Pulumi.a\0b.yaml", "Pulumi..yaml/../x", "."])
def test_a_path_that_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="stack"):
        load_file(tmp_path / name, StackConfig)
