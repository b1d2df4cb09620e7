"""The simulated vault-secrets-operator follows the operator's rules."""

import base64
import time
from collections.abc import Collection

import pytest

from sandbox.cluster import vault_reader, vault_secrets
from sandbox.cluster.kube import Object
from sandbox.cluster.vault_reader import ReadError, VaultReader
from sandbox.cluster.vault_templates import TemplateError, render
from tests.unit.sandbox.fake_kube import FakeKube

SECRET = "/api/v1/namespaces/argocd/secrets/argocd-secret"
VAULT_SECRET = "/apis/ricoberger.de/v1alpha1/namespaces/argocd/vaultsecrets/argocd-secret"


class FakeVault(VaultReader):
    """An in-memory Vault with secrets by path."""

    def __init__(self, content: dict[str, dict[str, bytes]]) -> None:
        self.content = content

    def read(
        self,
        path: str,
        *,
        keys: Collection[str] = (),
        version: int = 0,  # noqa: ARG002 -- signature of the base class
        is_binary: bool = False,  # noqa: ARG002
    ) -> dict[str, bytes]:
        if path not in self.content:
            raise ReadError("secret is nil")
        return {key: value for key, value in self.content[path].items() if not keys or key in keys}


def vault_secret(**spec: object) -> Object:
    return {
        "apiVersion": "ricoberger.de/v1alpha1",
        "kind": "VaultSecret",
        "metadata": {
            "name": "argocd-secret",
            "namespace": "argocd",
            "uid": "1-2-3",
            "generation": 1,
            "labels": {"app.kubernetes.io/part-of": "argocd"},
        },
        "spec": {"path": "secret/sandbox/argocd", "type": "Opaque", **spec},
    }


def reconcile(kube: FakeKube, vault: VaultReader, wanted: Object | None = None) -> Object | None:
    kube.objects.setdefault(VAULT_SECRET, wanted or vault_secret())
    vault_secrets.reconcile(kube, vault, kube.objects[VAULT_SECRET])
    return kube.get(SECRET)


def condition(kube: FakeKube) -> tuple[str, str]:
    (each,) = kube.objects[VAULT_SECRET]["status"]["conditions"]
    return each["status"], each["reason"]


def values(secret: Object | None) -> dict[str, str]:
    assert secret is not None
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


def test_secret_has_vaults_values_and_is_owned_by_its_vault_secret() -> None:
    kube = FakeKube()
    secret = reconcile(kube, FakeVault({"secret/sandbox/argocd": {"admin.password": b"hash"}}))
    assert secret is not None
    assert values(secret) == {"admin.password": "hash"}
    assert secret["metadata"]["labels"] == {"app.kubernetes.io/part-of": "argocd"}
    assert (
        secret["metadata"]["ownerReferences"][0] | {"kind": "VaultSecret", "uid": "1-2-3", "controller": True}
        == (secret["metadata"]["ownerReferences"][0])
    )
    assert condition(kube) == ("True", "Created")


def test_templates_define_the_secrets_content() -> None:
    kube = FakeKube()
    templates = {"password": '{% index .Secrets "admin.password" %}', "url": "https://{% .Secrets.host %}/"}
    vault = FakeVault({"secret/sandbox/argocd": {"admin.password": b"hash", "host": b"h", "plain": b"never"}})
    assert values(reconcile(kube, vault, vault_secret(templates=templates))) == {
        "password": "hash",
        "url": "https://h/",
    }


def test_only_the_listed_keys_are_copied() -> None:
    vault = FakeVault({"secret/sandbox/argocd": {"a": b"1", "b": b"2"}})
    assert values(reconcile(FakeKube(), vault, vault_secret(keys=["b"]))) == {"b": "2"}


def test_missing_secret_sets_a_condition_and_creates_nothing() -> None:
    kube = FakeKube()
    assert reconcile(kube, FakeVault({})) is None
    assert condition(kube) == ("False", "FetchFailed")


def test_invalid_template_sets_a_condition() -> None:
    kube = FakeKube()
    vault = FakeVault({"secret/sandbox/argocd": {"a": b"1"}})
    assert reconcile(kube, vault, vault_secret(templates={"a": "{% .Namespace | upper %}"})) is None
    assert condition(kube) == ("False", "CreateFailed")


def test_change_in_vault_replaces_the_secret() -> None:
    kube, vault = FakeKube(), FakeVault({"secret/sandbox/argocd": {"old": b"1"}})
    reconcile(kube, vault)
    vault.content["secret/sandbox/argocd"] = {"new": b"2"}
    assert values(reconcile(kube, vault)) == {"new": "2"}
    assert condition(kube) == ("True", "Updated")


def test_the_first_path_with_a_key_wins() -> None:
    vault = FakeVault({"secret/sandbox/argocd": {"a": b"1"}, "secret/sandbox/tap": {"a": b"2", "b": b"3"}})
    assert values(reconcile(FakeKube(), vault, vault_secret(paths=["secret/sandbox/tap"]))) == {"a": "1", "b": "3"}


def test_a_vault_secret_is_not_deleted_without_the_operator() -> None:
    kube, vault = FakeKube(), FakeVault({"secret/sandbox/argocd": {"a": b"1"}})
    reconcile(kube, vault)
    assert kube.objects[VAULT_SECRET]["metadata"]["finalizers"] == ["vaultsecrets.ricoberger.de/finalizer"]
    kube.objects[VAULT_SECRET]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    reconcile(kube, vault)
    assert kube.objects[VAULT_SECRET]["metadata"]["finalizers"] == []


def test_merge_keeps_other_keys() -> None:
    kube, vault = FakeKube(), FakeVault({"secret/sandbox/argocd": {"a": b"1"}})
    reconcile(kube, vault, vault_secret(reconcileStrategy="Merge"))
    vault.content["secret/sandbox/argocd"] = {"b": b"2"}
    assert values(reconcile(kube, vault)) == {"a": "1", "b": "2"}


def test_nothing_is_written_while_nothing_changes() -> None:
    kube, vault = FakeKube(), FakeVault({"secret/sandbox/argocd": {"a": b"1"}})
    reconcile(kube, vault)
    kube.writes.clear()
    reconcile(kube, vault)
    assert kube.writes == []


def test_vault_is_read_again_only_after_the_configured_time(monkeypatch: pytest.MonkeyPatch) -> None:
    kube, vault, now = FakeKube(), FakeVault({}), 1000.0
    kube.add(VAULT_SECRET, vault_secret())
    monkeypatch.setattr(time, "monotonic", lambda: now)
    operator = vault_secrets.Operator(vault, again_after=60)
    operator.run_once(kube)
    assert kube.get(SECRET) is None

    def shown(value: bytes) -> dict[str, str]:
        vault.content["secret/sandbox/argocd"] = {"a": value}
        operator.run_once(kube)
        return values(kube.get(SECRET))

    assert shown(b"1") == {"a": "1"}  # One that has failed is tried again at once.
    now += 59
    assert shown(b"2") == {"a": "1"}
    now += 1
    assert shown(b"2") == {"a": "2"}
    kube.objects[VAULT_SECRET]["metadata"]["generation"] = 2
    assert shown(b"3") == {"a": "3"}
    kube.delete(SECRET)
    assert shown(b"4") == {"a": "4"}


def test_without_a_time_vault_is_not_read_again() -> None:
    kube, vault = FakeKube(), FakeVault({"secret/sandbox/argocd": {"a": b"1"}})
    kube.add(VAULT_SECRET, vault_secret())
    operator = vault_secrets.Operator(vault, again_after=0)
    for value in (b"1", b"2"):
        vault.content["secret/sandbox/argocd"] = {"a": value}
        operator.run_once(kube)
    assert values(kube.get(SECRET)) == {"a": "1"}


def test_rejection_by_kubernetes_sets_a_condition() -> None:
    kube = FakeKube()
    kube.refused.add(SECRET)
    reconcile(kube, FakeVault({"secret/sandbox/argocd": {"a": b"1"}}))
    assert condition(kube) == ("False", "CreateFailed")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("plain", "plain"),
        ('{% index .Secrets "a.b" %}', "dotted"),
        ('{%index .Secrets "a.b"%}-{% .Secrets.c %}', "dotted-{% not run again %}"),
        ('{% index .Secrets "missing" %}', ""),
        ("{% .Secrets.missing %}", "<no value>"),
    ],
)
def test_template(template: str, expected: str) -> None:
    assert render(template, {"a.b": "dotted", "c": "{% not run again %}"}) == expected


@pytest.mark.parametrize("template", ["{% env %}", '{% index .Secrets "a"', "{% .Secrets.a | b64enc %}", "{% %}"])
def test_unknown_action_is_rejected_without_values(template: str) -> None:
    with pytest.raises(TemplateError) as refused:
        render(template, {"a": "hunter2"})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("text", b"text"), ({"b": 1, "a": "x"}, b'{"a":"x","b":1}'), (True, b"true"), (7, b"7")],
)
def test_values_are_converted_as_by_the_operator(value: object, expected: bytes) -> None:
    assert vault_reader.encode(value) == expected


def test_binary_values_are_decoded() -> None:
    assert vault_reader.encode("aGk=", is_binary=True) == b"hi"
    with pytest.raises(ReadError, match="base64"):
        vault_reader.encode("no base64!", is_binary=True)


def test_list_is_rejected() -> None:
    with pytest.raises(ReadError, match="could not parse secret value"):
        vault_reader.encode(["a"])
