"""No secret is stored in plaintext: the program runs with marked secrets, and all readable content is searched.

Secrets are set in each way that the program supports; all values in Vault after a run are searched for as well. One
fixture runs all commands, as each continues from the state of the previous one; the tests check what it has gathered.
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
    paths.CLOUDS_YAML: "a user's clouds.yaml",
    paths.HOME / "passwords.json": "corresponds to the password manager of the cloud's administrators",
    paths.HOME / "static-secrets.yaml": "a user's file of static secrets",
    paths.VAULT / "*": "corresponds to the password manager of Vault's administrators",
    paths.ETC / "*": "configuration of the cloud's services",
    paths.CLUSTERS / "*/ca.key": "passed by Magnum to a cluster",
    paths.CLUSTERS / "*/pki/*": "keys of the control plane, on the machines that run it",
    paths.CLUSTERS / "*/data/*": "mounted or created by Pods",
    Path("/*/rsp-sandbox-*/kubeconfig*"): "written to TMPDIR by the Kubernetes provider while a command runs",
}
"""Private files that may contain a secret, with the reason."""

OWN_ENVIRONMENT = (
    "the environment of python",
    "the environment of pulumi",
    "the environment of sh pulumi-language-python ",  # the language host, before it executes Python
    "the environment of git status --porcelain",  # run by the CLI, which records the state of the working tree
)
"""Programs that get VAULT_TOKEN and the passphrase from the user's shell."""


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Watch:
    """Return a watch of processes and of the program's directories for temporary files."""
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
    """Yield everything observed during a stack's life with marked secrets; deploy the original stack afterwards."""
    gathered = Gathered(temporary=watch.directories[0])
    sandbox = Sandbox(vault, kubernetes, tmp_path_factory.mktemp("given"), gathered)
    before = sandbox.secrets()
    gathered.know(marked_run.credentials())
    log = places.ServiceLogs()
    # Make the program run Helm, which it does not for charts whose results are cached.
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
        # The stack has rotated some of these secrets: the first update writes its own values again, the second one
        # their copies in other applications.
        program.run("up")
        program.run("up")


def test_no_secret_on_the_terminal_or_in_debug_logs(gathered: Gathered) -> None:
    assert len(gathered.terminal) > 12
    debugged = [each.content for each in gathered.terminal if "--debug" in each.where]
    assert debugged
    assert all(b'"level":"INFO"' in each for each in debugged)
    assert gathered.leaks(gathered.terminal) == []


def test_no_secret_in_the_state(gathered: Gathered) -> None:
    assert any(b"v1:" in each.content for each in gathered.state), "nothing is encrypted in the state"
    assert gathered.leaks(gathered.state) == []


def test_no_secret_on_command_lines(gathered: Gathered, watch: Watch) -> None:
    commands = list(watch.commands.values())
    seen = {Path(each.where.rpartition(" ")[2]).name for each in commands}
    assert seen >= {"git", "helm"}, "short-lived programs were not observed"
    assert gathered.leaks(commands) == []


def test_no_secret_in_the_environment_of_other_programs(gathered: Gathered, watch: Watch) -> None:
    others = [each for each in watch.environments.values() if not each.where.startswith(OWN_ENVIRONMENT)]
    assert gathered.leaks(others) == []


def test_temporary_files_with_secrets_are_private(gathered: Gathered, watch: Watch) -> None:
    assert watch.files
    leaking = {where for _, where in gathered.leaks([Evidence(str(each.path), each.content) for each in watch.files])}
    modes = [
        f"{each.path} {each.mode:o} in {each.directory_mode:o}"
        for each in watch.files
        if str(each.path) in leaking and (each.mode & 0o077 or each.directory_mode & 0o077)
    ]
    assert [path for path in leaking if not _private(path)] == []
    assert modes == []


def test_files_of_the_sandbox_with_secrets_are_private(gathered: Gathered) -> None:
    leaking = {where for _, where in gathered.leaks(list(places.disk()))}
    assert str(paths.CLOUDS_YAML) in leaking
    assert [path for path in leaking if not _private(path) or Path(path).stat().st_mode & 0o077] == []


def _private(path: str) -> bool:
    return any(fnmatch.fnmatch(path, str(pattern)) for pattern in PRIVATE_FILES)


def test_no_secret_in_logs_of_services(gathered: Gathered) -> None:
    assert any("kube-apiserver" in each.where for each in gathered.logs)
    assert gathered.leaks(gathered.logs) == []


def test_no_secret_in_the_cluster_outside_of_secrets(gathered: Gathered) -> None:
    kinds = {each.where.partition(" ")[0] for each in gathered.cluster}
    assert {"ConfigMap", "Event", "Application", "AppProject", "VaultSecret", "Pod", "StatefulSet"} <= kinds
    assert any(each.where.startswith("the Helm release") for each in gathered.cluster)
    assert gathered.leaks(gathered.cluster) == []


def test_no_secret_in_openstack(gathered: Gathered) -> None:
    (user_data,) = [each for each in gathered.openstack if "user data" in each.where and b"cloud" in each.content]
    assert user_data.content
    assert gathered.leaks(gathered.openstack) == []


def test_no_secret_in_manifests_or_repositories(gathered: Gathered) -> None:
    assert any("the manifests of gafaelfawr" in each.where for each in gathered.repositories)
    assert gathered.leaks(gathered.repositories) == []


def test_all_marked_secrets_were_used(gathered: Gathered) -> None:
    """Otherwise the search would be for values that the program has never had."""
    arrived = {mark.value for mark in gathered.stored}
    by_way = {"argocd/dex.clientSecret", "squareone/sentry-dsn", "mobu/app-alert-webhook", "argocd/kept-by-people"}
    by_way |= {"a registry", "a registry in the file", "a client", "a client in the file"}
    assert by_way <= {mark.name for mark in gathered.planted if mark.value in arrived}
