"""Create the arguments of the Vault project's components from a stack's configuration."""

import pulumi

from components.immutable_keys import ImmutableKeysArgs
from components.network import Network
from components.openbao import (
    AcmeArgs,
    CertificateArgs,
    OpenBaoArgs,
    PrivateAuthorityArgs,
    SealKeyArgs,
    StaticSealArgs,
    TransitSealArgs,
)
from components.vault_server import VaultServerArgs
from config.vault_server import (
    AcmeCertificate,
    GivenCertificate,
    PrivateCertificate,
    SealKey,
    ShamirSeal,
    StaticSeal,
    TransitSeal,
)
from config.vault_stack import VaultStackConfig
from probes.openstack_connection import Location
from program import lasting_keys, openstack_arguments


def immutable_keys(config: VaultStackConfig, location: Location) -> ImmutableKeysArgs:
    """Return the arguments of the keys that cannot change, or not be removed, which no service reports."""
    password = config.server.admin_password
    values: dict[str, pulumi.Input[str]] = {
        "cloud.name": location.project_id,
        "cloud.region": location.region,
        "server.seal.kind": config.server.seal.kind,
        "server.adminPassword": pulumi.Output.secret(password.get_secret_value()) if password else "",
    }
    return ImmutableKeysArgs(namespace=config.project, values=values, lasting=lasting_keys.of_vault(config))


def vault_server(config: VaultStackConfig, net: Network) -> VaultServerArgs:
    """Return the arguments of the site's own Vault."""
    settings = config.server
    return VaultServerArgs(
        network_id=net.network_id,
        subnet_id=net.subnet_id,
        address=settings.address,
        image=settings.image,
        flavor=settings.flavor,
        boot_volume=openstack_arguments.boot_volume(settings.boot_volume),
        keypair=config.cloud.keypair,
        availability_zone=settings.availability_zone,
        floating_ip_network=config.network.external_network if settings.floating_ip else None,
        clients=settings.clients,
        volume_size=settings.volume.size,
        volume_type=settings.volume.type,
        volume_availability_zone=settings.volume.availability_zone,
        openbao=openbao(config),
        protect=config.protect,
    )


def openbao(config: VaultStackConfig) -> OpenBaoArgs:
    """Return the arguments of OpenBao on that server."""
    settings = config.server
    password = settings.admin_password
    return OpenBaoArgs(
        host=config.host,
        package_url=settings.package.url,
        package_sha256=settings.package.sha256,
        tls=_tls(settings.tls),
        seal=_seal(settings.seal),
        backup_password=settings.backup_password.get_secret_value(),
        admin_password=password.get_secret_value() if password else None,
        backups=settings.backups,
    )


def _tls(
    tls: AcmeCertificate | GivenCertificate | PrivateCertificate,
) -> AcmeArgs | CertificateArgs | PrivateAuthorityArgs:
    match tls:
        case AcmeCertificate():
            return AcmeArgs(directory=str(tls.directory), email=tls.email)
        case GivenCertificate():
            return CertificateArgs(certificate=tls.certificate.get_secret_value(), key=tls.key.get_secret_value())
        case PrivateCertificate(rotation=rotation):
            return PrivateAuthorityArgs(rotation=rotation)


def _seal(seal: StaticSeal | TransitSeal | ShamirSeal) -> StaticSealArgs | TransitSealArgs | None:
    match seal:
        case StaticSeal(key=key, previous_key=previous):
            return StaticSealArgs(key=_seal_key(key), previous_key=_seal_key(previous) if previous else None)
        case TransitSeal():
            return TransitSealArgs(
                address=str(seal.address).rstrip("/"),
                mount=seal.mount,
                key_name=seal.key_name,
                token=seal.token.get_secret_value(),
            )
        case ShamirSeal():
            return None


def _seal_key(key: SealKey) -> SealKeyArgs:
    return SealKeyArgs(id=key.id, value=key.value.get_secret_value())
