"""The kubeconfig of a Magnum cluster: a key and certificate request of ours, signed by the cluster's own authority.

The certificate says CN=admin, O=system:masters, and the map has the keys, that terraform-provider-openstack gives them
(`openstack/containerinfra_shared_v1.go`).
"""

import base64

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from sandbox.engine.adapters.openstack.client import OpenStack

_SERVICE = "container_infrastructure_management"
_KEY_BITS = 4096


def sign(client: OpenStack, cluster: str, name: str, host: str) -> dict[str, str]:
    """Have a new client certificate signed by Magnum.

    Args:
        client: The cloud.
        cluster: The cluster's UUID.
        name: The cluster's name.
        host: The address of its API server.

    Returns:
        `raw_config` (a kubeconfig), `host`, `cluster_ca_certificate`, `client_certificate`, `client_key` (PEM).
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
            x509.NameAttribute(NameOID.COMMON_NAME, "admin"),
        ]
    )
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA512())
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()
    body = {"cluster_uuid": cluster, "csr": request.public_bytes(serialization.Encoding.PEM).decode()}
    authority = client.service(_SERVICE).call("GET", f"/certificates/{cluster}")["pem"]
    certificate = client.service(_SERVICE).call("POST", "/certificates", body)["pem"]
    return {
        "raw_config": _render(name, host, authority, certificate, key_pem),
        "host": host,
        "cluster_ca_certificate": authority,
        "client_certificate": certificate,
        "client_key": key_pem,
    }


def _render(name: str, host: str, authority: str, certificate: str, key: str) -> str:
    user = f"{name}-admin"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"cluster": {"certificate-authority-data": _base64(authority), "server": host}, "name": name},
        ],
        "contexts": [{"context": {"cluster": name, "user": user}, "name": name}],
        "current-context": name,
        "users": [
            {
                "name": user,
                "user": {"client-key-data": _base64(key), "client-certificate-data": _base64(certificate)},
            },
        ],
    }
    return yaml.safe_dump(document, sort_keys=False)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
