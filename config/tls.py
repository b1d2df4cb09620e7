"""Source of the platform's TLS certificate."""

from typing import Annotated, Literal

from pydantic import AnyHttpUrl, Field

from config.addresses import DnsName, Email, HttpsUrl
from config.changes import in_place, replaces
from config.section import Matching, SecretLine, Section

LETS_ENCRYPT = AnyHttpUrl("https://acme-v02.api.letsencrypt.org/directory")
LETS_ENCRYPT_STAGING = AnyHttpUrl("https://acme-staging-v02.api.letsencrypt.org/directory")


CredentialId = Annotated[
    str,
    Matching(
        r"[0-9a-z]([0-9a-z-]*[0-9a-z])?",
        "the ID that `openstack application credential list` shows, such as 5f2a0c9d6f2b4f0f8f5b7a3f6d1e2c3b",
        64,
    ),
]
"""ID of an application credential, which becomes part of the name of a Secret in Kubernetes."""


class PhalanxCertificate(Section):
    """The certificate that the Phalanx repository configures for the environment."""

    kind: Literal["phalanx"] = Field(description="Use the certificate settings of the Phalanx repository")


class VaultCertificate(Section):
    """An existing certificate in the static secrets ingress-nginx/tls.crt and ingress-nginx/tls.key."""

    kind: Literal["vault"] = Field(description="Use the certificate in Vault")


class Http01(Section):
    """ACME challenge by HTTP on port 80 of the platform."""

    kind: Literal["http01"] = Field(description="Use the HTTP-01 challenge, which does not support wildcards")


class ApplicationCredentialSettings(Section):
    """An application credential of Keystone with write access to the zone."""

    id: Annotated[
        CredentialId, replaces("the Secret of the webhook of cert-manager, whose Helm release is updated")
    ] = Field(description="ID of the application credential", examples=["5f2a0c9d6f2b4f0f8f5b7a3f6d1e2c3b"])
    secret: Annotated[
        SecretLine,
        replaces("the Secret of the webhook of cert-manager; restart it, unless the ID changes as well"),
    ] = Field(
        description="Secret of the application credential (pulumi config set --secret --path)",
    )


class Designate(Section):
    """ACME challenge by DNS, in a zone of OpenStack Designate."""

    kind: Literal["designate"] = Field(description="Use the DNS-01 challenge with a TXT record in a zone of Designate")
    zone: Annotated[
        DnsName,
        replaces(
            "the application credential of the webhook of cert-manager, and its Secret. With `credential`, the zone "
            "is not used"
        ),
    ] = Field(
        description="Zone that contains _acme-challenge of the platform's name, or the target of its CNAME record",
        examples=["example.org"],
    )
    credential: Annotated[
        ApplicationCredentialSettings | None,
        replaces("the Secret of the webhook of cert-manager; the stack's own application credential is deleted"),
    ] = Field(
        default=None,
        description=(
            "Application credential with which cert-manager writes the zone; required if the zone is in another "
            "project than rsp:cloud, or if these credentials may not create one. By default the stack creates one that "
            "can only write records"
        ),
    )


class LetsEncrypt(Section):
    """A certificate that cert-manager obtains and renews by ACME (RFC 8555)."""

    kind: Literal["letsencrypt"] = Field(description="Obtain and renew the certificate with cert-manager")
    email: Annotated[Email, in_place("updates the ClusterIssuer and the ACME account")] = Field(
        description="Email address of the ACME account, for notices of the certificate authority",
        examples=["rsp-operators@example.org"],
    )
    server: Annotated[
        HttpsUrl, in_place("updates the ClusterIssuer; the next certificate is from the other authority")
    ] = Field(
        default=LETS_ENCRYPT,
        description=(
            f"Directory URL of the ACME server; {LETS_ENCRYPT_STAGING} for tests, whose certificates browsers do not "
            "trust, but whose rate limits are higher"
        ),
    )
    challenge: Annotated[Http01 | Designate, Field(discriminator="kind")] = Field(
        default=Http01(kind="http01"),
        description="ACME challenge by which the platform proves control of its name",
    )


Tls = Annotated[PhalanxCertificate | VaultCertificate | LetsEncrypt, Field(discriminator="kind")]
"""Source of the platform's certificate."""
