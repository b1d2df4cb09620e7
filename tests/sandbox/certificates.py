from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from kubernetes import client
from openstack.connection import Connection

ADMINISTRATOR = x509.Name(
    [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters"),
        x509.NameAttribute(NameOID.COMMON_NAME, "admin"),
    ],
)


@dataclass(frozen=True)
class Authority:
    """A certificate authority."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | object

    @classmethod
    def unknown(cls) -> "Authority":
        """Return an authority that no cluster trusts."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubernetes")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        return cls(certificate, key)

    @classmethod
    def of_files(cls, certificate: Path, key: Path) -> "Authority":
        """Return an authority from files of this machine."""
        return cls(
            x509.load_pem_x509_certificate(certificate.read_bytes()),
            serialization.load_pem_private_key(key.read_bytes(), password=None),
        )


@dataclass(frozen=True)
class Credentials:
    """A client certificate and its key, PEM."""

    certificate: str
    key: str

    @classmethod
    def signed_by(cls, authority: Authority, ends: datetime) -> "Credentials":
        """Return an administrator's certificate, valid for the day before ``ends``."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(ADMINISTRATOR)
            .issuer_name(authority.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(ends - timedelta(days=1))
            .not_valid_after(ends)
            .add_extension(x509.ExtendedKeyUsage([x509.OID_CLIENT_AUTH]), critical=False)
            .sign(authority.key, hashes.SHA256())  # type: ignore[arg-type]  # any kind of signing key
        )
        return cls(certificate.public_bytes(serialization.Encoding.PEM).decode(), _pem(key))


@dataclass(frozen=True)
class MagnumCluster:
    """A cluster, accessed through Magnum's API."""

    tenant: Connection
    uuid: str

    @property
    def api_address(self) -> str:
        """Return the URL of the API server."""
        return str(self.tenant.container_infrastructure_management.get_cluster(self.uuid).api_address)

    def authority(self) -> str:
        """Return the PEM certificate of the CA that has signed the API server's certificate."""
        return str(self.tenant.container_infrastructure_management.get_cluster_certificate(self.uuid).pem)

    def signed_certificate(self) -> Credentials:
        """Return an administrator's certificate signed by Magnum, as by ``openstack coe cluster config``."""
        key = ec.generate_private_key(ec.SECP256R1())
        request = x509.CertificateSigningRequestBuilder().subject_name(ADMINISTRATOR).sign(key, hashes.SHA256())
        signed = self.tenant.container_infrastructure_management.create_cluster_certificate(
            cluster_uuid=self.uuid,
            csr=request.public_bytes(serialization.Encoding.PEM).decode(),
        )
        return Credentials(str(signed.pem), _pem(key))

    @contextmanager
    def client(self, credentials: Credentials, folder: Path) -> Iterator[client.ApiClient]:
        """Yield a client for the Kubernetes API with private files in ``folder``."""
        configuration = client.Configuration()
        configuration.host = self.api_address
        configuration.retries = 0
        files = {
            "ssl_ca_cert": self.authority(),
            "cert_file": credentials.certificate,
            "key_file": credentials.key,
        }
        for attribute, content in files.items():
            file = folder / f"{attribute}.pem"
            file.touch(mode=0o600)
            file.write_text(content)
            setattr(configuration, attribute, str(file))
        with client.ApiClient(configuration) as api:
            yield api


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
