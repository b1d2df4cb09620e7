"""The sandbox's Phalanx repository has Phalanx's layout, can be rendered, and uses the secrets that it declares."""

import os
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from phalanx import application, charts, environment, render, resource_uses, secrets, undeclared
from phalanx.charts import RenderedApplication
from phalanx.environment import Environment
from phalanx.secrets import SecretKey, Static
from sandbox import tools
from sandbox.git import SOURCE

APPLICATIONS = sorted(path.name for path in (SOURCE / "applications").iterdir())

UNDECLARED = {
    SecretKey("postgres", "jupyterhub_password"),
    SecretKey("tap", "AWS_ACCESS_KEY_ID"),
    SecretKey("tap", "AWS_SECRET_ACCESS_KEY"),
}
"""Undeclared secrets of Phalanx itself, which the program has to provide."""

NOT_FOR_THE_CLUSTER = {
    SecretKey("argocd", "admin.plaintext_password"),  # for users; the server gets the hash
    SecretKey("mobu", "app-alert-webhook"),  # only copied to other applications
}

FACTS: Mapping[str, Mapping[str, Any]] = {
    "ingress-nginx": {"ingress-nginx": {"controller": {"service": {"loadBalancerIP": "203.0.113.7"}}}},
    "nublado": {
        "controller": {
            "config": {
                "lab": {"volumes": [{"name": "home", "source": {"server": "10.0.0.9", "serverPath": "/jhome"}}]},
            }
        }
    },
    "postgres": {"postgresStorageClass": "some-class"},
    "tap": {"cadc-tap": {"config": {"gcsBucket": "results", "gcsBucketUrl": "https://s3.test", "gcsBucketType": "S3"}}},
}
"""Values from the infrastructure, by Phalanx's keys."""


@pytest.fixture(scope="module")
def sandbox() -> Environment:
    return environment.load(SOURCE, "sandbox")


@pytest.fixture(scope="module")
def manifests(sandbox: Environment) -> list[dict[str, Any]]:
    """Return the rendered manifests of `environments/`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{tools.bin_dir()}{os.pathsep}{os.environ['PATH']}")
        if shutil.which("helm") is None:
            pytest.skip("helm is not installed; `make tools` installs it")
        return render.applications(SOURCE, sandbox, repo_url="https://git.test/phalanx.git", target_revision="abc")


@pytest.fixture(scope="module")
def rendered(manifests: list[dict[str, Any]]) -> dict[str, RenderedApplication]:
    """Return the manifests of each application, rendered with `FACTS`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{tools.bin_dir()}{os.pathsep}{os.environ['PATH']}")
        return {
            name: charts.render(SOURCE, manifest, FACTS.get(name))
            for name, manifest in of_kind(manifests, "Application").items()
        }


def of_kind(manifests: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {manifest["metadata"]["name"]: manifest for manifest in manifests if manifest["kind"] == kind}


def containers(rendered: Mapping[str, RenderedApplication]) -> Iterator[tuple[str, dict[str, Any]]]:
    for one in rendered.values():
        for manifest in one.manifests:
            pod = (manifest.get("spec") or {}).get("template", {}).get("spec", {})
            for container in pod.get("containers", []):
                yield f"{one.name}: {manifest['kind']}/{manifest['metadata']['name']}", container


@pytest.mark.parametrize("name", APPLICATIONS)
def test_application_has_phalanxs_files(name: str) -> None:
    directory = SOURCE / "applications" / name
    for file in ("Chart.yaml", "values.yaml", "values-sandbox.yaml", "secrets.yaml"):
        assert (directory / file).is_file(), file


@pytest.mark.parametrize("name", APPLICATIONS)
def test_charts_have_no_remote_dependencies(name: str) -> None:
    directory = SOURCE / "applications" / name
    for dependency in yaml.safe_load((directory / "Chart.yaml").read_text()).get("dependencies", []):
        repository = dependency["repository"]
        chart = (
            directory / repository.removeprefix("file://") if repository else directory / "charts" / dependency["name"]
        )
        assert yaml.safe_load((chart / "Chart.yaml").read_text())["version"] == dependency["version"]


def test_environment_has_all_applications(sandbox: Environment) -> None:
    templates = (SOURCE / "environments" / "templates" / "applications").rglob("*.yaml")
    assert sorted(path.stem for path in templates) == APPLICATIONS
    # As in Phalanx, whose other TAP service is disabled in most environments.
    assert sorted(sandbox.applications) == sorted([*APPLICATIONS, "ssotap"])
    assert sorted(sandbox.enabled_applications) == APPLICATIONS


def test_applications_have_phalanxs_form(manifests: list[dict[str, Any]]) -> None:
    applications, namespaces = of_kind(manifests, "Application"), of_kind(manifests, "Namespace")
    assert sorted(applications) == APPLICATIONS
    assert sorted(namespaces) == [name for name in APPLICATIONS if name != "argocd"]
    for name, manifest in applications.items():
        spec = manifest["spec"]
        assert manifest["metadata"]["finalizers"] == ["resources-finalizer.argocd.argoproj.io"]
        assert spec["destination"] == {"namespace": name, "server": "https://kubernetes.default.svc"}
        assert spec["project"] in of_kind(manifests, "AppProject")
        assert spec["source"]["path"] == f"applications/{name}"
        assert spec["source"]["targetRevision"] == "abc"
        assert spec["source"]["helm"]["valueFiles"] == ["values.yaml", "values-sandbox.yaml"]


def test_parameters_are_values_of_the_chart(manifests: list[dict[str, Any]], sandbox: Environment) -> None:
    for name, manifest in of_kind(manifests, "Application").items():
        for parameter in manifest["spec"]["source"]["helm"]["parameters"]:
            values: Any = application.load(SOURCE, sandbox.name, name).values
            for key in parameter["name"].split("."):
                assert key in values, f"{name}: {parameter['name']}"
                values = values[key]


def test_templates_use_only_declared_secrets_with_known_exceptions(
    rendered: dict[str, RenderedApplication], sandbox: Environment
) -> None:
    plan = secrets.resolve(application.load_enabled(SOURCE, sandbox))
    found = undeclared.find(map(resource_uses.find, rendered.values()), sandbox.vault_path_prefix, plan)
    assert set(found) == UNDECLARED


def test_each_declared_secret_is_used(rendered: dict[str, RenderedApplication], sandbox: Environment) -> None:
    plan = secrets.resolve(application.load_enabled(SOURCE, sandbox))
    read = undeclared.reads(map(resource_uses.find, rendered.values()), sandbox.vault_path_prefix)
    assert set(plan) - set(read) == NOT_FOR_THE_CLUSTER


def test_every_kind_of_secret_is_used(sandbox: Environment) -> None:
    """Secrets of the sandbox are generated in all of Phalanx's ways, copied, and static."""
    plan = secrets.resolve(application.load_enabled(SOURCE, sandbox))
    kinds = {getattr(planned.origin, "type", type(planned.origin)) for planned in plan.values()}
    generators = {"password", "bcrypt-password-hash", "mtime", "gafaelfawr-token", "fernet-key"}
    assert {str(kind) for kind in kinds} >= generators | {"rsa-private-key", "oidc-clients"}
    assert {Static, secrets.Copied} <= kinds


def test_facts_are_in_the_rendered_manifests(rendered: dict[str, RenderedApplication]) -> None:
    service = of_kind(rendered["ingress-nginx"].manifests, "Service")["ingress-nginx-controller"]
    assert (service["spec"]["type"], service["spec"]["loadBalancerIP"]) == ("LoadBalancer", "203.0.113.7")
    controller = of_kind(rendered["nublado"].manifests, "ConfigMap")["nublado-controller-config"]
    lab = yaml.safe_load(controller["data"]["config.yaml"])["lab"]
    assert lab["volumes"] == [{"name": "home", "source": {"server": "10.0.0.9", "serverPath": "/jhome"}}]
    claim = of_kind(rendered["postgres"].manifests, "PersistentVolumeClaim")["postgres-physpvc"]
    assert claim["spec"]["storageClassName"] == "some-class"
    server = of_kind(rendered["tap"].manifests, "Deployment")["cadc-tap"]
    variables = {one["name"]: one.get("value") for one in server["spec"]["template"]["spec"]["containers"][0]["env"]}
    for option in ("-Dgcs_bucket=results", "-Dgcs_bucket_url=https://s3.test", "-Dgcs_bucket_type=S3"):
        assert option in variables["CATALINA_OPTS"].split()
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= set(variables)


def test_ingresses_have_the_controllers_class(rendered: dict[str, RenderedApplication], sandbox: Environment) -> None:
    (ingress_class,) = of_kind(rendered["ingress-nginx"].manifests, "IngressClass")
    ingresses = [ingress for one in rendered.values() for ingress in of_kind(one.manifests, "Ingress").values()]
    assert len(ingresses) >= len(APPLICATIONS) - 4
    for ingress in ingresses:
        assert ingress["spec"]["ingressClassName"] == ingress_class
        assert {rule["host"] for rule in ingress["spec"]["rules"]} == {sandbox.fqdn}


def test_containers_have_resources_and_pinned_images(rendered: dict[str, RenderedApplication]) -> None:
    found = list(containers(rendered))
    assert found
    for where, container in found:
        assert {"cpu", "memory"} <= set(container["resources"]["requests"]), where
        _, _, tag = container["image"].rpartition(":")
        assert tag not in {"", "latest"}, where
        assert "/" not in tag, f"{where}: {container['image']} has no tag"
