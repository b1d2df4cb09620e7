"""An invalid Phalanx repository stops the program before any resource is registered."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from probes.problem import Problem
from tests.unit.program.conftest import CHECKOUTS, StackRunner
from tests.unit.program.refusals import refused

ENVIRONMENT = "environments/values-roe.yaml"
NUBLADO = "applications/nublado/values-roe.yaml"
VOLUMES = f"{NUBLADO}: controller.config.lab.volumes"
Change = Callable[[dict[str, Any]], object]


def volume(**source: Any) -> Change:
    """Return a change of the source of the second volume of the labs."""
    return lambda values: values["controller"]["config"]["lab"]["volumes"][1].update(source)


def disabled(name: str) -> Change:
    return lambda values: values["applications"].update({name: False})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a copy of the repository of the stack ``roe``."""
    return Path(shutil.copytree(CHECKOUTS["roe"], tmp_path / "phalanx"))


def edit(path: Path, change: Change) -> None:
    content = yaml.safe_load(path.read_text())
    change(content)
    path.write_text(yaml.safe_dump(content))


@pytest.mark.parametrize(
    ("file", "change", "problem"),
    [
        (ENVIRONMENT, lambda values: values.update(fqdn="https://a.b"), f"{ENVIRONMENT}: fqdn: 'https://a.b' is not"),
        (NUBLADO, volume(source={"type": "nfs"}), f"{VOLUMES}[1].source.serverPath: is missing, expected"),
    ],
)
def test_a_wrong_value_is_reported_with_file_and_key(
    run_stack: StackRunner, root: Path, file: str, change: Change, problem: str
) -> None:
    edit(root / file, change)
    message = refused(run_stack, root=root)
    assert message.startswith(problem)
    assert "\n" not in message
    assert str(root) not in message


def test_problems_of_the_clouds_are_reported_with_those_of_the_checkout(run_stack: StackRunner, root: Path) -> None:
    edit(root / NUBLADO, volume(source=None))
    edit(root / ENVIRONMENT, disabled("argocd"))
    quota = Problem(where="quota of project `rsp`", what="cores: 8 needed, 4 of 20 free")
    message = refused(run_stack, root=root, problems=[quota])
    assert f"{ENVIRONMENT}: applications.argocd: is false" in message
    assert message.splitlines()[-1] == str(quota)


@pytest.mark.parametrize("file", [ENVIRONMENT, NUBLADO, "applications/tap/secrets.yaml"])
def test_a_malformed_file_is_reported(run_stack: StackRunner, root: Path, file: str) -> None:
    (root / file).write_bytes(b"a: 1\na: 2")
    assert refused(run_stack, root=root).startswith(f"{file}:2: repeats the key a of line 1")


def test_all_problems_are_reported_together(run_stack: StackRunner, root: Path) -> None:
    edit(root / ENVIRONMENT, disabled("argocd"))
    edit(root / NUBLADO, volume(source={"type": "nfs", "serverPath": "/scratch"}))
    (root / "applications/mobu/secrets-roe.yaml").write_text("a: {copy: {application: sia, key: b}}")
    assert [line.partition(": ")[0] for line in refused(run_stack, root=root).splitlines()] == [
        ENVIRONMENT,
        NUBLADO,
        "applications/mobu/secrets-roe.yaml",
    ]
