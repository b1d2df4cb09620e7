from phalanx.application import Application
from phalanx.git_credentials import SshKey, Token
from wiring.argocd_repository import helm_values, problems

KEY = SshKey(private_key="", known_hosts=("one ssh-rsa AA", "two ssh-rsa BB"))


def test_known_hosts_of_phalanx_are_kept() -> None:
    argocd = {"argo-cd": {"configs": {"ssh": {"extraHosts": "other ssh-rsa CC\none ssh-rsa AA"}}}}
    assert helm_values(KEY, argocd) == {
        "argo-cd": {"configs": {"ssh": {"extraHosts": "other ssh-rsa CC\none ssh-rsa AA\ntwo ssh-rsa BB\n"}}}
    }


def test_without_ssh_nothing_is_set() -> None:
    assert helm_values(None, {}) == helm_values(Token(username="git", token=""), {}) == {}


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
