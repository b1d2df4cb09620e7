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
        (ENVIRONMENT, disabled("argocd"), f"{ENVIRONMENT}: applications.argocd: is false or missing, expected true"),
        (
            ENVIRONMENT,
            disabled("vault-secrets-operator"),
            f"{ENVIRONMENT}: applications.vault-secrets-operator: is false or missing, expected true",
        ),
        (ENVIRONMENT, lambda values: values.update(vaultURL="x"), f"{ENVIRONMENT}: vaultURL: is not a setting of"),
        (ENVIRONMENT, lambda values: values.update(vaultPathPrefix="a/+"), f"{ENVIRONMENT}: vaultPathPrefix: 'a/+'"),
        (ENVIRONMENT, lambda values: values.update(vaultUrl="vault"), f"{ENVIRONMENT}: vaultUrl: 'vault' is not"),
        (ENVIRONMENT, lambda values: values.update(fqdn="https://a.b"), f"{ENVIRONMENT}: fqdn: 'https://a.b' is not"),
        (ENVIRONMENT, lambda values: values.update(revisions={"tpa": "a"}), f"{ENVIRONMENT}: revisions.tpa: the appli"),
        (NUBLADO, volume(source=None), f"{VOLUMES}[1].source: is null, expected a mapping"),
        (NUBLADO, volume(source=["nfs"]), f"{VOLUMES}[1].source: is a list, expected a mapping"),
        (NUBLADO, volume(source={"type": "nfs"}), f"{VOLUMES}[1].source.serverPath: is missing, expected"),
        (NUBLADO, lambda values: values["controller"].update(config=[]), f"{NUBLADO}: controller.config: is a list"),
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


@pytest.mark.parametrize("name", ["cert-manager", "ingress-nginx"])
def test_an_application_that_the_certificate_needs_must_be_enabled(
    run_stack: StackRunner, root: Path, name: str
) -> None:
    edit(root / ENVIRONMENT, disabled(name))
    tls = {"kind": "letsencrypt", "email": "operators@example.org"}
    message = refused(run_stack, root=root, changes={"tls": tls})
    assert message.startswith(f"{ENVIRONMENT}: applications.{name}: is false or missing, but it ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a: \xff", "1: is not UTF-8 text"),
        (b"a: &a [*a]", "1: an alias refers to the value that contains it"),
        (b"[" * 100_000, "1: is nested too deep"),
        (b"a: 1\na: 2", "2: repeats the key a of line 1"),
        (b"- a", " expected a mapping"),
    ],
)
@pytest.mark.parametrize("file", [ENVIRONMENT, NUBLADO, "applications/tap/secrets.yaml"])
def test_a_malformed_file_is_reported(
    run_stack: StackRunner, root: Path, file: str, content: bytes, problem: str
) -> None:
    (root / file).write_bytes(content)
    assert refused(run_stack, root=root).startswith(f"{file}:{problem}")


def test_all_problems_are_reported_together(run_stack: StackRunner, root: Path) -> None:
    edit(root / ENVIRONMENT, disabled("argocd"))
    edit(root / NUBLADO, volume(source={"type": "nfs", "serverPath": "/scratch"}))
    (root / "applications/mobu/secrets-roe.yaml").write_text("a: {copy: {application: sia, key: b}}")
    assert [line.partition(": ")[0] for line in refused(run_stack, root=root).splitlines()] == [
        ENVIRONMENT,
        NUBLADO,
        "applications/mobu/secrets-roe.yaml",
    ]
