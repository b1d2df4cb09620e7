"""A private Phalanx repository: what Argo CD gets, and when."""

import json
from typing import Any

import pytest

from tests.unit.program.conftest import StackRunner
from tests.unit.program.test_graph import values_of
from tests.unit.recording import Recording, Registered
from tests.unit.ssh import HOST, private_key

KEY = private_key()
PLANTED = "planted-token"
TOKEN = {"repository": "https://git.example.org/phalanx", "credentials": {"kind": "https", "token": PLANTED}}


@pytest.fixture(scope="module")
def with_key(run_stack: StackRunner) -> Recording:
    credentials = {"kind": "ssh", "privateKey": KEY, "knownHosts": [HOST]}
    given = {"repository": "git@git.example.org:phalanx", "credentials": credentials}
    return run_stack("roe", changes={"phalanx": given})


def secret(recording: Recording) -> Registered:
    return recording.one("Secret", "cluster-argocd-repository")


def test_argocd_gets_the_token(run_stack: StackRunner) -> None:
    recording = run_stack("roe", changes={"phalanx": TOKEN})
    made = secret(recording)
    assert made.inputs["metadata"] == {
        "name": "phalanx-repository",
        "namespace": "argocd",
        "labels": {"argocd.argoproj.io/secret-type": "repository"},
    }
    assert made.inputs["stringData"] == {
        "type": "git",
        "url": TOKEN["repository"],
        "username": "git",
        "password": PLANTED,
    }
    # Argo CD finds the Secret of an Application by its URL.
    urls = {each.inputs["spec"]["source"]["repoURL"] for each in recording.of("Application")}
    assert urls == {TOKEN["repository"]}
    assert PLANTED not in json.dumps([[each.veiled_request for each in recording.resources], recording.veiled_exports])


def test_the_secret_exists_before_the_first_application(with_key: Recording) -> None:
    made = secret(with_key)
    assert with_key.one("Namespace", "cluster-argocd-namespace").urn in made.dependencies
    # The component waits for it, and its children for the component.
    assert made.urn in with_key.one("Applications").dependencies


def test_argocd_gets_the_key_and_trusts_the_server_from_the_start(with_key: Recording) -> None:
    assert secret(with_key).inputs["stringData"] == {
        "type": "git",
        "url": "git@git.example.org:phalanx",
        "sshPrivateKey": KEY,
    }
    release: dict[str, Any] = with_key.one("Release", "cluster-argocd-release").inputs["values"]
    for values in (release, values_of(with_key, "argocd")):
        assert values["argo-cd"]["configs"]["ssh"] == {"extraHosts": f"{HOST}\n"}
    assert release["argo-cd"]["configs"]["cm"]
    assert KEY.splitlines()[1] not in json.dumps([each.veiled_request for each in with_key.resources])


def test_a_public_repository_has_no_secret(roe: Recording) -> None:
    assert [each.name for each in roe.of("Secret")] == ["cluster-vault-secrets-operator-credentials"]
    assert "ssh" not in roe.one("Release", "cluster-argocd-release").inputs["values"]["argo-cd"]["configs"]
