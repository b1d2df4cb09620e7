"""Values of real environments are compared with those of their stacks, and changed in place."""

import shutil
import subprocess
from pathlib import Path

import pytest

from config.loader import load_file
from config.stack_config import StackConfig
from phalanx import application, environment
from phalanx.application import Application
from tests.unit.sample import environment as stack_config
from wiring import requirements, values_patch, verification
from wiring.verification import Special

ROOT = Path(__file__).parents[2]
DATA = Path(__file__).parent / "data"
ADDRESS = "203.0.113.16"

ENVIRONMENTS = [("lsst-uk", "roe", "roe"), ("upstream", "ukidacprod", "ukidacprod"), ("upstream", "ukidacdev", "roe")]
"""Repository, environment, and a stack whose configuration to compare it with."""


def configuration(stack: str) -> StackConfig:
    return load_file(ROOT / f"Pulumi.{stack}.yaml", StackConfig)


def applications(root: Path, name: str) -> dict[str, Application]:
    return application.load_enabled(root, environment.load(root, name))


def test_what_differs_in_ukidacprod_is_found() -> None:
    found = verification.differences(
        configuration("ukidacprod"), applications(DATA / "upstream", "ukidacprod"), Special.UNKNOWN
    )
    nublado = "applications/nublado/values-ukidacprod.yaml: controller.config.lab.volumes"
    service = "applications/ingress-nginx/values-ukidacprod.yaml: ingress-nginx.controller.service"
    assert [str(each) for each in found] == [
        f'{service}.loadBalancerIP: is "192.41.122.108"; the required value is known after `pulumi up`',
        f'{service}.annotations["loadbalancer.openstack.org/keep-floatingip"]: is not set, expected "true"',
        *(f'{nublado}[{volume}].source.server: is "192.41.122.33", expected "10.64.0.10"' for volume in range(4)),
        'applications/postgres/values-ukidacprod.yaml: postgresStorageClass: is "ceph-hdd", expected "standard"',
        'applications/ssotap/values-ukidacprod.yaml: cadc-tap.config.gcsBucket: is "async", expected "async-ssotap"',
    ]


@pytest.mark.parametrize(("repository", "name", "stack"), ENVIRONMENTS)
def test_a_patch_makes_the_repository_right(repository: str, name: str, stack: str, tmp_path: Path) -> None:
    config, root = configuration(stack), Path(shutil.copytree(DATA / repository, tmp_path / "phalanx"))
    before = applications(root, name)
    required = verification.required(config, before, ADDRESS)
    patch = ""
    for each in sorted({each.application for each in verification.differences(config, before, ADDRESS)}):
        path = f"applications/{each}/values-{name}.yaml"
        text = (root / path).read_text()
        patch += values_patch.unified_diff(text, values_patch.changed(text, required[each], path), path)
    subprocess.run(("git", "apply", "-"), cwd=root, input=patch, text=True, check=True)
    assert verification.differences(config, applications(root, name), ADDRESS) == []
    # Each changed line is one of the values: nothing else is touched.
    added = [line for line in patch.splitlines() if line.startswith("+") and not line.startswith("+++")]
    values = (ADDRESS, "10.64.0.10", "keep-floatingip", "gcsBucket", "postgresStorageClass")
    assert [line for line in added if not any(value in line for value in values)] == []


@pytest.mark.parametrize(("repository", "name", "stack"), ENVIRONMENTS)
def test_real_repositories_have_all_applications_that_get_facts(repository: str, name: str, stack: str) -> None:
    found = environment.load(DATA / repository, name)
    assert verification.unknown_applications(configuration(stack), found) == []


@pytest.mark.parametrize(("repository", "name", "stack"), ENVIRONMENTS[:2])
def test_the_nfs_server_creates_all_directories_that_labs_mount(repository: str, name: str, stack: str) -> None:
    assert requirements.warnings(configuration(stack), applications(DATA / repository, name)) == []


def test_no_value_is_required_of_disabled_applications() -> None:
    config = stack_config(applications__wiring="verify")
    found = environment.load(DATA / "upstream", "ukidacdev")
    (tap,) = (each for each in applications(DATA / "upstream", "ukidacdev").values() if each.name == "tap")
    problems = list(requirements.checker(config)(found, {"tap": tap}))
    assert [problem.partition(": is ")[0] for problem in problems] == [
        "environments/values-ukidacdev.yaml: applications.ingress-nginx",  # required in any case
        "applications/tap/values-ukidacdev.yaml: cadc-tap.config.gcsBucket",
        "applications/tap/values-ukidacdev.yaml: cadc-tap.config.gcsBucketUrl",
        "rsp:applications.wiring",
    ]
    assert list(requirements.checker(stack_config())(found, {"tap": tap})) == problems[:1]
