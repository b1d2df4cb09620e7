"""A private Phalanx repository, read with a token by this program and by Argo CD."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client
from pydantic import SecretStr

from sandbox import paths
from tests.sandbox import marks, places
from tests.sandbox.configuration import vary
from tests.sandbox.marks import Evidence, Mark
from tests.sandbox.objects import Objects
from tests.sandbox.program import Program
from tests.sandbox.watch import Watch
from tests.unit.phalanx.git_server import HOST, GitServer, git_server

USER = "robot"
TOKEN, WRONG = (f"planted-{secrets.token_hex(16)}" for _ in range(2))
CERTIFICATES = "argocd-tls-certs-cm"


@pytest.fixture(scope="module")
def server(
    program: Program, kubernetes: client.ApiClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GitServer]:
    """Serve the sandbox's Phalanx repository to those with the token, with a certificate that Argo CD trusts."""
    folder, api = tmp_path_factory.mktemp("server"), client.CoreV1Api(kubernetes)
    with (
        pytest.MonkeyPatch.context() as patch,
        git_server(paths.GIT.parent, f"{USER}:{TOKEN}", folder, patch) as serving,
    ):
        certificate = {HOST: (folder / "crt").read_text()}
        api.patch_namespaced_config_map(CERTIFICATES, "argocd", {"data": certificate})
        try:
            yield serving
        finally:
            # While the server is up, as Argo CD renders from it until the update has ended.
            program.run("up")
            api.patch_namespaced_config_map(CERTIFICATES, "argocd", {"data": dict.fromkeys(certificate)})


def private(server: GitServer, file: Path, token: str) -> Program:
    credentials = {"kind": "https", "username": USER, "token": SecretStr(token)}
    changes = {"phalanx": {"repository": f"{server.url}/{paths.GIT.name}", "credentials": credentials}}
    return Program("sandbox", vary(file, changes))


def found(token: str, evidence: list[Evidence]) -> list[tuple[str, str]]:
    return marks.found(evidence, [Mark("the token", token)])


def test_a_wrong_token_stops_before_the_first_resource(server: GitServer, tmp_path: Path) -> None:
    failed = private(server, tmp_path / "Pulumi.sandbox.yaml", WRONG).attempt("up", "--json")
    assert failed.returncode != 0
    events = [json.loads(line) for line in failed.stdout.splitlines()]
    registered = {event["resourcePreEvent"]["metadata"]["type"] for event in events if "resourcePreEvent" in event}
    assert registered == {"pulumi:pulumi:Stack"}
    (message,) = {
        line
        for event in events
        if (diagnostic := event.get("diagnosticEvent", {})).get("severity") == "error"
        for line in diagnostic["message"].splitlines()
        if "rsp:phalanx" in line
    }
    assert "cannot be read: Authentication failed" in message
    assert found(WRONG, [Evidence("the output", (failed.stdout + failed.stderr).encode())]) == []


def test_argocd_syncs_from_it_and_the_token_is_nowhere_in_clear(
    server: GitServer, kubernetes: client.ApiClient, objects: Objects, tmp_path: Path
) -> None:
    changed, logs = private(server, tmp_path / "Pulumi.sandbox.yaml", TOKEN), places.ServiceLogs()
    with Watch([tmp_path]) as watch:
        done = changed.attempt("up")
    assert done.returncode == 0, done.stderr
    applications = objects.applications().values()
    assert {each["status"]["sync"]["comparedTo"]["source"]["repoURL"] for each in applications} == {
        f"{server.url}/{paths.GIT.name}"
    }
    assert {each["status"]["sync"]["status"] for each in applications} == {"Synced"}
    assert changed.changes("preview") == {}

    evidence = [
        Evidence("the output", (done.stdout + done.stderr).encode()),
        *watch.commands.values(),
        *(Evidence(str(path), path.read_bytes()) for path in paths.STACKS.rglob("*") if path.is_file()),
        *logs.written(),
        *places.cluster(kubernetes),
    ]
    assert found(TOKEN, evidence) == []
    assert "git" in {Path(each.where.rpartition(" ")[2]).name for each in watch.commands.values()}
