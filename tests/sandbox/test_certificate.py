"""The platform's certificate: in a file of static secrets, in Vault, and served by ingress-nginx."""

from datetime import UTC, datetime, timedelta

import hvac

from phalanx import certificates
from sandbox.process import wait_for
from sandbox.site_certificate import issue
from tests.sandbox.objects import Objects

RECONCILED = 60.0
"""Maximum seconds until the operator has read Vault again."""


def test_the_cluster_has_vaults_certificate(vault: hvac.Client, objects: Objects) -> None:
    assert in_cluster(objects) == in_vault(vault)


def test_all_hosts_use_the_certificate(objects: Objects) -> None:
    controller = objects.one("apps/v1", "DaemonSet", "ingress-nginx-controller", "ingress-nginx")
    arguments = controller["spec"]["template"]["spec"]["containers"][0]["args"]
    assert "--default-ssl-certificate=ingress-nginx/ingress-certificate" in arguments


def test_the_output_has_the_certificates_expiry(vault: hvac.Client, outputs: dict[str, object]) -> None:
    held = certificates.parse(in_vault(vault)["tls.crt"])
    assert outputs["certificateExpires"] == certificates.rfc3339(held.expires)


def test_a_renewed_certificate_is_copied_to_the_cluster(vault: hvac.Client, objects: Objects) -> None:
    before, now = in_vault(vault), datetime.now(UTC)
    renewed = dict(zip(("tls.crt", "tls.key"), issue("rsp.sandbox.test", now, now + timedelta(days=90)), strict=True))
    try:
        write(vault, renewed)
        wait_for(lambda: in_cluster(objects) == renewed, "the cluster has the new certificate", timeout=RECONCILED)
    finally:
        write(vault, before)
    wait_for(lambda: in_cluster(objects) == before, "the cluster has the old certificate", timeout=RECONCILED)


def in_vault(vault: hvac.Client) -> dict[str, str]:
    read = vault.secrets.kv.v2.read_secret_version(
        "phalanx/sandbox/ingress-nginx", mount_point="secret", raise_on_deleted_version=True
    )
    values: dict[str, str] = read["data"]["data"]
    return values


def write(vault: hvac.Client, values: dict[str, str]) -> None:
    vault.secrets.kv.v2.create_or_update_secret("phalanx/sandbox/ingress-nginx", values, mount_point="secret")


def in_cluster(objects: Objects) -> dict[str, str]:
    assert objects.one("v1", "Secret", "ingress-certificate", "ingress-nginx")["type"] == "kubernetes.io/tls"
    return objects.secret("ingress-certificate", "ingress-nginx")
