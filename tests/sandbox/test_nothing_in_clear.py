"""No secret stands anywhere in clear: the program is run with marked ones, and all that anybody can read is searched.

Marks are planted by each way in which a person can give a secret; every value that Vault holds after a run is one, too.
One fixture runs all commands, as each takes up what the one before has left; the tests look at what it has gathered.
"""

import fnmatch
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import hvac
import pytest
from kubernetes import client

from phalanx import cache
from sandbox import paths
from tests.sandbox import marked_run, places
from tests.sandbox.marked_run import Gathered, Sandbox
from tests.sandbox.marks import Evidence
from tests.sandbox.program import Program
from tests.sandbox.watch import Watch

PRIVATE_FILES = {
    paths.CLOUDS_YAML: "a person's clouds.yaml",
    paths.HOME / "passwords.json": "stands for the password manager of the cloud's administrators",
    paths.HOME / "static-secrets.yaml": "a person's file of static secrets",
    paths.VAULT / "*": "stands for the password manager of Vault's administrators",
    paths.ETC / "*": "configuration of the cloud's services",
    paths.CLUSTERS / "*/ca.key": "what Magnum hands to a cluster",
    paths.CLUSTERS / "*/pki/*": "keys of the control plane, on the machines that run it",
    paths.CLUSTERS / "*/data/*": "what a Pod has mounted or made for itself",
    Path("/*/rsp-sandbox-*/kubeconfig*"): "what the Kubernetes provider writes to TMPDIR while a command runs",
}
"""Files that may hold a secret, and why; each is for its owner alone."""

OWN_ENVIRONMENT = (
    "the environment of python",
    "the environment of pulumi",
    "the environment of sh pulumi-language-python ",  # the language host, before it has become Python
    "the environment of git status --porcelain",  # the CLI itself, which records the state of the working tree
)
"""Programs which are given VAULT_TOKEN and passphrase, as a person's shell gives them to the Pulumi CLI."""


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Watch:
    """Looks at processes and at the directories in which the program has temporary files."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rsp"
    return Watch([tmp_path_factory.mktemp("temporary"), paths.CHECKOUT / ".phalanx", paths.STACKS, cache])


@pytest.fixture(scope="module")
def gathered(
    program: Program,
    vault: hvac.Client,
    kubernetes: client.ApiClient,
    watch: Watch,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gathered]:
    """All that was seen of a stack's life with marked secrets; the stack is put back as it was."""
    gathered = Gathered(temporary=watch.directories[0])
    sandbox = Sandbox(vault, kubernetes, tmp_path_factory.mktemp("given"), gathered)
    before = sandbox.secrets()
    gathered.know(marked_run.credentials())
    log = places.ServiceLogs()
    # Helm is to be seen, too: it does not run for charts whose results are in the cache.
    shutil.rmtree(cache.directory() / "results", ignore_errors=True)
    try:
        with watch:
            marked_run.live(sandbox)
            marked_run.fail(sandbox)
        gathered.logs += log.written()
        gathered.openstack += places.openstack()
        gathered.cluster += places.cluster(kubernetes)
        checkout = (paths.CHECKOUT / ".phalanx" / "sandbox").resolve()
        gathered.repositories += [*places.repositories(checkout), *places.manifests("main", checkout)]
        sandbox.learn()
        yield gathered
    finally:
        for application, values in before.items():
            sandbox.write(application, values, whole=True)
        program.run("up")


def test_not_on_the_terminal_nor_in_debug_logs(gathered: Gathered) -> None:
    assert len(gathered.terminal) > 12
    debugged = [each.content for each in gathered.terminal if "--debug" in each.where]
    assert debugged
    assert all(b'"level":"INFO"' in each for each in debugged)
    assert gathered.leaks(gathered.terminal) == []


def test_not_in_the_state(gathered: Gathered) -> None:
    assert any(b"v1:" in each.content for each in gathered.state), "nothing is encrypted in the state"
    assert gathered.leaks(gathered.state) == []


def test_not_on_command_lines(gathered: Gathered, watch: Watch) -> None:
    commands = list(watch.commands.values())
    seen = {Path(each.where.rpartition(" ")[2]).name for each in commands}
    assert seen >= {"git", "helm"}, "programs that come and go were not seen"
    assert gathered.leaks(commands) == []


def test_not_in_the_environment_of_programs_that_need_none(gathered: Gathered, watch: Watch) -> None:
    others = [each for each in watch.environments.values() if not each.where.startswith(OWN_ENVIRONMENT)]
    assert gathered.leaks(others) == []


def test_no_temporary_file_in_clear_but_private_ones(gathered: Gathered, watch: Watch) -> None:
    assert watch.files
    leaking = {where for _, where in gathered.leaks([Evidence(str(each.path), each.content) for each in watch.files])}
    modes = [
        f"{each.path} {each.mode:o} in {each.directory_mode:o}"
        for each in watch.files
        if str(each.path) in leaking and (each.mode & 0o077 or each.directory_mode & 0o077)
    ]
    assert [path for path in leaking if not _private(path)] == []
    assert modes == []


def test_the_sandboxs_own_files_are_private(gathered: Gathered) -> None:
    leaking = {where for _, where in gathered.leaks(list(places.disk()))}
    assert str(paths.CLOUDS_YAML) in leaking
    assert [path for path in leaking if not _private(path) or Path(path).stat().st_mode & 0o077] == []


def _private(path: str) -> bool:
    return any(fnmatch.fnmatch(path, str(pattern)) for pattern in PRIVATE_FILES)


def test_not_in_the_logs_of_services(gathered: Gathered) -> None:
    assert any("kube-apiserver" in each.where for each in gathered.logs)
    assert gathered.leaks(gathered.logs) == []


def test_not_in_the_cluster_outside_of_secrets(gathered: Gathered) -> None:
    kinds = {each.where.partition(" ")[0] for each in gathered.cluster}
    assert {"ConfigMap", "Event", "Application", "AppProject", "VaultSecret", "Pod", "StatefulSet"} <= kinds
    assert any(each.where.startswith("the Helm release") for each in gathered.cluster)
    assert gathered.leaks(gathered.cluster) == []


def test_not_in_openstack(gathered: Gathered) -> None:
    (user_data,) = [each for each in gathered.openstack if "user data" in each.where and b"cloud" in each.content]
    assert user_data.content
    assert gathered.leaks(gathered.openstack) == []


def test_not_in_manifests_nor_repositories(gathered: Gathered) -> None:
    assert any("the manifests of gafaelfawr" in each.where for each in gathered.repositories)
    assert gathered.leaks(gathered.repositories) == []


def test_what_was_planted_arrived(gathered: Gathered) -> None:
    """Otherwise the search was for values that the program has never had."""
    arrived = {mark.value for mark in gathered.stored}
    by_way = {"argocd/dex.clientSecret", "squareone/sentry-dsn", "mobu/app-alert-webhook", "argocd/kept-by-people"}
    by_way |= {"a registry", "a registry in the file", "a client", "a client in the file"}
    assert by_way <= {mark.name for mark in gathered.planted if mark.value in arrived}
