"""Access to the cluster with a certificate that Magnum signs, as `openstack coe cluster config` does."""

import base64
from typing import TYPE_CHECKING, Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from phalanx.errors import PhalanxError

if TYPE_CHECKING:
    from openstack.connection import Connection


def kubeconfig(connection: "Connection", cluster: str) -> str:
    """Return an administrator's kubeconfig, with a new key that exists only in it.

    Args:
        connection: Connection to the project.
        cluster: Name of the cluster in Magnum.

    Raises:
        PhalanxError: The cluster does not exist, or has no API yet.
        openstack.exceptions.SDKException: Magnum cannot be reached, or refuses to sign.
    """
    magnum: Any = connection.container_infrastructure_management
    found = magnum.find_cluster(cluster)
    if found is None or not found.api_address:
        raise PhalanxError(f"Magnum's cluster {cluster} {'has no API yet' if found else 'does not exist'}")
    key = ec.generate_private_key(ec.SECP256R1())
    names = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
        x509.NameAttribute(NameOID.COMMON_NAME, "admin"),
    ]
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names)).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    signed = magnum.create_cluster_certificate(cluster_uuid=found.id, csr=request.public_bytes(pem).decode())
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    server = {
        "server": found.api_address,
        "certificate-authority-data": _base64(str(magnum.get_cluster_certificate(found.id).pem).encode()),
    }
    user = {
        "client-certificate-data": _base64(str(signed.pem).encode()),
        "client-key-data": _base64(private),
    }
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": cluster, "cluster": server}],
            "users": [{"name": "admin", "user": user}],
            "contexts": [{"name": "default", "context": {"cluster": cluster, "user": "admin"}}],
            "current-context": "default",
        }
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
