from typing import Any

import pytest

from phalanx import resource_uses
from phalanx.charts import RenderedApplication
from phalanx.errors import RenderError
from phalanx.resource_uses import Uses
from phalanx.secrets import SecretKey
from phalanx.undeclared import find, reads, unfilled

PREFIX = "secret/phalanx/test"


def rendered(*manifests: dict[str, Any], name: str = "tap", **external_values: Any) -> Uses:
    return resource_uses.find(
        RenderedApplication(name=name, namespace=name, manifests=list(manifests), external_values=external_values)
    )


def vault_secret(name: str, path: str = "tap", **spec: Any) -> dict[str, Any]:
    return {"kind": "VaultSecret", "metadata": {"name": name}, "spec": {"path": f"{PREFIX}/{path}", **spec}}


def pod(**spec: Any) -> dict[str, Any]:
    return {"kind": "Deployment", "metadata": {"name": "server"}, "spec": {"template": {"spec": spec}}}


def container(**fields: Any) -> dict[str, Any]:
    return {"containers": [{"name": "main", **fields}]}


def env_from_key(secret: str, key: str, **extra: Any) -> dict[str, Any]:
    return {"name": "VARIABLE", "valueFrom": {"secretKeyRef": {"name": secret, "key": key, **extra}}}


READERS = {
    "environment": pod(**container(env=[env_from_key("cadc-tap", "aws.key")])),
    "init container": pod(initContainers=[{"env": [env_from_key("cadc-tap", "aws.key")]}]),
    "volume of one key": pod(
        volumes=[{"name": "v", "secret": {"secretName": "cadc-tap", "items": [{"key": "aws.key"}]}}]
    ),
    "projected volume": pod(
        volumes=[{"projected": {"sources": [{"secret": {"name": "cadc-tap", "items": [{"key": "aws.key"}]}}]}}]
    ),
    "one file of a volume": pod(
        volumes=[{"name": "v", "secret": {"secretName": "cadc-tap"}}],
        **container(volumeMounts=[{"name": "v", "subPath": "aws.key"}]),
    ),
    "custom resource": {
        "kind": "ClusterIssuer",
        "metadata": {"name": "server"},
        "spec": {"solver": {"secretAccessKeySecretRef": {"name": "cadc-tap", "key": "aws.key"}}},
    },
}


@pytest.mark.parametrize("reader", READERS)
def test_all_kinds_of_references_are_found(reader: str) -> None:
    manifest = READERS[reader]
    found = find([rendered(vault_secret("cadc-tap"), manifest)], PREFIX, declared=[])
    assert found == {SecretKey("tap", "aws.key"): (f"tap: {manifest['kind']}/server",)}


NOT_READERS = {
    "optional key": pod(**container(env=[env_from_key("cadc-tap", "aws.key", optional=True)])),
    "optional volume": pod(
        volumes=[{"secret": {"secretName": "cadc-tap", "optional": True, "items": [{"key": "aws.key"}]}}]
    ),
    "Secret of another origin": pod(**container(env=[env_from_key("own", "aws.key")])),
    "ConfigMap of the same name": pod(
        **container(env=[{"valueFrom": {"configMapKeyRef": {"name": "cadc-tap", "key": "aws.key"}}}])
    ),
    "mount of the whole volume": pod(
        volumes=[{"name": "v", "secret": {"secretName": "cadc-tap"}}], **container(volumeMounts=[{"name": "v"}])
    ),
    "one file of another volume": pod(
        volumes=[{"name": "v", "secret": {"secretName": "cadc-tap"}}, {"name": "w", "emptyDir": {}}],
        **container(volumeMounts=[{"name": "w", "subPath": "aws.key"}]),
    ),
    "fields of other types": pod(volumes={"v": "cadc-tap"}, containers="none", items=1),
}


@pytest.mark.parametrize("manifest", NOT_READERS)
def test_other_manifests_are_not_reported(manifest: str) -> None:
    assert reads([rendered(vault_secret("cadc-tap"), NOT_READERS[manifest])], PREFIX) == {}


def test_a_declared_key_is_not_reported() -> None:
    applications = [rendered(vault_secret("cadc-tap"), READERS["environment"])]
    assert find(applications, PREFIX, declared=[SecretKey("tap", "aws.key")]) == {}
    assert set(reads(applications, PREFIX)) == {("tap", "aws.key")}


def test_a_secret_belongs_to_its_namespace() -> None:
    reader = READERS["environment"]
    elsewhere = reader | {"metadata": {"name": "server", "namespace": "tap"}}
    own = rendered(vault_secret("cadc-tap"))
    assert reads([own, rendered(reader, name="ssotap")], PREFIX) == {}
    assert set(reads([rendered(elsewhere, name="ssotap"), own], PREFIX)) == {("tap", "aws.key")}


def test_a_secret_may_come_from_another_application_in_vault() -> None:
    applications = [rendered(vault_secret("cadc-tap", path="gafaelfawr"), READERS["environment"])]
    assert set(reads(applications, PREFIX)) == {("gafaelfawr", "aws.key")}


def test_a_path_of_another_environment_is_ignored() -> None:
    foreign = vault_secret("cadc-tap") | {"spec": {"path": "secret/phalanx/other/tap"}}
    assert reads([rendered(foreign, READERS["environment"])], PREFIX) == {}


def test_a_template_determines_the_keys_that_are_read() -> None:
    templates = {
        "values.yaml": 'password: {% .Secrets.db_password %} {% index .Secrets "admin.password" %}',
        "aws.key": "{% .Secrets.other %}",
    }
    applications = [rendered(vault_secret("cadc-tap", templates=templates), READERS["environment"])]
    assert reads(applications, PREFIX) == {
        SecretKey("tap", key): ("tap: VaultSecret/cadc-tap",) for key in ("admin.password", "db_password", "other")
    }


def test_keys_that_a_vault_secret_selects_or_its_type_requires_are_found() -> None:
    applications = [
        rendered(
            vault_secret("keytab", keys=["ldap-keytab"]),
            vault_secret("certificate", "ingress", type="kubernetes.io/tls"),
        )
    ]
    assert set(reads(applications, PREFIX)) == {("tap", "ldap-keytab"), ("ingress", "tls.crt"), ("ingress", "tls.key")}


def test_the_pull_secret_is_not_reported() -> None:
    pull_secret = vault_secret("pull-secret", "pull-secret", type="kubernetes.io/dockerconfigjson")
    assert find([rendered(pull_secret)], PREFIX, declared=[]) == {}


def test_values_of_external_charts_are_searched() -> None:
    hub = {"extraEnv": {"PASSWORD": {"valueFrom": {"secretKeyRef": {"name": "nublado-secret", "key": "hub_password"}}}}}
    applications = [rendered(vault_secret("nublado-secret", "nublado"), name="nublado", jupyterhub={"hub": hub})]
    found = find(applications, PREFIX, declared=[])
    assert found == {SecretKey("nublado", "hub_password"): ("nublado: values/nublado",)}


def test_every_reader_is_named_once() -> None:
    twice = pod(**container(env=[env_from_key("cadc-tap", "aws.key")] * 2))
    job = twice | {"kind": "Job"}
    found = reads([rendered(vault_secret("cadc-tap"), twice, job)], PREFIX)
    assert found[SecretKey("tap", "aws.key")] == ("tap: Deployment/server", "tap: Job/server")


def config_map(text: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": "controller"}, "data": {"config.yaml": text, "number": 5}}


LABS = """
lab:
  secrets:
    - {secretName: nublado-lab-secret, secretKey: aws-credentials.ini}
    - {secretName: nublado-lab-secret, secretKey: postgres-credentials.txt, path: /a}
    - {secretName: other-secret, secretKey: other}
"""


def test_secrets_of_labs_are_found_in_the_configuration_of_their_controller() -> None:
    applications = [rendered(vault_secret("nublado-lab-secret", "nublado-lab-secret"), config_map(LABS))]
    assert find(applications, PREFIX, declared=[]) == {
        SecretKey("nublado-lab-secret", key): ("tap: ConfigMap/controller",)
        for key in ("aws-credentials.ini", "postgres-credentials.txt")
    }


@pytest.mark.parametrize(
    "text", ["secretKey: [", "secretKey", "- {secretKey: a}", "&a [secretKey, *a]", "secretKey: !x"]
)
def test_configuration_of_another_form_is_ignored(text: str) -> None:
    assert reads([rendered(vault_secret("a"), config_map(text))], PREFIX) == {}


WHOLE = {
    "volume": pod(volumes=[{"name": "v", "secret": {"secretName": "whole"}}]),
    "projected volume": pod(volumes=[{"projected": {"sources": [{"secret": {"name": "whole"}}]}}]),
    "environment": pod(**container(envFrom=[{"secretRef": {"name": "whole"}}])),
}


@pytest.mark.parametrize("use", WHOLE)
def test_a_secret_without_planned_values_is_found_with_the_pods_that_need_it(use: str) -> None:
    applications = [rendered(vault_secret("whole", "elsewhere")), rendered(WHOLE[use])]
    assert unfilled(applications, PREFIX, declared=[]) == {"elsewhere": ("tap: Deployment/server",)}
    assert unfilled(applications, PREFIX, declared=[SecretKey("elsewhere", "key")]) == {}


NOT_NEEDED = {
    "no pod": pod(),
    "optional volume": pod(volumes=[{"secret": {"secretName": "whole", "optional": True}}]),
    "optional environment": pod(**container(envFrom=[{"secretRef": {"name": "whole", "optional": True}}])),
    "other Secret": pod(volumes=[{"secret": {"secretName": "other"}}]),
    "other types": pod(volumes=[{"secret": "whole"}, {"projected": "whole"}], envFrom={"secretRef": "whole"}),
}


@pytest.mark.parametrize("use", NOT_NEEDED)
def test_a_secret_without_planned_values_may_be_needed_by_no_pod(use: str) -> None:
    applications = [rendered(vault_secret("whole", "elsewhere"), NOT_NEEDED[use])]
    assert unfilled(applications, PREFIX, declared=[]) == {"elsewhere": ()}


def test_a_secret_with_keys_that_pods_read_is_planned() -> None:
    applications = [rendered(vault_secret("cadc-tap"), READERS["environment"])]
    assert unfilled(applications, PREFIX, declared=[]) == {}
    pull_secret = vault_secret("pull-secret", "pull-secret", type="kubernetes.io/dockerconfigjson")
    assert unfilled([rendered(pull_secret)], PREFIX, declared=[]) == {}


@pytest.mark.parametrize(
    "spec",
    [None, [], {"templates": ["a"]}, {"keys": "a"}, {"keys": [{}]}, {"type": ["a"]}, {"templates": {"a": 5}}],
)
def test_a_vault_secret_of_another_form_reads_nothing(spec: Any) -> None:
    manifest = {"kind": "VaultSecret", "metadata": {"generateName": "a-"}, "spec": spec}
    assert reads([rendered(manifest)], PREFIX) == {}


def test_a_manifest_that_is_nested_too_deep_is_rejected() -> None:
    node: Any = "end"
    for _ in range(5000):
        node = [node]
    with pytest.raises(RenderError, match=r"^tap: the chart renders to a manifest that is nested too deep"):
        rendered({"kind": "ConfigMap", "metadata": {"name": "deep"}, "spec": node})
