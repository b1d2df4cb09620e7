"""The Argo CD Applications: deployed, healthy, and with the infrastructure's values."""

import base64
import json
import subprocess
from typing import Any

import pytest
from openstack.connection import Connection

from config.stack_config import StackConfig
from sandbox import paths
from tests.sandbox.objects import Objects

SHORTEST = 16

ENABLED = {
    "argocd",
    "cert-manager",
    "gafaelfawr",
    "ingress-nginx",
    "mobu",
    "nublado",
    "portal",
    "postgres",
    "repertoire",
    "squareone",
    "tap",
    "vault-secrets-operator",
    "vo-cutouts",
}


@pytest.fixture(scope="module")
def applications(objects: Objects) -> dict[str, dict[str, Any]]:
    return objects.applications()


def test_every_application_is_synced_and_healthy_at_the_commit_that_last_changed_it(
    applications: dict[str, Any], outputs: dict[str, Any]
) -> None:
    commit = subprocess.run(
        ["git", "--git-dir", paths.GIT, "rev-parse", "main"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert outputs["checkoutCommit"] == commit
    assert set(applications) == ENABLED == set(outputs["applications"])
    for name, application in applications.items():
        status, pin = application["status"], outputs["applications"][name]
        found = (status["sync"]["status"], status["health"]["status"], status["sync"]["revision"])
        assert found == ("Synced", "Healthy", pin), f"{name}: {status.get('conditions')}"
        chart = ["--", application["spec"]["source"]["path"]]
        subprocess.run(["git", "--git-dir", paths.GIT, "diff", "--exit-code", pin, commit, *chart], check=True)


def test_ingress_nginx_has_the_floating_ip(tenant: Connection, objects: Objects, outputs: dict[str, Any]) -> None:
    (floating,) = tenant.network.ips(floating_ip_address=outputs["ingressAddress"])
    services = objects.all("v1", "Service", "ingress-nginx")
    (balanced,) = [each for each in services if each["spec"]["type"] == "LoadBalancer"]
    assert balanced["spec"]["loadBalancerIP"] == floating.floating_ip_address
    assert balanced["status"]["loadBalancer"]["ingress"][0]["ip"] == floating.floating_ip_address


def test_nublados_volumes_have_the_nfs_servers_address(applications: dict[str, Any], settings: StackConfig) -> None:
    assert settings.nfs
    values = applications["nublado"]["spec"]["source"]["helm"]["valuesObject"]
    volumes = values["controller"]["config"]["lab"]["volumes"]
    sources = [each["source"] for each in volumes if each["source"]["type"] == "nfs"]
    assert {each["server"] for each in sources} == {str(settings.nfs.address)}
    assert {each["serverPath"].split("/")[1] for each in sources} == set(settings.nfs.volumes)


def test_nublados_config_map_has_the_nfs_servers_address(objects: Objects, settings: StackConfig) -> None:
    assert settings.nfs
    configurations = objects.all("v1", "ConfigMap", "nublado")
    text = "\n".join(value for each in configurations for value in each.get("data", {}).values())
    assert str(settings.nfs.address) in text


def test_tap_has_the_bucket(objects: Objects, settings: StackConfig) -> None:
    options = {
        option
        for each in objects.all("apps/v1", "Deployment", "tap")
        for container in each["spec"]["template"]["spec"]["containers"]
        for variable in container.get("env", [])
        for option in variable.get("value", "").split()
    }
    store = settings.object_store
    endpoint = str(store.endpoint).rstrip("/")
    assert {f"-Dgcs_bucket={store.bucket}", f"-Dgcs_bucket_url={endpoint}", "-Dgcs_bucket_type=S3"} <= options


def test_postgres_has_the_storage_class(objects: Objects, settings: StackConfig) -> None:
    claims = objects.all("v1", "PersistentVolumeClaim", "postgres")
    assert {each["spec"]["storageClassName"] for each in claims} == {settings.applications.database_storage_class}


def test_application_values_contain_no_secret(applications: dict[str, Any], objects: Objects) -> None:
    held = {
        base64.b64decode(value).decode(errors="replace")
        for each in objects.all("v1", "Secret")
        for value in each.get("data", {}).values()
    }
    text = json.dumps(applications)
    # Short values, such as database names, are not secret and may occur anywhere.
    assert [value for value in held if len(value) >= SHORTEST and json.dumps(value)[1:-1] in text] == []
