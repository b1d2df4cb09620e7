from pathlib import Path

import pytest

from components import private_authority
from phalanx.application import Application
from phalanx.git_credentials import Anonymous, SshKey, Token
from wiring.argocd_repository import helm_values, problems

URL = "https://git.example.org:8443/site/phalanx"
KEY = SshKey(private_key="", known_hosts=("one ssh-rsa AA", "two ssh-rsa BB"))


def test_known_hosts_of_phalanx_are_kept() -> None:
    argocd = {"argo-cd": {"configs": {"ssh": {"extraHosts": "other ssh-rsa CC\none ssh-rsa AA"}}}}
    assert helm_values(URL, KEY, argocd) == {
        "argo-cd": {"configs": {"ssh": {"extraHosts": "other ssh-rsa CC\none ssh-rsa AA\ntwo ssh-rsa BB\n"}}}
    }


def test_without_ssh_nothing_is_set() -> None:
    assert helm_values(URL, None, {}) == helm_values(URL, Token(username="git", token=""), {}) == {}


@pytest.mark.parametrize("anonymous", [True, False])
def test_the_authority_of_the_git_server_is_by_host_without_port(tmp_path: Path, anonymous: bool) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(private_authority.create("git.example.org")["certificate"])
    credentials = Anonymous(ca_file=file) if anonymous else Token(username="git", token="", ca_file=file)
    certificates = {"git.example.org": file.read_text()}
    assert helm_values(URL, credentials, {}) == {"argo-cd": {"configs": {"tls": {"certificates": certificates}}}}


def test_a_repository_that_the_chart_configures_too_is_reported() -> None:
    entries = {
        "helm": {"type": "helm", "url": "https://charts.example.org"},
        "mine": {"url": "https://git.example.org/Phalanx.git", "passwordSecret": {}},
        "odd": "x",
    }
    values = {"argo-cd": {"configs": {"repositories": entries}}}
    files = {"applications/argocd/values.yaml": {}, "applications/argocd/values-roe.yaml": values}
    argocd = Application(name="argocd", values=values, files=files)
    (problem,) = problems("https://git.example.org/phalanx", argocd)
    assert problem == (
        "applications/argocd/values-roe.yaml: argo-cd.configs.repositories.mine: Argo CD gets the credentials of "
        "https://git.example.org/phalanx from rsp:phalanx.credentials already: remove one of them"
    )
    assert list(problems("https://git.example.org/other", argocd)) == []
